package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// One threat a test. Each attacker knows everything the issuer publishes.

// The public key as an HMAC secret, in every form that libraries have accepted.
func TestPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	public := &rsaPair().PublicKey
	der := must(x509.MarshalPKIXPublicKey(public))
	for name, secret := range map[string][]byte{
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"DER":     der,
		"PKCS1":   x509.MarshalPKCS1PublicKey(public),
		"modulus": public.N.Bytes(),
		"JWK n":   []byte(b64(public.N.Bytes())),
		"nothing": {},
	} {
		for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
			raw := sign(method, secret, map[string]any{"kid": "rsa"}, i.claims(nil))
			if err := verify(v, raw); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "is not RS256") {
				t.Errorf("%s with the %s: Verify = %v, want ErrInvalid for its alg", method.Alg(), name, err)
			}
		}
	}
}

func TestUnsignedTokenIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	good := strings.Split(i.token(nil), ".")
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `0`, `["RS256"]`} {
		header := b64(fmt.Appendf(nil, `{"alg":%s,"kid":"rsa"}`, alg))
		for _, signature := range []string{"", good[2]} {
			raw := header + "." + good[1] + "." + signature
			if err := verify(v, raw); !errors.Is(err, ErrInvalid) {
				t.Errorf("alg %s, signature %d bytes: Verify = %v, want ErrInvalid", alg, len(signature), err)
			}
		}
	}
}

func TestSignatureStrippedOrMovedIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	good, other := strings.Split(i.token(nil), "."), strings.Split(i.token(map[string]any{"tenant": "tenant-2"}), ".")
	for name, raw := range map[string]string{
		"stripped":           good[0] + "." + good[1] + ".",
		"of another payload": good[0] + "." + other[1] + "." + good[2],
		"by another key":     i.signedBy("rsa", otherRSA()),
	} {
		if err := verify(v, raw); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "signature") {
			t.Errorf("%s: Verify = %v, want ErrInvalid for its signature", name, err)
		}
	}
}

// Other algorithms of the same family, honestly signed by the issuer's own key: a key is for one algorithm.
func TestOtherAlgorithmsOfTheSameKeyAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	for _, method := range []jwt.SigningMethod{
		jwt.SigningMethodRS384, jwt.SigningMethodRS512, jwt.SigningMethodPS256, jwt.SigningMethodPS512,
	} {
		wantInvalid(t, verify(v, sign(method, rsaPair(), map[string]any{"kid": "rsa"}, i.claims(nil))), "is not RS256")
	}
}

// A header that claims another of our algorithms than the key's.
func TestAlgorithmBelongsToTheKey(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK(), ecJWK(), edJWK())
	v := i.verifier(t)
	for _, tt := range []struct {
		method  jwt.SigningMethod
		private any
		kid     string
	}{
		{jwt.SigningMethodES256, ecPair(), "rsa"},
		{jwt.SigningMethodEdDSA, edPair(), "ec"},
		{jwt.SigningMethodRS256, rsaPair(), "ed"},
	} {
		wantInvalid(t, verify(v, sign(tt.method, tt.private, map[string]any{"kid": tt.kid}, i.claims(nil))), "of its key")
	}
}

// Keys that the issuer publishes for something else, or that are too weak to trust.
func TestUnfitKeysAreNotUsed(t *testing.T) {
	t.Parallel()
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	rs256 := func(private *rsa.PrivateKey) func(*issuer) string {
		return func(i *issuer) string { return i.signedBy("k", private) }
	}
	tests := []struct {
		name  string
		jwk   map[string]any
		token func(*issuer) string
	}{
		{"for encryption", published("k", rsaPair().Public(), map[string]any{"use": "enc"}), rs256(rsaPair())},
		{"for wrapping keys", published("k", rsaPair().Public(), map[string]any{"key_ops": []string{"wrapKey"}}), rs256(rsaPair())},
		{"for RSA-OAEP", published("k", rsaPair().Public(), map[string]any{"alg": "RSA-OAEP"}), rs256(rsaPair())},
		{"for RS512", published("k", rsaPair().Public(), map[string]any{"alg": "RS512"}), rs256(rsaPair())},
		{"RSA of 1024 bits", published("k", small.Public()), rs256(small)},
		{"exponent 1", published("k", rsaPair().Public(), map[string]any{"e": "AQ"}), forgedForExponentOne},
		{"P-384", published("k", p384.Public()), func(i *issuer) string {
			return sign(jwt.SigningMethodES256, ecPair(), map[string]any{"kid": "k"}, i.claims(nil))
		}},
		{"P-384 named P-256", published("k", p384.Public(), map[string]any{"crv": "P-256"}), func(i *issuer) string {
			return sign(jwt.SigningMethodES256, ecPair(), map[string]any{"kid": "k"}, i.claims(nil))
		}},
		{"point off the curve", published("k", ecPair().Public(), map[string]any{"x": b64(make([]byte, 32))}), func(i *issuer) string {
			return sign(jwt.SigningMethodES256, ecPair(), map[string]any{"kid": "k"}, i.claims(nil))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, edJWK(), tt.jwk)
			wantInvalid(t, verify(i.verifier(t), tt.token(i)), "does not publish")
		})
	}
}

