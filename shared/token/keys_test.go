package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

// wantUnavailable checks that err is an UnavailableError with that hint.
func wantUnavailable(t *testing.T, err error, retryAfter time.Duration) {
	t.Helper()
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || unavailable.RetryAfter != retryAfter {
		t.Errorf("Verify = %v, want UnavailableError with RetryAfter %v", err, retryAfter)
	}
	if errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) {
		t.Errorf("%v counts as a refusal of the token", err)
	}
}

func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), text) {
		t.Errorf("Verify = %v, want ErrInvalid with %q", err, text)
	}
}

// signedBy is a good token of i under another key id and pair.
func (i *issuer) signedBy(kid string, private any) string {
	return sign(jwt.SigningMethodRS256, private, map[string]any{"kid": kid}, i.claims(map[string]any{"exp": start.Add(24 * time.Hour).Unix()}))
}

func TestKeysAreKeptAnHour(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v, raw := i.verifier(t), i.signedBy("rsa", rsaPair())
	for _, step := range []struct {
		wait     time.Duration
		requests int
	}{{0, 1}, {time.Hour - time.Nanosecond, 1}, {time.Nanosecond, 2}, {time.Hour, 3}} {
		i.clock.advance(step.wait)
		if err := verify(v, raw); err != nil {
			t.Fatal(err)
		}
		if n := i.requestCount(); n != step.requests {
			t.Errorf("%v in: %d requests, want %d", i.clock.Now().Sub(start), n, step.requests)
		}
	}
}

func TestWithdrawnKeyEndsWithinTheHour(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v, raw := i.verifier(t), i.signedBy("rsa", rsaPair())
	if err := verify(v, raw); err != nil {
		t.Fatal(err)
	}
	i.publish(ecJWK())
	i.clock.advance(time.Hour)
	wantInvalid(t, verify(v, raw), "does not publish")
}

