// Package handler decides $disconnect: it deletes the connection and its member.
//
// API Gateway calls it at best effort and ignores its answer. What it misses ends by the first push that is answered 410, by the
// sweeper, or by the table's TTL.
package handler

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/socket"
)

// A Handler answers $disconnect.
type Handler struct {
	Connections interface {
		Delete(ctx context.Context, id string) error
	}
	Clock backoff.Clock
	Log   *slog.Logger
}

// Handle deletes the connection. An error shows in the function's metrics and nowhere else.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	c := req.RequestContext
	began := h.Clock.Now()
	// Auth of the same connection may be under way, and its transaction conflicts with this. Nobody calls a second time.
	err := backoff.OneItem().Retry(ctx, h.Clock, func() error { return h.Connections.Delete(ctx, c.ConnectionID) })
	if err != nil {
		return socket.Response{}, err
	}
	reason := ""
	if c.DisconnectReason != nil {
		reason = *c.DisconnectReason
	}
	h.Log.InfoContext(ctx, "disconnected", "connectionId", c.ConnectionID, "code", c.DisconnectStatusCode, "reason", reason,
		"livedMs", c.RequestTimeEpoch-c.ConnectedAt, "tookMs", h.Clock.Now().Sub(began).Milliseconds())
	return socket.Status(http.StatusOK), nil
}
