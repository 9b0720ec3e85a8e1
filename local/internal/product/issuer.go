// Package product is what of the local stack is this product's and not AWS's: the issuer of its tokens, and the commands that act as
// a domain service or as a client. It learns the product from data, the template's parameters and the samples in events/, so that
// the stack runs any other application without it.
package product

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/purposepath/realtime/local/internal/clock"
)

// DefaultLife is how long a token is valid where nobody says otherwise: that of Cognito's.
const DefaultLife = time.Hour

// An Issuer signs tokens for development, and publishes its key as every issuer does. To the functions it is an issuer like any
// other: there is no way around a valid signature.
type Issuer struct {
	issuer, audience       string
	tenantClaim, userClaim string
	clock                  *clock.Clock
	key                    *ecdsa.PrivateKey
	kid                    string
}

// ErrNoIssuer: the template has no parameters JwtIssuer and JwtAudience, so it is not this product's.
var ErrNoIssuer = errors.New("the template has no JwtIssuer and JwtAudience")

// NewIssuer returns the issuer that the template's parameters name, with a key of its own for this run.
func NewIssuer(parameters map[string]string, c *clock.Clock) (*Issuer, error) {
	audience, _, _ := strings.Cut(parameters["JwtAudience"], ",")
	i := &Issuer{
		issuer: parameters["JwtIssuer"], audience: strings.TrimSpace(audience), clock: c,
		tenantClaim: parameters["JwtTenantClaim"], userClaim: parameters["JwtUserClaim"],
	}
	if i.issuer == "" || i.audience == "" || i.tenantClaim == "" || i.userClaim == "" {
		return nil, ErrNoIssuer
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the issuer's key: %w", err)
	}
	i.key, i.kid = key, rand.Text()
	return i, nil
}

// Token returns a token of the user and when it ends. Its life passes on the stack's clock, but its times are real ones: the
// functions keep real time.
func (i *Issuer) Token(tenantID, userID string, life time.Duration) (string, time.Time, error) {
	now := time.Now()
	expires := now.Add(i.clock.Real(life)).Truncate(time.Second)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": i.issuer, "aud": i.audience, "iat": now.Unix(), "exp": expires.Unix(), "jti": rand.Text(),
		i.tenantClaim: tenantID, i.userClaim: userID,
	})
	token.Header["kid"] = i.kid
	signed, err := token.SignedString(i.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign token: %w", err)
	}
	return signed, expires, nil
}

// KeyPath is where the issuer's keys are, behind its own URL.
const KeyPath = "/.well-known/jwks.json"

// ServeKeys is the JSON Web Key Set.
func (i *Issuer) ServeKeys(w http.ResponseWriter, _ *http.Request) {
	point, err := i.key.PublicKey.Bytes() // 4, then x and y of 32 bytes each
	if err != nil {
		http.Error(w, "the key can't be shown", http.StatusInternalServerError)
		return
	}
	encode := base64.RawURLEncoding.EncodeToString
	writeJSON(w, map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": i.kid, "x": encode(point[1:33]), "y": encode(point[33:]),
	}}})
}

// A Token is the answer of the token page.
type Token struct {
	Token     string    `json:"token"`
	TenantID  string    `json:"tenantId"`
	UserID    string    `json:"userId"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// maxID bounds the ids of the token page, in bytes: what the functions accept of a token.
const maxID = 256

// ServeToken answers GET ?tenant=&user=&expires= with a Token: for front-ends in development.
func (i *Issuer) ServeToken(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	t := Token{TenantID: query.Get("tenant"), UserID: query.Get("user")}
	life := DefaultLife
	if text := query.Get("expires"); text != "" {
		var err error
		if life, err = time.ParseDuration(text); err != nil || life <= 0 {
			http.Error(w, fmt.Sprintf("expires is %q: give a duration such as 15m or 90s", text), http.StatusBadRequest)
			return
		}
	}
	for name, id := range map[string]string{"tenant": t.TenantID, "user": t.UserID} {
		if id == "" || len(id) > maxID {
			http.Error(w, fmt.Sprintf("%s must have 1 to %d bytes: /_local/token?tenant=demo&user=ana", name, maxID), http.StatusBadRequest)
			return
		}
	}
	var err error
	if t.Token, t.ExpiresAt, err = i.Token(t.TenantID, t.UserID, life); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, t)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value) // the reader may have gone
}