// forgedForExponentOne needs no private key: with e = 1 a signature is its own padded hash.
func forgedForExponentOne(i *issuer) string {
	text := strings.Join(strings.Split(i.signedBy("k", rsaPair()), ".")[:2], ".")
	hash := crypto.SHA256.New()
	hash.Write([]byte(text))
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	padding := bytes.Repeat([]byte{0xff}, 256-3-len(prefix)-32)
	padded := bytes.Join([][]byte{{0, 1}, padding, {0}, prefix, hash.Sum(nil)}, nil)
	return text + "." + b64(padded)
}

// The attacker's own key, named by the token.
func TestKeyNamedByTheTokenIsNotUsed(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	asked := make(chan string, 9)
	evil := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = w.Write(jwks(published("evil", otherRSA().Public())))
	}))
	t.Cleanup(evil.Close)
	for _, header := range []map[string]any{
		{"kid": "evil", "jwk": published("evil", otherRSA().Public())},
		{"kid": "evil", "jku": evil.URL},
		{"kid": "evil", "x5u": evil.URL},
		{"kid": evil.URL},
		{"kid": "../../../dev/null"},
	} {
		wantInvalid(t, verify(v, sign(jwt.SigningMethodRS256, otherRSA(), header, i.claims(nil))), "does not publish")
	}
	if len(asked) > 0 {
		t.Errorf("the token's own address was asked for %s", <-asked)
	}
}

func TestCriticalExtensionsAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	for _, crit := range []any{[]string{"exp"}, []string{}, "b64"} {
		header := map[string]any{"kid": "rsa", "crit": crit, "b64": true}
		wantInvalid(t, verify(v, sign(jwt.SigningMethodRS256, rsaPair(), header, i.claims(nil))), "(crit)")
	}
}

// Tokens of the same issuer and key that were made for something else than opening an API.
func TestOtherKindsOfTokenAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	for _, typ := range []any{"logout+jwt", "secevent+jwt", "dpop+jwt", "application/jose", "", 7, nil} {
		header := b64(must(json.Marshal(map[string]any{"alg": "RS256", "kid": "rsa", "typ": typ})))
		payload := strings.Split(i.token(nil), ".")[1]
		signature := must(jwt.SigningMethodRS256.Sign(header+"."+payload, rsaPair()))
		wantInvalid(t, verify(v, header+"."+payload+"."+b64(signature)), "(typ)")
	}
}

// A claim counts under its exact name only, and no name reaches into an object.
func TestClaimsAreFoundByExactName(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t, func(c *Config) { c.TenantClaim = "app.tenant" })
	for _, changes := range []map[string]any{
		{"App.Tenant": "tenant-1"},
		{"app": map[string]any{"tenant": "tenant-1"}},
		{"app.tenant": map[string]any{"": "tenant-1"}},
		{"app.tenant": []string{"tenant-1"}},
	} {
		wantInvalid(t, verify(v, i.token(changes)), "tenant claim")
	}
	for _, name := range []string{"Iss", "ISS"} {
		wantInvalid(t, verify(v, i.token(map[string]any{"iss": nil, name: i.server.URL})), "(iss)")
	}
	if err := verify(v, i.token(map[string]any{"app.tenant": "tenant-1"})); err != nil {
		t.Errorf("exact name: %v", err)
	}
}

// One token has one spelling, so that a token can be recognised by its text.
func TestOtherSpellingsOfATokenAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, edJWK())
	v := i.verifier(t)
	good := sign(jwt.SigningMethodEdDSA, edPair(), map[string]any{"kid": "ed"}, i.claims(nil)) // 64 bytes: 4 spare bits at the end
	if err := verify(v, good); err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for name, raw := range map[string]string{
		"spare bits":    good[:len(good)-1] + alphabet[last|1:last|1+1],
		"padding":       good + "==",
		"line break":    good + "\n",
		"inner break":   good[:9] + "\r\n" + good[9:],
		"space":         " " + good,
		"scheme":        "Bearer " + good,
		"fourth part":   good + ".",
		"standard text": strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
		"JWE":           "e30.e30.e30.e30.e30",
		"nothing":       "",
		"dots":          "..",
		"not UTF-8":     good + "\xff",
	} {
		if err := verify(v, raw); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: Verify = %v, want ErrInvalid", name, err)
		}
	}
}

