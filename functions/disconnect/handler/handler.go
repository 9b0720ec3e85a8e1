// Package handler decides $disconnect: it deletes the connection and its member.
//
// API Gateway calls it at best effort and ignores its answer. What it misses ends by the first push that is answered 410, by the
// sweeper, or by the table's TTL.
package handler

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/purposepath/realtime/shared/socket"
)

// A Handler answers $disconnect.
type Handler struct {
	Connections interface {
		Delete(ctx context.Context, id string) error
	}
	Now func() time.Time
	Log *slog.Logger
}

// Handle deletes the connection. An error shows in the function's metrics and nowhere else.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	c := req.RequestContext
	began := h.Now()
	if err := h.Connections.Delete(ctx, c.ConnectionID); err != nil {
		return socket.Response{}, err
	}
	reason := ""
	if c.DisconnectReason != nil {
		reason = *c.DisconnectReason
	}
	h.Log.InfoContext(ctx, "disconnected", "connectionId", c.ConnectionID, "code", c.DisconnectStatusCode, "reason", reason,
		"livedMs", c.RequestTimeEpoch-c.ConnectedAt, "tookMs", h.Now().Sub(began).Milliseconds())
	return socket.Status(http.StatusOK), nil
}
