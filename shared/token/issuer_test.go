package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// start is the time at which every test clock begins.
var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// Keys of the tests' issuer, made once: RSA keys are slow to make.
var (
	rsaPair  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecPair   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edPair   = sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A clock is set by its test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// An issuer publishes keys over TLS and counts the requests for them.
type issuer struct {
	server *httptest.Server
	clock  *clock

	mu       sync.Mutex
	keys     []map[string]any
	answer   http.HandlerFunc // nil: the keys
	requests int
}

func newIssuer(t testing.TB, keys ...map[string]any) *issuer {
	t.Helper()
	i := &issuer{clock: newClock(), keys: keys}
	i.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.requests++
		answer, body := i.answer, jwks(i.keys...)
		i.mu.Unlock()
		switch {
		case answer != nil:
			answer(w, r)
		case r.URL.Path != "/.well-known/jwks.json":
			http.NotFound(w, r)
		default:
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) publish(keys ...map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys, i.answer = keys, nil
}

func (i *issuer) answerWith(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = h
}

func (i *issuer) requestCount() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

// verifier accepts this issuer's tokens for the audience "api", after edit changed the settings.
func (i *issuer) verifier(t testing.TB, edit ...func(*Config)) *Verifier {
	t.Helper()
	cfg := Config{Issuer: i.server.URL, Audiences: []string{"api"}, TenantClaim: "tenant"}
	for _, e := range edit {
		e(&cfg)
	}
	v, err := New(cfg, i.server.Client(), i.clock.Now)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return v
}

// claims are those of a token that is good for an hour, with changes on top; a nil value removes a claim.
func (i *issuer) claims(changes map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": i.server.URL, "aud": "api", "sub": "user-1", "tenant": "tenant-1",
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}
	return change(c, changes)
}

func change[M ~map[string]any](m M, changes map[string]any) M {
	maps.Copy(m, changes)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

// token is signed with the RSA pair under the key id "rsa".
func (i *issuer) token(changes map[string]any) string {
	return sign(jwt.SigningMethodRS256, rsaPair(), map[string]any{"kid": "rsa"}, i.claims(changes))
}

func sign(method jwt.SigningMethod, private any, header map[string]any, claims jwt.Claims) string {
	t := jwt.NewWithClaims(method, claims)
	change(t.Header, header)
	return must(t.SignedString(private))
}

func jwks(keys ...map[string]any) []byte {
	return must(json.Marshal(map[string]any{"keys": keys}))
}

// published is the JWK of a public key, with changes on top.
func published(kid string, public crypto.PublicKey, changes ...map[string]any) map[string]any {
	j := map[string]any{"kid": kid, "use": "sig"}
	switch k := public.(type) {
	case *rsa.PublicKey:
		j["kty"], j["n"], j["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(k.Bytes())[1:]
		j["kty"], j["crv"] = "EC", k.Params().Name
		j["x"], j["y"] = b64(point[:len(point)/2]), b64(point[len(point)/2:])
	case ed25519.PublicKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", b64(k)
	}
	for _, c := range changes {
		change(j, c)
	}
	return j
}

func rsaJWK() map[string]any { return published("rsa", rsaPair().Public()) }
func ecJWK() map[string]any  { return published("ec", ecPair().Public()) }
func edJWK() map[string]any  { return published("ed", edPair().Public()) }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// roundTrip answers requests in the test's own goroutines, for tests on synctest's clock.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func verify(v *Verifier, raw string) error {
	_, err := v.Verify(context.Background(), raw)
	return err
}
