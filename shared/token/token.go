// Package token verifies the JSON Web Tokens that clients authenticate with. It is a trust boundary: the tenant and the
// user of a connection come from here and from nowhere else.
//
// Guarantees:
//   - Accepted is only a token signed with RS256, ES256 or EdDSA by a key that the issuer publishes for that algorithm.
//     Keys, algorithms and addresses named by the token itself are never used.
//   - No leeway on exp: at that moment the token is expired. 60 s on nbf and iat.
//   - Claims are found by their exact name; nothing is read from a nested object.
//   - Errors that are [ErrInvalid] or [ErrExpired] name the rule that failed and hold nothing of the token, so their text
//     may go to the client.
//   - The issuer's keys are fetched when first needed, never in a goroutine of its own: a frozen Lambda misses no refresh.
//     At most one request is under way at a time, and callers share it.
//
// The caller maps *[UnavailableError] to a retry, never to a refusal: a client that is refused throws away a token that
// may be good.
package token

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Names of the claims used where the configuration names none: Cognito's custom attribute and the subject (RFC 7519 §4.1.2).
const (
	DefaultTenantClaim = "custom:tenantId"
	DefaultUserClaim   = "sub"
)

// A token that is not accepted is one of these two.
var (
	// ErrExpired: exp has come. Every other rule held, so a fresh token of the same issuer will do.
	ErrExpired = errors.New("token expired")
	// ErrInvalid: another rule failed; the text says which.
	ErrInvalid = errors.New("token invalid")
)

// An UnavailableError says that the keys needed to judge the token could not be had: the token may be good.
// Its text is for the log.
type UnavailableError struct {
	RetryAfter time.Duration // until it is worth trying again, at least 1 s
	Err        error         // what went wrong with the last request, or the end of the caller's context
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("keys of the token's issuer: %v (again in %v)", e.Err, e.RetryAfter)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// Config says whose tokens are accepted.
type Config struct {
	Issuer    string   // iss, compared byte for byte: a trailing slash counts
	Audiences []string // aud names one of these
	// ClientID accepts a token that has no aud, by its client_id (else azp, else cid): Cognito's access tokens.
	// Empty: a token without aud is refused.
	ClientID    string
	JWKSURL     string // empty: Issuer + "/.well-known/jwks.json"
	TenantClaim string // empty: DefaultTenantClaim
	UserClaim   string // empty: DefaultUserClaim
}

// Claims are what a verified token says. TenantID and UserID have 1 to 256 bytes.
type Claims struct {
	TenantID  string
	UserID    string
	ExpiresAt time.Time
}

// A Verifier verifies tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	cfg    Config
	now    func() time.Time
	parser *jwt.Parser
	keys   *keyStore
}

// New returns a verifier that fetches keys with client and asks now for the time. It makes no request.
//
// Errors: a setting that would accept too much or nothing, named with its value. Issuer and JWKS URL must be https, or
// http on a loopback address or host.docker.internal (a container's name for its host).
func New(cfg Config, client *http.Client, now func() time.Time) (*Verifier, error) {
	issuer, err := parseURL(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("token issuer %q: %w", cfg.Issuer, err)
	}
	if issuer.RawQuery != "" {
		return nil, fmt.Errorf("token issuer %q: has a query; an issuer is a plain URL", cfg.Issuer)
	}
	if cfg.JWKSURL == "" {
		cfg.JWKSURL = strings.TrimSuffix(cfg.Issuer, "/") + "/.well-known/jwks.json"
	}
	if _, err := parseURL(cfg.JWKSURL); err != nil {
		return nil, fmt.Errorf("JWKS URL %q: %w", cfg.JWKSURL, err)
	}
	if len(cfg.Audiences) == 0 && cfg.ClientID == "" {
		return nil, errors.New("token audience: name at least one audience or a client id, or every token of the issuer would be accepted")
	}
	if slices.Contains(cfg.Audiences, "") {
		return nil, errors.New("token audience: one of the audiences is empty; remove it")
	}
	cfg.Audiences = slices.Clone(cfg.Audiences)
	if cfg.TenantClaim == "" {
		cfg.TenantClaim = DefaultTenantClaim
	}
	if cfg.UserClaim == "" {
		cfg.UserClaim = DefaultUserClaim
	}
	return &Verifier{
		cfg: cfg,
		now: now,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{algRS256, algES256, algEdDSA}),
			jwt.WithStrictDecoding(),
			// golang-jwt has one leeway for exp, nbf and iat, and its exp is optional: Verify holds the rules itself.
			jwt.WithoutClaimsValidation(),
		),
		keys: newKeyStore(cfg.JWKSURL, client, now),
	}, nil
}

// parseURL parses the address of an issuer or of its keys and refuses one that could be read or answered by a third party.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("is not a URL such as https://issuer.example")
	}
	if u.User != nil || u.Fragment != "" {
		return nil, errors.New("has a user name or a fragment; remove it")
	}
	return u, checkTransport(u)
}

// checkTransport lets https pass, and http where it does not leave the machine.
func checkTransport(u *url.URL) error {
	host := u.Hostname()
	ip := net.ParseIP(host)
	onMachine := host == "localhost" || host == "host.docker.internal" || ip != nil && ip.IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && onMachine {
		return nil
	}
	return errors.New("must be https (http only on a loopback address or host.docker.internal)")
}
