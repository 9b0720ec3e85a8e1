package token

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxTokenBytes = 8 << 10          // protocol.md §7
	maxClaimBytes = 256              // of tenant and user: they become parts of DynamoDB keys
	leeway        = 60 * time.Second // on nbf and iat, between the issuer's clock and ours
	maxDate       = 253402300799     // Unix seconds of 9999-12-31T23:59:59Z, the last RFC 3339 time; beyond it are milliseconds
)

// Verify returns what raw says if every rule holds.
//
// The issuer is compared before a key is looked for, so a foreign token costs no request; exp comes last, so ErrExpired
// means that all else held.
//
// Errors: ErrExpired and ErrInvalid (errors.Is), *UnavailableError (errors.As).
func (v *Verifier) Verify(ctx context.Context, raw string) (Claims, error) {
	if len(raw) > maxTokenBytes {
		return Claims{}, invalid("it is longer than 8192 bytes")
	}
	if strings.ContainsFunc(raw, notCompact) {
		return Claims{}, invalid("it is not a JSON Web Token in compact form")
	}
	claims := jwt.MapClaims{}
	var key crypto.PublicKey
	var refused error
	_, err := v.parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		key, refused = v.key(ctx, t.Header, claims)
		return key, refused
	})
	// golang-jwt's own texts can quote the token.
	switch {
	case refused != nil:
		return Claims{}, refused
	case err != nil && key != nil:
		return Claims{}, invalid("its signature does not match")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return Claims{}, invalid("it is not a JSON Web Token in compact form")
	case err != nil:
		return Claims{}, invalid("its algorithm (alg) is not RS256, ES256 or EdDSA")
	}
	return v.judge(claims)
}

// key finds the key that the token with this header must be signed with. The parser has checked that alg is one of ours.
func (v *Verifier) key(ctx context.Context, header map[string]any, claims jwt.MapClaims) (crypto.PublicKey, error) {
	if _, critical := header["crit"]; critical {
		return nil, invalid("its header has critical extensions (crit)") // RFC 7515 §4.1.11: we understand none
	}
	if typ, given := header["typ"]; given && !isTokenType(typ) {
		return nil, invalid("its type (typ) is neither JWT nor at+jwt")
	}
	kid, isString := header["kid"].(string)
	if _, given := header["kid"]; given && !isString {
		return nil, invalid("its key id (kid) is not a string")
	}
	if claims["iss"] != v.cfg.Issuer {
		return nil, invalid("its issuer (iss) is not the one accepted here")
	}
	alg, _ := header["alg"].(string)
	return v.keys.find(ctx, kid, alg)
}

// isTokenType tells a token made to be shown to an API (RFC 7519 §5.1, RFC 9068 §2.1) from others that the same issuer
// signs, such as logout+jwt and secevent+jwt. Media types ignore case and may leave out "application/".
func isTokenType(typ any) bool {
	name, _ := typ.(string)
	name = strings.TrimPrefix(strings.ToLower(name), "application/")
	return name == "jwt" || name == "at+jwt"
}

// judge holds the claims of a token with a good signature to the rules.
func (v *Verifier) judge(claims jwt.MapClaims) (Claims, error) {
	if err := v.checkAudience(claims); err != nil {
		return Claims{}, err
	}
	tenant, err := claim(claims, v.cfg.TenantClaim, "tenant")
	if err != nil {
		return Claims{}, err
	}
	user, err := claim(claims, v.cfg.UserClaim, "user")
	if err != nil {
		return Claims{}, err
	}
	now := v.now()
	for _, name := range []string{"nbf", "iat"} {
		if value, given := claims[name]; given {
			from, ok := numericDate(value)
			if !ok {
				return Claims{}, invalid(fmt.Sprintf("%s is not a time in seconds", name))
			}
			if now.Add(leeway).Before(from) {
				return Claims{}, invalid(fmt.Sprintf("%s lies in the future", name))
			}
		}
	}
	expires, ok := numericDate(claims["exp"])
	if !ok {
		return Claims{}, invalid("exp is missing or not a time in seconds")
	}
	if !now.Before(expires) {
		return Claims{}, ErrExpired
	}
	return Claims{TenantID: tenant, UserID: user, ExpiresAt: expires}, nil
}

// checkAudience accepts an aud that names one of ours. Without aud the client that the token was made for must be ours:
// the first of client_id (RFC 9068, Cognito), azp (OpenID Connect) and cid (Okta) that is there decides.
func (v *Verifier) checkAudience(claims jwt.MapClaims) error {
	aud, given := claims["aud"]
	if given {
		names, isList := aud.([]any)
		if !isList {
			names = []any{aud}
		}
		for _, name := range names {
			if s, ok := name.(string); ok && slices.Contains(v.cfg.Audiences, s) {
				return nil
			}
		}
		return invalid("its audience (aud) is not one accepted here")
	}
	for _, name := range []string{"client_id", "azp", "cid"} {
		if client, given := claims[name]; given {
			if v.cfg.ClientID != "" && client == v.cfg.ClientID {
				return nil
			}
			break
		}
	}
	return invalid("it has no audience (aud) and was not made for a client accepted here")
}

// claim returns the string of that exact name; what names its purpose in the error.
func claim(claims jwt.MapClaims, name, what string) (string, error) {
	value, _ := claims[name].(string)
	if value == "" {
		return "", invalid(fmt.Sprintf("its %s claim is missing, empty or not a string", what))
	}
	if len(value) > maxClaimBytes {
		return "", invalid(fmt.Sprintf("its %s claim is longer than 256 bytes", what))
	}
	return value, nil
}

// numericDate reads seconds since 1970, which may have a fraction (RFC 7519 §2).
func numericDate(value any) (time.Time, bool) {
	seconds, ok := value.(float64)
	if !ok || seconds < 0 || seconds > maxDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// notCompact: base64url and dots only. The decoder would skip line breaks, so that one token had many spellings.
func notCompact(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		return false
	}
	return true
}

func invalid(rule string) error { return fmt.Errorf("%w: %s", ErrInvalid, rule) }
