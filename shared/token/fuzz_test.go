package token

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// FuzzVerify: only a text signed by the issuer is accepted, everything else is refused for a rule.
func FuzzVerify(f *testing.F) {
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(jwks(ecJWK(), edJWK()))), Request: r}, nil
	})}
	v, err := New(Config{Issuer: "https://issuer.example", Audiences: []string{"api"}, TenantClaim: "tenant"},
		client, func() time.Time { return start })
	if err != nil {
		f.Fatal(err)
	}
	claims := jwt.MapClaims{"iss": "https://issuer.example", "aud": "api", "sub": "u", "tenant": "t", "exp": 1e10}
	good := sign(jwt.SigningMethodEdDSA, edPair(), map[string]any{"kid": "ed"}, claims)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good,
		sign(jwt.SigningMethodES256, ecPair(), nil, claims),
		sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, claims),
		parts[0] + "." + parts[1] + ".",
		b64([]byte(`{"alg":"EdDSA","crit":[]}`)) + "." + parts[1] + "." + parts[2],
		b64([]byte(`{"alg":"ES256"}`)) + "." + b64([]byte(`null`)) + "." + parts[2],
		b64([]byte(`[]`)) + "." + b64([]byte(`{"exp":1e400}`)) + "." + parts[2],
		"..", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := v.Verify(t.Context(), raw)
		switch {
		case err == nil && (got.TenantID != "t" || got.UserID != "u"):
			t.Errorf("accepted %+v, which nobody signed", got)
		case err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrExpired):
			t.Errorf("Verify = %v, want ErrInvalid or ErrExpired", err)
		case err != nil && got != Claims{}:
			t.Errorf("claims %+v beside %v", got, err)
		}
	})
}

// FuzzParseJWKS: whatever an issuer answers, only keys that fit their algorithm come out.
func FuzzParseJWKS(f *testing.F) {
	for _, seed := range [][]byte{
		jwks(edJWK(), ecJWK()),
		jwks(published("rsa", rsaPair().Public())),
		[]byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"","y":""}]}`),
		[]byte(`{"keys":null}`), []byte(`[]`), nil,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseJWKS(body)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("parseJWKS = %d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if err := jwt.GetSigningMethod(k.alg).Verify("text", make([]byte, 64), k.public); err == nil ||
				errors.Is(err, jwt.ErrInvalidKeyType) || errors.Is(err, jwt.ErrInvalidKey) {
				t.Errorf("a key for %s answers %v to a wrong signature", k.alg, err)
			}
		}
	})
}
