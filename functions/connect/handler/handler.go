// Package handler decides $connect: it records the connection, or refuses the handshake. Nothing unknown is ever connected.
//
// It says nothing to the client: a post to a connection whose $connect still runs is answered 410.
package handler

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/socket"
)

// maxUserAgent bounds what is kept of a header that the client chooses, in bytes: the record is read with every ping, and each 4 KB of
// it are a read unit.
const maxUserAgent = 256

// A Handler answers $connect.
type Handler struct {
	Connections interface {
		Put(context.Context, connection.Connection) error
	}
	Origins      Origins
	AuthDeadline time.Duration // from connecting to the end of the time to authenticate
	Now          func() time.Time
	Log          *slog.Logger
}

// Handle answers 200, 403 to an origin that is not allowed, or 503 when the connection could not be recorded.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	c := req.RequestContext
	origin, given := header(req.Headers, "Origin")
	// A request without Origin comes from a native app, a service or wscat. The token authenticates, not the Origin.
	if given && !h.Origins.Allow(origin) {
		h.Log.WarnContext(ctx, "refused: origin is not allowed", "connectionId", c.ConnectionID, "origin", origin)
		return socket.Status(http.StatusForbidden), nil
	}
	began := h.Now()
	connectedAt := time.UnixMilli(c.ConnectedAt)
	err := h.Connections.Put(ctx, connection.Connection{
		ID: c.ConnectionID, ConnectedAt: connectedAt, SourceIP: c.Identity.SourceIP, UserAgent: c.Identity.UserAgent[:min(len(c.Identity.UserAgent), maxUserAgent)],
		Deadline: connectedAt.Add(h.AuthDeadline),
	})
	if err != nil {
		h.Log.ErrorContext(ctx, "refused: not recorded", "connectionId", c.ConnectionID, "error", err)
		return socket.Status(http.StatusServiceUnavailable), nil
	}
	h.Log.InfoContext(ctx, "connected", "connectionId", c.ConnectionID, "tookMs", h.Now().Sub(began).Milliseconds())
	return socket.Status(http.StatusOK), nil
}

// header looks a header up as HTTP does: names have no case. API Gateway passes them as the client wrote them.
func header(headers map[string]string, name string) (string, bool) {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}
