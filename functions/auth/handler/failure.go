package handler

import (
	"errors"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/token"
)

var (
	errUpgrade = errors.New("protocol number is not spoken")
	errNoToken = errors.New("no token")
)

// failureOf is what the client is told. Only texts made for it get there.
func failureOf(err error) *event.Failure {
	var unavailable *token.UnavailableError
	var unposted replay.ErrNotPosted
	switch {
	case errors.Is(err, errUpgrade):
		return &event.Failure{Code: event.CodeForbidden, Reason: event.ReasonUpgrade, Error: "this server speaks protocol 1 only: the client must be upgraded"}
	case errors.Is(err, errNoToken):
		return socket.Invalid("token must be a JWT")
	case errors.Is(err, token.ErrExpired), errors.As(err, &unposted) && unposted.Outcome == push.Expired:
		return &event.Failure{Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Error: "the token has run out"}
	case errors.Is(err, token.ErrInvalid):
		return &event.Failure{Code: event.CodeUnauthorized, Error: err.Error()}
	case errors.As(err, &unavailable):
		// Not UNAUTHORIZED: a working client would throw its token away.
		return &event.Failure{Code: event.CodeInternalError, Error: "the issuer's keys can't be had now", RetryAfterMs: unavailable.RetryAfter.Milliseconds()}
	case errors.Is(err, connection.ErrOtherIdentity):
		return &event.Failure{Code: event.CodeForbidden, Error: "this connection belongs to another tenant or user: open a new one"}
	case errors.Is(err, connection.ErrNotFound):
		return socket.NoRecord()
	case errors.As(err, &unposted) && unposted.Outcome == push.ThrottledOut:
		return &event.Failure{Code: event.CodeRateLimit, Error: "what was missed could not be sent now", RetryAfterMs: 1000}
	default:
		return socket.Internal()
	}
}
