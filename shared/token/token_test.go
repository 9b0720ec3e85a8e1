package token

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestNewRefusesBadSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  Config
		want string // in the error
	}{
		{"no issuer", Config{Audiences: []string{"api"}}, `issuer ""`},
		{"issuer in the clear", Config{Issuer: "http://issuer.example", Audiences: []string{"api"}}, "must be https"},
		{"issuer that only begins like loopback", Config{Issuer: "http://127.0.0.1.example", Audiences: []string{"api"}}, "must be https"},
		{"issuer without scheme", Config{Issuer: "issuer.example", Audiences: []string{"api"}}, "is not a URL"},
		{"issuer without host", Config{Issuer: "https://:443", Audiences: []string{"api"}}, "is not a URL"},
		{"issuer with a query", Config{Issuer: "https://issuer.example?a=b", Audiences: []string{"api"}}, "query"},
		{"issuer with a user name", Config{Issuer: "https://me@issuer.example", Audiences: []string{"api"}}, "user name"},
		{"keys in the clear", Config{Issuer: "https://issuer.example", JWKSURL: "http://issuer.example/keys", Audiences: []string{"api"}}, "JWKS URL"},
		{"no audience", Config{Issuer: "https://issuer.example"}, "audience"},
		{"empty audience", Config{Issuer: "https://issuer.example", Audiences: []string{"api", ""}}, "audience"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tt.cfg, http.DefaultClient, time.Now)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestNewAcceptsAddresses(t *testing.T) {
	t.Parallel()
	for issuer, jwksURL := range map[string]string{
		"https://issuer.example":                              "https://issuer.example/.well-known/jwks.json",
		"https://tenant.auth0.example/":                       "https://tenant.auth0.example/.well-known/jwks.json",
		"http://localhost:5055":                               "http://localhost:5055/.well-known/jwks.json",
		"http://127.8.9.1:5055/_local":                        "http://127.8.9.1:5055/_local/.well-known/jwks.json",
		"http://[::1]:5055":                                   "http://[::1]:5055/.well-known/jwks.json",
		"http://host.docker.internal:5055":                    "http://host.docker.internal:5055/.well-known/jwks.json",
		"https://cognito-idp.eu-west-1.example/eu-west-1_abc": "https://cognito-idp.eu-west-1.example/eu-west-1_abc/.well-known/jwks.json",
	} {
		v, err := New(Config{Issuer: issuer, ClientID: "web"}, http.DefaultClient, time.Now)
		if err != nil {
			t.Errorf("New with issuer %s = %v", issuer, err)
			continue
		}
		if v.keys.url != jwksURL {
			t.Errorf("keys of %s are fetched from %s, want %s", issuer, v.keys.url, jwksURL)
		}
	}
}

func TestVerifyEveryAlgorithm(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK(), ecJWK(), edJWK())
	v := i.verifier(t)
	want := Claims{TenantID: "tenant-1", UserID: "user-1", ExpiresAt: start.Add(time.Hour)}
	for _, tt := range []struct {
		method  jwt.SigningMethod
		kid     string
		private any
	}{
		{jwt.SigningMethodRS256, "rsa", rsaPair()},
		{jwt.SigningMethodES256, "ec", ecPair()},
		{jwt.SigningMethodEdDSA, "ed", edPair()},
	} {
		raw := sign(tt.method, tt.private, map[string]any{"kid": tt.kid}, i.claims(nil))
		got, err := v.Verify(t.Context(), raw)
		if err != nil || got.TenantID != want.TenantID || got.UserID != want.UserID || !got.ExpiresAt.Equal(want.ExpiresAt) {
			t.Errorf("%s: Verify = %+v, %v, want %+v", tt.method.Alg(), got, err, want)
		}
	}
	if n := i.requestCount(); n != 1 {
		t.Errorf("%d requests for the keys, want 1", n)
	}
}

