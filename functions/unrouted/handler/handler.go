// Package handler decides $default: it answers what no route knows. The connection stays.
package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/socket"
)

// A Handler answers $default.
type Handler struct {
	Now func() time.Time
	Log *slog.Logger
}

// maxEcho bounds what the answer repeats of an unknown action, in bytes.
const maxEcho = 64

// Handle answers connection_error VALIDATION_ERROR and says what was expected.
func (h *Handler) Handle(ctx context.Context, req socket.Request) (socket.Response, error) {
	// Exact keys, as API Gateway's route selection takes them.
	var message map[string]any
	if json.Unmarshal([]byte(req.Body), &message) != nil {
		message = nil
	}
	failure := socket.Invalid("the message is not a JSON object with an action")
	switch action := message["action"].(type) {
	case nil:
	case string:
		failure = socket.Invalid("unknown action %s: this server knows auth and ping", quote(action))
	default:
		failure = socket.Invalid("action must be a string")
	}
	if ref, ok := message["ref"].(string); ok && len(ref) <= maxEcho {
		failure.Ref = ref
	}
	h.Log.InfoContext(ctx, "not understood", "connectionId", req.RequestContext.ConnectionID, "bytes", len(req.Body))
	return socket.Answer(event.TypeConnectionError, h.Now(), *failure)
}

func quote(action string) string {
	if len(action) > maxEcho {
		return fmt.Sprintf("of %d bytes", len(action))
	}
	return fmt.Sprintf("%q", action)
}
