// Package handler decides the sweep: every minute it closes the connections whose deadline has passed, those that never
// authenticated and those whose token ran out.
//
// It tells, closes, then deletes, in this order: a crash between repeats the sweep instead of leaving a socket without a record.
package handler

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
)

// AtOnce is how many connections are closed at a time: each takes two requests of the account's quota.
const AtOnce = 32

// reserve is what is kept of the function's time: what is not swept now is swept in a minute.
const reserve = 5 * time.Second

// A Handler answers the schedule.
type Handler struct {
	Connections interface {
		Due(context.Context) iter.Seq2[string, error]
		Get(ctx context.Context, id string) (connection.Connection, error)
		Delete(ctx context.Context, id string) error
	}
	Socket  socket.Gateway
	Now     func() time.Time
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Handle sweeps once. The event that triggers it says nothing.
func (h *Handler) Handle(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	began := h.Now()
	var closed, kept atomic.Int64
	var group errgroup.Group
	group.SetLimit(AtOnce)
	var failed error
	for id, err := range h.Connections.Due(ctx) {
		if err != nil {
			failed = err
			break
		}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			swept, err := h.sweep(ctx, id)
			switch {
			case err != nil:
				kept.Add(1)
				h.Log.ErrorContext(ctx, "not swept, next minute again", "connectionId", id, "error", err)
			case swept:
				closed.Add(1)
			}
			return nil // one that can't be closed keeps no other
		})
	}
	_ = group.Wait() // never an error: see above
	h.Log.InfoContext(ctx, "swept", "closed", closed.Load(), "kept", kept.Load(), "tookMs", h.Now().Sub(began).Milliseconds())
	h.Metrics.Emit("", "", telemetry.Count("connectionsSwept", int(closed.Load())))
	return failed
}

// sweep closes one connection if it is really due: the index that named it is late.
func (h *Handler) sweep(ctx context.Context, id string) (bool, error) {
	c, err := h.Connections.Get(ctx, id)
	if errors.Is(err, connection.ErrNotFound) {
		return false, h.Connections.Delete(ctx, id) // a record past its life: TTL may take days
	}
	if err != nil {
		return false, err
	}
	if h.Now().Before(c.Deadline) {
		return false, nil
	}
	why := &event.Failure{Code: event.CodeUnauthorized, Reason: event.ReasonAuthDeadline, Error: "no auth message came in time"}
	if c.Authenticated() {
		why = &event.Failure{Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Error: "the token ran out and was not renewed"}
	}
	if err := socket.Close(ctx, h.Socket, id, event.TypeConnectionError, h.Now(), why); err != nil {
		return false, err
	}
	return true, h.Connections.Delete(ctx, id)
}