func TestClockSetBackFetchesAgain(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	for _, set := range []time.Duration{0, -3 * time.Hour} {
		i.clock.advance(set)
		if err := verify(v, i.token(map[string]any{"iat": nil})); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.requestCount(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestRotationIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	if err := verify(v, i.signedBy("rsa", rsaPair())); err != nil {
		t.Fatal(err)
	}
	i.publish(rsaJWK(), published("next", otherRSA().Public()))
	i.clock.advance(refetchEvery)
	for _, raw := range []string{i.signedBy("next", otherRSA()), i.signedBy("rsa", rsaPair())} {
		if err := verify(v, raw); err != nil {
			t.Error(err)
		}
	}
	if n := i.requestCount(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestUnknownKeyIDAfterRecentFetchIsInvalid(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v := i.verifier(t)
	wantInvalid(t, verify(v, i.signedBy("next", otherRSA())), "does not publish")
	i.publish(rsaJWK(), published("next", otherRSA().Public()))
	i.clock.advance(refetchEvery - time.Nanosecond)
	wantInvalid(t, verify(v, i.signedBy("next", otherRSA())), "does not publish")
	if n := i.requestCount(); n != 1 {
		t.Errorf("%d requests within 30 s, want 1", n)
	}
	i.clock.advance(time.Nanosecond)
	if err := verify(v, i.signedBy("next", otherRSA())); err != nil {
		t.Error(err)
	}
}

func TestKnownKeysServeSixHoursWhileDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK())
	v, raw := i.verifier(t), i.signedBy("rsa", rsaPair())
	if err := verify(v, raw); err != nil {
		t.Fatal(err)
	}
	i.answerWith(down)
	i.clock.advance(6*time.Hour - time.Second)
	if err := verify(v, raw); err != nil {
		t.Errorf("known key, 6 h less a second old: %v", err)
	}
	before := i.requestCount()
	if err := verify(v, raw); err != nil || i.requestCount() != before {
		t.Errorf("the next token = %v with %d requests more, want none", err, i.requestCount()-before)
	}
	wantUnavailable(t, verify(v, i.signedBy("next", otherRSA())), refetchEvery)
	i.clock.advance(10 * time.Second)
	wantUnavailable(t, verify(v, raw), retryEvery) // past 6 h, nothing is held any more
	i.clock.advance(retryEvery)
	i.publish(rsaJWK())
	if err := verify(v, raw); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestDownFromTheStart(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.answerWith(down)
	v, raw := i.verifier(t), i.signedBy("rsa", rsaPair())
	wantUnavailable(t, verify(v, raw), retryEvery)
	i.clock.advance(retryEvery - time.Millisecond)
	wantUnavailable(t, verify(v, raw), minRetry)
	if n := i.requestCount(); n != 1 {
		t.Errorf("%d requests within 2 s, want 1", n)
	}
	i.publish(rsaJWK())
	i.clock.advance(time.Millisecond)
	if err := verify(v, raw); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestBrokenKeySetsAreAFailureOfTheIssuer(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(jwks(rsaJWK()))
		},
		"empty":   func(http.ResponseWriter, *http.Request) {},
		"a page":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>maintenance</html>") },
		"no keys": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"keys":[]}`) },
		"a list": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.TrimPrefix(jwks(rsaJWK()), []byte(`{"keys":`)))
		},
		"cut short": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jwks(rsaJWK())[:100]) },
		"dies under way": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(jwks(rsaJWK())[:50])
			panic(http.ErrAbortHandler)
		},
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.answerWith(answer)
			wantUnavailable(t, verify(i.verifier(t), i.signedBy("rsa", rsaPair())), retryEvery)
		})
	}
}

func TestTokenWithoutKeyID(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, rsaJWK(), ecJWK())
	raw := sign(jwt.SigningMethodRS256, rsaPair(), nil, i.claims(nil))
	if err := verify(i.verifier(t), raw); err != nil {
		t.Errorf("one RSA key: %v", err)
	}
	i.publish(published("", rsaPair().Public()), ecJWK())
	if err := verify(i.verifier(t), raw); err != nil {
		t.Errorf("one RSA key without key id: %v", err)
	}
	i.publish(rsaJWK(), published("next", otherRSA().Public()))
	wantInvalid(t, verify(i.verifier(t), raw), "several")
	i.publish(ecJWK())
	wantInvalid(t, verify(i.verifier(t), raw), "does not publish")
}

// slowIssuer is a verifier on synctest's clock whose issuer answers only through reply; asked is sent each request.
func slowIssuer(t *testing.T, asked chan<- *http.Request, reply <-chan []byte) *Verifier {
	t.Helper()
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked <- r
		select {
		case body := <-reply:
			return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	})}
	v, err := New(Config{Issuer: "https://issuer.example", Audiences: []string{"api"}, TenantClaim: "tenant"}, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// exampleToken is good for slowIssuer's verifier, at synctest's time.
func exampleToken() string {
	return sign(jwt.SigningMethodEdDSA, edPair(), map[string]any{"kid": "ed"}, jwt.MapClaims{
		"iss": "https://issuer.example", "aud": "api", "sub": "u", "tenant": "t", "exp": time.Now().Add(time.Hour).Unix(),
	})
}

func TestSlowIssuerIsGivenThreeSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := slowIssuer(t, make(chan *http.Request, 1), nil)
		begin := time.Now()
		wantUnavailable(t, verify(v, exampleToken()), retryEvery)
		if took := time.Since(begin); took != fetchTimeout {
			t.Errorf("answer after %v, want %v", took, fetchTimeout)
		}
	})
}

func TestConcurrentVerifiersShareOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, reply := make(chan *http.Request, 99), make(chan []byte)
		v := slowIssuer(t, asked, reply)
		results := make(chan error, 20)
		for range cap(results) {
			go func() { results <- verify(v, exampleToken()) }()
		}
		synctest.Wait()
		if n := len(asked); n != 1 {
			t.Errorf("%d requests under way, want 1", n)
		}
		reply <- jwks(edJWK())
		for range cap(results) {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if n := len(asked); n != 1 {
			t.Errorf("%d requests in all, want 1", n)
		}
	})
}

// TestCallerWhoLeaves: the end of one caller's context fails neither the others nor the next attempt.
func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, reply := make(chan *http.Request, 99), make(chan []byte)
		v := slowIssuer(t, asked, reply)
		call := func(ctx context.Context) <-chan error {
			result := make(chan error, 1)
			go func() {
				_, err := v.Verify(ctx, exampleToken())
				result <- err
			}()
			synctest.Wait()
			return result
		}
		first, leave := context.WithCancel(t.Context())
		leader := call(first)
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		waiter, follower := call(impatient), call(t.Context())
		wantUnavailable(t, <-waiter, minRetry)
		leave()
		wantUnavailable(t, <-leader, minRetry)
		synctest.Wait()
		if n := len(asked); n != 2 {
			t.Fatalf("%d requests, want the leader's and the follower's", n)
		}
		reply <- jwks(edJWK())
		if err := <-follower; err != nil {
			t.Errorf("follower: %v", err)
		}
	})
}

func TestParseJWK(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		jwk  map[string]any
		want string // algorithm, "" if the key must not be used
	}{
		{"RSA", rsaJWK(), algRS256},
		{"P-256", ecJWK(), algES256},
		{"Ed25519", edJWK(), algEdDSA},
		{"no use, no alg", published("k", rsaPair().Public(), map[string]any{"use": nil}), algRS256},
		{"key_ops with verify", published("k", rsaPair().Public(), map[string]any{"key_ops": []string{"verify"}}), algRS256},
		{"alg RS256", published("k", rsaPair().Public(), map[string]any{"alg": "RS256"}), algRS256},
		{"coordinate too short", published("k", ecPair().Public(), map[string]any{"x": "AA"}), ""},
		{"not base64url", published("k", edPair().Public(), map[string]any{"x": "+/=="}), ""},
		{"number for a string", published("k", edPair().Public(), map[string]any{"x": 1}), ""},
		{"symmetric", map[string]any{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}, ""},
		{"no type", map[string]any{"kid": "k"}, ""},
	}
	for _, tt := range tests {
		k, ok := parseJWK(must(json.Marshal(tt.jwk)))
		if ok != (tt.want != "") || ok && k.alg != tt.want {
			t.Errorf("%s: parseJWK = %q, %v, want %q", tt.name, k.alg, ok, tt.want)
		}
	}
}

func TestOneBrokenKeyLeavesTheOthers(t *testing.T) {
	t.Parallel()
	keys, err := parseJWKS(fmt.Appendf(nil, `{"keys":[7,null,{"kty":"RSA","n":5},%s]}`, must(json.Marshal(edJWK()))))
	if err != nil || len(keys) != 1 || keys[0].kid != "ed" {
		t.Errorf("parseJWKS = %v, %v, want the one good key", keys, err)
	}
}
