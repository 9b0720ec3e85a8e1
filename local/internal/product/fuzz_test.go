package product

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/purposepath/realtime/local/internal/clock"
)

// FuzzServeToken: whatever a page asks for, it gets a token of exactly the tenant and user it names, or a word about what is wrong.
func FuzzServeToken(f *testing.F) {
	issuer, err := NewIssuer(map[string]string{
		"JwtIssuer": "http://localhost:5055/_local/issuer", "JwtAudience": "realtime", "JwtTenantClaim": "tenant", "JwtUserClaim": "sub",
	}, clock.New(1))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"tenant=acme&user=ana&expires=60s", "tenant=a%23b&user=%00", "tenant=a&tenant=b&user=c", "user=ana", "tenant=a&user=b&expires=-1s", "%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/_local/token", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		issuer.ServeToken(w, r)
		if w.Code != http.StatusOK {
			if w.Code != http.StatusBadRequest {
				t.Errorf("answered %d: %s", w.Code, w.Body)
			}
			return
		}
		var got Token
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(got.Token, claims); err != nil {
			t.Fatal(err)
		}
		asked := r.URL.Query()
		said := func(id string) string { return strings.ToValidUTF8(id, "\ufffd") } // as JSON has it
		if !sameText(claims["tenant"], said(asked.Get("tenant"))) || !sameText(claims["sub"], said(asked.Get("user"))) || !got.ExpiresAt.After(time.Now().Add(-time.Second)) {
			t.Errorf("asked %q, got claims %v until %v", query, claims, got.ExpiresAt)
		}
	})
}

// sameText compares what JSON made of a text: each byte that is not UTF-8 becomes a sign of its own there.
func sameText(claim any, want string) bool {
	got, _ := claim.(string)
	fold := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\ufffd' }), "\ufffd")
	}
	return fold(got) == fold(want)
}

// FuzzPrint: whatever a server sends, the terminal gets one line without control characters.
func FuzzPrint(f *testing.F) {
	f.Add([]byte(`{"type":"goal.created","timestamp":"2026-11-25T10:00:00.000Z","sequence":5,"data":{"goalId":"g"}}`))
	f.Add([]byte(`{"type":"x\u001b[2J\n","timestamp":"\u0007","data":null}`))
	f.Add([]byte(`{"message":"Forbidden","connectionId":"c","requestId":"r"}`))
	f.Add([]byte("\x1b]0;title\x07"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var out bytes.Buffer
		if err := (&Listener{Out: &out}).print(frame); err != nil {
			t.Fatal(err)
		}
		line, ended := strings.CutSuffix(out.String(), "\n")
		if !ended || strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("printed %q", out.String())
		}
	})
}
