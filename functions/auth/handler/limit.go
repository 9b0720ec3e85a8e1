package handler

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/socket"
)

// closesAtOnce bounds the requests of one auth to the management API, closingTime how long its answer waits for them: an old socket
// that hangs must not make the new one wait.
const (
	closesAtOnce = 8
	closingTime  = time.Second
)

// closeBeyondLimit closes the connection that this one replaces, then whatever of the user's is beyond the limit, oldest first and
// never this one. A connection that can't be closed now is closed by the next that comes: the new one is authenticated all the
// same.
func (h *Handler) closeBeyondLimit(ctx context.Context, self connection.Member, replaces string) {
	ctx, cancel := context.WithTimeout(ctx, closingTime)
	defer cancel()
	members, err := h.Connections.OfUser(ctx, self.TenantID, self.UserID)
	if err != nil {
		h.Log.ErrorContext(ctx, "connections of the user not counted", "connectionId", self.ConnectionID, "error", err)
		return
	}
	var group errgroup.Group
	group.SetLimit(closesAtOnce)
	for _, m := range beyondLimit(members, self.ConnectionID, replaces, h.MaxConnectionsUser) {
		group.Go(func() error {
			h.close(ctx, m)
			return nil
		})
	}
	_ = group.Wait() // never an error
}

// beyondLimit picks the members to close, in the order in which they are to be closed.
func beyondLimit(members []connection.Member, self, replaces string, limit int) []connection.Member {
	var replaced, others []connection.Member
	for _, m := range members {
		switch m.ConnectionID {
		case self:
		case replaces:
			replaced = append(replaced, m)
		default:
			others = append(others, m)
		}
	}
	slices.SortFunc(others, func(a, b connection.Member) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.ConnectionID, b.ConnectionID))
	})
	if beyond := len(others) + 1 - limit; beyond > 0 {
		return append(replaced, others[:min(beyond, len(others))]...)
	}
	return replaced
}

func (h *Handler) close(ctx context.Context, m connection.Member) {
	why := &event.Failure{Code: event.CodeForbidden, Reason: event.ReasonReplaced, Error: "a newer connection of this user took its place"}
	err := socket.Close(ctx, h.Socket, m.ConnectionID, event.TypeConnectionError, h.Clock.Now(), why)
	if err == nil {
		err = backoff.OneItem().Retry(ctx, h.Clock, func() error { return h.Connections.DeleteMember(ctx, m) })
	}
	if err != nil {
		h.Log.ErrorContext(ctx, "connection beyond the limit not closed", "connectionId", m.ConnectionID, "error", err)
		return
	}
	h.Log.InfoContext(ctx, "connection replaced", "connectionId", m.ConnectionID)
}
