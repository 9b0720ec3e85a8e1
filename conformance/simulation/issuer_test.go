package simulation_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/token"
)

// An issuer makes and verifies tokens: tenant, user and end in plain text, which stands for a good signature. Signatures are the business
// of shared/token's own tests.
type issuer struct{ w *world }

const tokenSeparator = "\x1f"

func makeToken(tenantID, userID string, expires time.Time) string {
	return strings.Join([]string{tenantID, userID, strconv.FormatInt(expires.Unix(), 10)}, tokenSeparator)
}

// tokenOf is the token that makes a connection this member.
func tokenOf(m connection.Member) string { return makeToken(m.TenantID, m.UserID, m.ValidUntil) }

// Verify implements what auth needs.
func (i issuer) Verify(ctx context.Context, raw string) (token.Claims, error) {
	w, inv := i.w, invocationOf(ctx)
	key := inv.call(ctx, "verify")
	if err := w.await(ctx, key, 0); err != nil {
		return token.Claims{}, err
	}
	if w.strikes(keysUnavailable, key) {
		return token.Claims{}, &token.UnavailableError{RetryAfter: time.Second, Err: errFailed}
	}
	parts := strings.Split(raw, tokenSeparator)
	if len(parts) != 3 {
		return token.Claims{}, fmt.Errorf("%w: its signature does not match", token.ErrInvalid)
	}
	seconds, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return token.Claims{}, fmt.Errorf("%w: exp is missing or not a time in seconds", token.ErrInvalid)
	}
	expires := time.Unix(seconds, 0)
	if !time.Now().Before(expires) {
		return token.Claims{}, token.ErrExpired
	}
	return token.Claims{TenantID: parts[0], UserID: parts[1], ExpiresAt: expires}, nil
}
