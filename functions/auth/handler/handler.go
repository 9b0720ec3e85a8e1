// Package handler decides auth: it verifies the token, makes the connection a member of the token's tenant, and replays what the
// client missed.
//
// Guarantees:
//   - The tenant comes from the verified token and from nowhere else.
//   - The connection is recorded as a member first; only then are head and log read. An event is thus in the replay or in a
//     push that sees the member, never in neither.
//   - Three failed attempts in a row close the connection.
package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
	"github.com/purposepath/realtime/shared/token"
)

// maxFailures is how many failed attempts in a row close the connection.
const maxFailures = 3

// A Handler answers auth.
type Handler struct {
	Tokens interface {
		Verify(ctx context.Context, raw string) (token.Claims, error)
	}
	Connections Connections
	Heads       interface {
		OpenHead(ctx context.Context, tenantID string) (int64, error)
	}
	Replayer           *replay.Replayer
	Socket             socket.Gateway
	MaxConnectionsUser int // of one user at a time
	Clock              backoff.Clock
	Log                *slog.Logger
	Metrics            *telemetry.Metrics
}

// Connections are the records that auth writes.
type Connections interface {
	Authenticate(context.Context, connection.Member) error
	FailedAttempt(ctx context.Context, id string) (int, error)
	OfUser(ctx context.Context, tenantID, userID string) ([]connection.Member, error)
	DeleteMember(context.Context, connection.Member) error
}

// Handle answers auth.success or auth.error.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	began := h.Clock.Now()
	id := req.RequestContext.ConnectionID
	log := h.Log.With("connectionId", id)

	message, failure := socket.Read[event.AuthMessage](req.Body)
	var success *event.AuthSuccess
	var replayed int
	var err error
	if failure == nil {
		success, replayed, err = h.authenticate(ctx, id, time.UnixMilli(req.RequestContext.ConnectedAt), message)
	}
	if failure == nil && err == nil {
		log.InfoContext(ctx, "authenticated", "tenantId", success.TenantID, "sequence", success.Sequence,
			"positioned", success.Recovery != nil, "replayed", replayed, "client", clientName(message.Client), "tookMs", h.Clock.Now().Sub(began).Milliseconds())
		if replayed > 0 {
			h.Metrics.Emit("", "", telemetry.Count("eventsReplayed", replayed))
		}
		success.Ref = message.Ref
		return socket.Answer(event.TypeAuthSuccess, h.Clock.Now(), *success)
	}
	if failure == nil {
		failure = failureOf(err)
	}
	failure.Ref = message.Ref
	if failure.Code == event.CodeInternalError {
		log.ErrorContext(ctx, "not authenticated", "error", err)
	} else {
		log.WarnContext(ctx, "not authenticated", "code", failure.Code, "reason", failure.Reason, "why", failure.Error)
	}
	h.Metrics.Emit("code", string(failure.Code), telemetry.Count("authFailures", 1))
	if unavailable := (*token.UnavailableError)(nil); errors.As(err, &unavailable) {
		h.Metrics.Emit("", "", telemetry.Count("keySetFailures", 1))
	}
	if h.mustClose(ctx, id, failure, err) {
		return socket.Status(http.StatusOK), socket.Close(ctx, h.Socket, id, event.TypeAuthError, h.Clock.Now(), failure)
	}
	return socket.Answer(event.TypeAuthError, h.Clock.Now(), *failure)
}

// mustClose counts a failed attempt. What is not the client's fault is not counted.
func (h *Handler) mustClose(ctx context.Context, id string, failure *event.Failure, err error) bool {
	if errors.Is(err, connection.ErrNotFound) {
		return true
	}
	if failure.Code == event.CodeInternalError || failure.Code == event.CodeRateLimit {
		return false
	}
	var failures int
	err = backoff.OneItem().Retry(ctx, h.Clock, func() (err error) {
		failures, err = h.Connections.FailedAttempt(ctx, id)
		return err
	})
	if err != nil && !errors.Is(err, connection.ErrNotFound) {
		h.Log.ErrorContext(ctx, "failed attempt not counted", "connectionId", id, "error", err)
	}
	return failures >= maxFailures || errors.Is(err, connection.ErrNotFound)
}

func (h *Handler) authenticate(ctx context.Context, id string, connectedAt time.Time, message event.AuthMessage) (*event.AuthSuccess, int, error) {
	switch {
	case message.Protocol != nil && *message.Protocol != event.ProtocolVersion:
		return nil, 0, errUpgrade
	case message.Token == "":
		return nil, 0, errNoToken
	}
	claims, err := h.Tokens.Verify(ctx, message.Token)
	if err != nil {
		return nil, 0, err
	}
	member := connection.Member{
		TenantID: claims.TenantID, UserID: claims.UserID, ConnectionID: id, ConnectedAt: connectedAt,
		ValidUntil: claims.ExpiresAt, AcceptsBatch: slices.Contains(message.Accept, event.AcceptBatch),
	}
	// First the record …
	err = backoff.OneItem().Retry(ctx, h.Clock, func() error { return h.Connections.Authenticate(ctx, member) })
	if err != nil {
		return nil, 0, err
	}
	// … then the head, then the log. Swapped, an event could be numbered after the log was read and pushed before the member
	// could be seen.
	success, replayed, err := h.replay(ctx, member, replay.Position{Sequence: message.LastSequence, EventID: message.LastEventID})
	h.closeBeyondLimit(ctx, member, message.Replaces) // also where the replay failed: the connection is a member all the same
	return success, replayed, err
}

func (h *Handler) replay(ctx context.Context, member connection.Member, position replay.Position) (*event.AuthSuccess, int, error) {
	head, err := h.Heads.OpenHead(ctx, member.TenantID)
	if err != nil {
		return nil, 0, err
	}
	success := &event.AuthSuccess{
		TenantID: member.TenantID, UserID: member.UserID, ConnectionID: member.ConnectionID, ExpiresAt: event.TimestampOf(member.ValidUntil),
		Protocol: event.ProtocolVersion, Accepted: []string{}, Sequence: head,
	}
	if member.AcceptsBatch {
		success.Accepted = append(success.Accepted, event.AcceptBatch)
	}
	if !position.Given() {
		return success, 0, nil
	}
	result, err := h.Replayer.Run(ctx, member, position, head)
	success.Recovery = result.Recovery
	return success, result.Events, err
}

// clientName is what a client calls itself, for the log.
func clientName(c *event.ClientInfo) string {
	const most = 64
	if c == nil {
		return ""
	}
	name := c.Name + "/" + c.Version
	return name[:min(len(name), most)]
}
