// Package handler decides ping: it keeps a connection alive, tells the tenant's head, and replays what lies between the client's
// position and the head.
//
// A ping writes nothing: it is the most frequent message there is.
package handler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
)

// A Handler answers ping.
type Handler struct {
	Connections interface {
		Get(ctx context.Context, id string) (connection.Connection, error)
	}
	Heads interface {
		Head(ctx context.Context, tenantID string) (int64, error)
	}
	Replayer *replay.Replayer
	Socket   socket.Gateway
	Now      func() time.Time
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
}

// Handle answers pong, or connection_error.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	began := h.Now()
	id := req.RequestContext.ConnectionID
	message, failure := socket.Read[event.PingMessage](req.Body)
	if failure != nil {
		failure.Ref = message.Ref
		h.Log.InfoContext(ctx, "refused", "connectionId", id, "code", failure.Code, "why", failure.Error)
		return socket.Answer(event.TypeConnectionError, h.Now(), *failure)
	}
	pong, replayed, err := h.pong(ctx, id, message)
	log := h.Log.With("connectionId", id, "tookMs", h.Now().Sub(began).Milliseconds())
	if err == nil {
		log.InfoContext(ctx, "pong", "sequence", pong.Sequence, "positioned", pong.Recovery != nil, "replayed", replayed)
		if replayed > 0 {
			h.Metrics.Emit("", "", telemetry.Count("eventsReplayed", replayed))
		}
		pong.Ref = message.Ref
		return socket.Answer(event.TypePong, h.Now(), *pong)
	}
	failure = failureOf(err)
	failure.Ref = message.Ref
	if failure.Code == event.CodeInternalError {
		log.ErrorContext(ctx, "not answered", "error", err)
	} else {
		log.InfoContext(ctx, "refused", "code", failure.Code, "reason", failure.Reason)
	}
	if errors.Is(err, connection.ErrNotFound) {
		return socket.Status(200), socket.Close(ctx, h.Socket, id, event.TypeConnectionError, h.Now(), failure)
	}
	return socket.Answer(event.TypeConnectionError, h.Now(), *failure)
}

var (
	errUnauthenticated = errors.New("not authenticated")
	errLapsed          = errors.New("the token has run out")
)

func (h *Handler) pong(ctx context.Context, id string, message event.PingMessage) (*event.Pong, int, error) {
	c, err := h.Connections.Get(ctx, id)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.Authenticated():
		return nil, 0, errUnauthenticated
	case !h.Now().Before(c.ValidUntil):
		return nil, 0, errLapsed
	}
	head, err := h.Heads.Head(ctx, c.TenantID)
	if err != nil || message.LastSequence == nil {
		return &event.Pong{Sequence: head}, 0, err
	}
	to := connection.Member{
		TenantID: c.TenantID, UserID: c.UserID, ConnectionID: id, ValidUntil: c.ValidUntil, AcceptsBatch: c.AcceptsBatch,
	}
	result, err := h.Replayer.Run(ctx, to, replay.Position{Sequence: message.LastSequence}, head)
	return &event.Pong{Sequence: head, Recovery: result.Recovery}, result.Events, err
}

func failureOf(err error) *event.Failure {
	var unposted replay.ErrNotPosted
	switch {
	case errors.Is(err, connection.ErrNotFound):
		return socket.NoRecord()
	case errors.Is(err, errUnauthenticated):
		return &event.Failure{Code: event.CodeUnauthorized, Error: "send auth first"}
	case errors.Is(err, errLapsed), errors.As(err, &unposted) && unposted.Outcome == push.Expired:
		return &event.Failure{Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Error: "the token has run out, send auth with a fresh one"}
	case errors.Is(err, eventlog.ErrNotFound):
		// The tenant's head is gone: its log was lost, and only auth begins a new one.
		return &event.Failure{Code: event.CodeUnauthorized, Error: "the session is not known any more, send auth again"}
	case errors.As(err, &unposted) && unposted.Outcome == push.ThrottledOut:
		return &event.Failure{Code: event.CodeRateLimit, Error: "what was missed could not be sent now", RetryAfterMs: 1000}
	default:
		return socket.Internal()
	}
}