// TestVerifyRules changes one thing of a good token at a time.
func TestVerifyRules(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	unix := func(d time.Duration) int64 { return start.Add(d).Unix() }
	tests := []struct {
		name    string
		changes map[string]any
		header  map[string]any
		want    error
		text    string // in an ErrInvalid
	}{
		{name: "nothing changed"},
		{name: "audience in a list", changes: map[string]any{"aud": []string{"other", "api"}}},
		{name: "other audience", changes: map[string]any{"aud": "apis"}, want: ErrInvalid, text: "(aud)"},
		{name: "other audiences", changes: map[string]any{"aud": []any{"other", 7, nil}}, want: ErrInvalid, text: "(aud)"},
		{name: "empty list of audiences", changes: map[string]any{"aud": []string{}}, want: ErrInvalid, text: "(aud)"},
		{name: "audience object", changes: map[string]any{"aud": map[string]any{"api": "api"}}, want: ErrInvalid, text: "(aud)"},
		{name: "no audience, no client accepted", changes: map[string]any{"aud": nil, "client_id": ""}, want: ErrInvalid, text: "no audience"},
		{name: "issuer with a slash more", changes: map[string]any{"iss": i.server.URL + "/"}, want: ErrInvalid, text: "(iss)"},
		{name: "no issuer", changes: map[string]any{"iss": nil}, want: ErrInvalid, text: "(iss)"},
		{name: "issuer list", changes: map[string]any{"iss": []string{i.server.URL}}, want: ErrInvalid, text: "(iss)"},
		{name: "no tenant", changes: map[string]any{"tenant": nil}, want: ErrInvalid, text: "tenant claim"},
		{name: "empty tenant", changes: map[string]any{"tenant": ""}, want: ErrInvalid, text: "tenant claim"},
		{name: "tenant number", changes: map[string]any{"tenant": 7}, want: ErrInvalid, text: "tenant claim"},
		{name: "tenant of 256 bytes", changes: map[string]any{"tenant": strings.Repeat("ü", 128)}},
		{name: "tenant of 258 bytes", changes: map[string]any{"tenant": strings.Repeat("ü", 129)}, want: ErrInvalid, text: "256"},
		{name: "no user", changes: map[string]any{"sub": nil}, want: ErrInvalid, text: "user claim"},
		{name: "no exp", changes: map[string]any{"exp": nil}, want: ErrInvalid, text: "exp"},
		{name: "exp text", changes: map[string]any{"exp": "1795600000"}, want: ErrInvalid, text: "exp"},
		{name: "exp in milliseconds", changes: map[string]any{"exp": start.Add(time.Hour).UnixMilli()}, want: ErrInvalid, text: "exp"},
		{name: "exp before 1970", changes: map[string]any{"exp": -1}, want: ErrInvalid, text: "exp"},
		{name: "exp now", changes: map[string]any{"exp": unix(0)}, want: ErrExpired},
		{name: "exp half a second ahead", changes: map[string]any{"exp": float64(unix(0)) + 0.5}},
		{name: "exp half a second ago", changes: map[string]any{"exp": float64(unix(0)) - 0.5}, want: ErrExpired},
		{name: "expired for another audience", changes: map[string]any{"exp": unix(-9), "aud": "other"}, want: ErrInvalid, text: "(aud)"},
		{name: "nbf 60 s ahead", changes: map[string]any{"nbf": unix(60 * time.Second)}},
		{name: "nbf 61 s ahead", changes: map[string]any{"nbf": unix(61 * time.Second)}, want: ErrInvalid, text: "nbf"},
		{name: "nbf text", changes: map[string]any{"nbf": "now"}, want: ErrInvalid, text: "nbf"},
		{name: "no iat", changes: map[string]any{"iat": nil}},
		{name: "iat 60 s ahead", changes: map[string]any{"iat": unix(60 * time.Second)}},
		{name: "iat 61 s ahead", changes: map[string]any{"iat": unix(61 * time.Second)}, want: ErrInvalid, text: "iat"},
		{name: "type at+jwt", header: map[string]any{"typ": "application/AT+JWT"}},
		{name: "no type", header: map[string]any{"typ": nil}},
		{name: "key id number", header: map[string]any{"kid": 7}, want: ErrInvalid, text: "(kid)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := change(map[string]any{"kid": "rsa"}, nil)
			for k, v := range tt.header {
				header[k] = v
			}
			raw := sign(jwt.SigningMethodRS256, rsaPair(), header, i.claims(tt.changes))
			err := verify(v, raw)
			if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Verify = %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

func TestExpiresAtKeepsTheFraction(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	got, err := i.verifier(t).Verify(t.Context(), i.token(map[string]any{"exp": float64(start.Unix()) + 0.25}))
	if want := start.Add(250 * time.Millisecond); err != nil || !got.ExpiresAt.Equal(want) {
		t.Errorf("ExpiresAt = %v, %v, want %v", got.ExpiresAt, err, want)
	}
}

// TestClientID: a token without aud is accepted by the client that it was made for, when one is configured.
func TestClientID(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	withClient := i.verifier(t, func(c *Config) { c.Audiences, c.ClientID = nil, "web" })
	tests := []struct {
		name    string
		changes map[string]any
		want    error
	}{
		{"client_id", map[string]any{"aud": nil, "client_id": "web"}, nil},
		{"azp", map[string]any{"aud": nil, "azp": "web"}, nil},
		{"cid", map[string]any{"aud": nil, "cid": "web"}, nil},
		{"another client", map[string]any{"aud": nil, "client_id": "cli"}, ErrInvalid},
		{"client_id decides over azp", map[string]any{"aud": nil, "client_id": "cli", "azp": "web"}, ErrInvalid},
		{"client list", map[string]any{"aud": nil, "client_id": []string{"web"}}, ErrInvalid},
		{"no client", map[string]any{"aud": nil}, ErrInvalid},
		{"an audience is not replaced by the client", map[string]any{"aud": "other", "client_id": "web"}, ErrInvalid},
		{"the client is no audience", map[string]any{"aud": "web"}, ErrInvalid},
	}
	for _, tt := range tests {
		if err := verify(withClient, i.token(tt.changes)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify = %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := verify(i.verifier(t), i.token(map[string]any{"aud": nil, "client_id": "web"})); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a client id configured: Verify = %v, want ErrInvalid", err)
	}
}

// TestIssuersTokens holds tokens of the shapes that identity providers document to the settings they need.
func TestIssuersTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, published("kid-1", rsaPair().Public(), map[string]any{"alg": "RS256"}))
	auth0 := i.server.URL + "/"
	iat, exp := start.Unix(), start.Add(time.Hour).Unix()
	tests := []struct {
		name   string
		cfg    Config
		header map[string]any
		claims jwt.MapClaims
	}{
		{
			name:   "Cognito ID token",
			cfg:    Config{Issuer: i.server.URL, Audiences: []string{"1example23456789"}},
			header: map[string]any{"kid": "kid-1", "typ": nil},
			claims: jwt.MapClaims{
				"sub": "user-1", "aud": "1example23456789", "iss": i.server.URL, "token_use": "id",
				"email_verified": true, "cognito:username": "jane", "custom:tenantId": "tenant-1",
				"event_id": "e", "auth_time": iat, "iat": iat, "exp": exp, "email": "jane@example.com",
			},
		},
		{
			name:   "Cognito access token",
			cfg:    Config{Issuer: i.server.URL, ClientID: "1example23456789"},
			header: map[string]any{"kid": "kid-1", "typ": nil},
			claims: jwt.MapClaims{
				"sub": "user-1", "iss": i.server.URL, "client_id": "1example23456789", "token_use": "access",
				"cognito:groups": []string{"staff"}, "scope": "openid", "version": 2, "jti": "j",
				"username": "jane", "custom:tenantId": "tenant-1", "auth_time": iat, "iat": iat, "exp": exp,
			},
		},
		{
			name:   "Auth0 access token",
			cfg:    Config{Issuer: auth0, Audiences: []string{"https://api.example.com"}, TenantClaim: "https://example.com/tenant_id"},
			header: map[string]any{"kid": "kid-1", "typ": "at+jwt"},
			claims: jwt.MapClaims{
				"iss": auth0, "sub": "user-1", "aud": []string{"https://api.example.com", auth0 + "userinfo"},
				"azp": "client", "scope": "openid", "https://example.com/tenant_id": "tenant-1", "iat": iat, "exp": exp,
			},
		},
		{
			name: "Okta access token",
			cfg: Config{
				Issuer: i.server.URL + "/oauth2/default", Audiences: []string{"api://default"},
				JWKSURL: i.server.URL + "/.well-known/jwks.json", TenantClaim: "tenantId", UserClaim: "uid",
			},
			header: map[string]any{"kid": "kid-1", "typ": nil},
			claims: jwt.MapClaims{
				"ver": 1, "jti": "AT.1", "iss": i.server.URL + "/oauth2/default", "aud": "api://default",
				"iat": iat, "exp": exp, "cid": "client", "uid": "user-1", "scp": []string{"openid"},
				"sub": "jane@example.com", "tenantId": "tenant-1",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := New(tt.cfg, i.server.Client(), i.clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Verify(t.Context(), sign(jwt.SigningMethodRS256, rsaPair(), tt.header, tt.claims))
			if err != nil || got.TenantID != "tenant-1" || got.UserID != "user-1" {
				t.Errorf("Verify = %+v, %v, want tenant-1 and user-1", got, err)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	i := newIssuer(b, rsaJWK(), ecJWK(), edJWK())
	v := i.verifier(b)
	for _, bb := range []struct {
		method  jwt.SigningMethod
		kid     string
		private any
	}{
		{jwt.SigningMethodRS256, "rsa", rsaPair()},
		{jwt.SigningMethodES256, "ec", ecPair()},
		{jwt.SigningMethodEdDSA, "ed", edPair()},
	} {
		raw := sign(bb.method, bb.private, map[string]any{"kid": bb.kid}, i.claims(nil))
		b.Run(bb.method.Alg(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := verify(v, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