func TestOversizedTokenIsRefusedUnread(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	base := len(i.token(map[string]any{"x": ""}))
	fill := (maxTokenBytes - base) * 3 / 4
	long := i.token(map[string]any{"x": strings.Repeat("x", fill+9)})
	wantInvalid(t, verify(v, long), "8192")
	if n := i.requestCount(); n != 0 {
		t.Errorf("%d requests for an oversized token, want none", n)
	}
	fits := i.token(map[string]any{"x": strings.Repeat("x", fill-9)})
	if err := verify(v, fits); err != nil || len(fits) < maxTokenBytes-64 {
		t.Errorf("%d bytes: Verify = %v, want nil", len(fits), err)
	}
}

func TestOversizedKeySetIsNotRead(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	body := jwks(rsaJWK())
	pad := func(n int) {
		i.answerWith(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(body, bytes.Repeat([]byte(" "), n-len(body))...))
		})
	}
	pad(maxJWKSBytes + 1)
	wantUnavailable(t, verify(i.verifier(t), i.token(nil)), retryEvery)
	pad(maxJWKSBytes)
	if err := verify(i.verifier(t), i.token(nil)); err != nil {
		t.Errorf("256 KB: %v", err)
	}
}

// A redirect to where someone else could answer.
func TestRedirectOffHTTPSIsNotFollowed(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 9)
	keys := func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = w.Write(jwks(rsaJWK()))
	}
	clear, loop := httptest.NewServer(http.HandlerFunc(keys)), 0
	t.Cleanup(clear.Close)
	i := newIssuer(t)
	redirect := func(to string) {
		i.answerWith(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/moved" {
				keys(w, r)
				return
			}
			if to == "" {
				loop++
				to := fmt.Sprintf("/%d", loop)
				http.Redirect(w, r, to, http.StatusFound)
				return
			}
			http.Redirect(w, r, to, http.StatusFound)
		})
	}
	for _, to := range []string{clear.URL + "/keys", "http://issuer.example/keys", "ftp://issuer.example/keys", ""} {
		redirect(to)
		wantUnavailable(t, verify(i.verifier(t), i.token(nil)), retryEvery)
	}
	if len(asked) > 0 || loop != maxRedirects+1 {
		t.Errorf("%d requests in the clear, %d in a loop of redirects, want 0 and %d", len(asked), loop, maxRedirects+1)
	}
	redirect(i.server.URL + "/moved")
	if err := verify(i.verifier(t), i.token(nil)); err != nil {
		t.Errorf("redirect that stays on https: %v", err)
	}
}

// Invented key ids must not become a flood of requests to the issuer.
func TestInventedKeyIDsCostOneRequest(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	for n := range 50 {
		wantInvalid(t, verify(v, i.signedBy(fmt.Sprint(n), otherRSA())), "does not publish")
	}
	if n := i.requestCount(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestForeignTokenCostsNoRequest(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	wantInvalid(t, verify(i.verifier(t), i.token(map[string]any{"iss": "https://evil.example"})), "(iss)")
	if n := i.requestCount(); n != 0 {
		t.Errorf("%d requests for a foreign token, want none", n)
	}
}

// Nothing that the sender chose comes back in an answer or a log line.
func TestErrorsHoldNothingOfTheToken(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	const canary = "c4n4ry"
	broken := b64([]byte(`{"alg":"RS256","kid":"rsa",` + canary + `}`))
	for _, raw := range []string{
		canary,
		canary + "." + canary + "." + canary,
		broken + "." + broken + "." + broken,
		b64([]byte(`{"alg":"`+canary+`"}`)) + ".e30.",
		i.token(map[string]any{"iss": canary}),
		i.token(map[string]any{"aud": canary}),
		i.token(map[string]any{"tenant": []string{canary}}),
		i.token(map[string]any{"exp": canary}),
		i.token(map[string]any{"nbf": canary}),
		i.signedBy(canary, otherRSA()),
		sign(jwt.SigningMethodRS256, rsaPair(), map[string]any{"kid": "rsa", "typ": canary}, i.claims(nil)),
	} {
		if err := verify(v, raw); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("Verify = %v, want an error without the token's content", err)
		}
	}
}
