// Package functions_test holds the ■ invariants of the design to the real handlers: every order of the store calls of auth, pusher,
// disconnect and ping, on the memory stores.
package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	auth "github.com/purposepath/realtime/functions/auth/handler"
	disconnect "github.com/purposepath/realtime/functions/disconnect/handler"
	ping "github.com/purposepath/realtime/functions/ping/handler"
	pusher "github.com/purposepath/realtime/functions/pusher/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/token"
)

const (
	tenant = "acme"
	user   = "ana"
	conn   = "c="
)

// A world is one system with one client.
type world struct {
	e           *explorer
	connections *connectiontest.Memory
	log         *eventlog.Log
	first       int64 // the tenant's head before anything happens

	mu       sync.Mutex
	open     bool             // the client's socket
	received map[int64]string // event ids by number
	order    []int64
	answer   answer // of auth or ping
	err      error
}

type answer struct {
	Type string
	Data struct {
		Sequence  int64
		Recovered *bool
		After     *int64
	}
}

func newWorld(t *testing.T, e *explorer) *world {
	t.Helper()
	w := &world{e: e, open: true, received: map[int64]string{}, connections: connectiontest.NewMemory(time.Now)}
	w.connections.Before = e.step
	store := eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
	store.Before = e.step
	w.log = eventlog.New(store, steadyClock())
	err := w.connections.Put(t.Context(), connection.Connection{ID: conn, ConnectedAt: time.Now(), Deadline: time.Now().Add(30 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	// Something has happened before: the client that comes back stopped at the head.
	if _, err := w.log.Append(t.Context(), tenant, []eventlog.Entry{{EventID: "old", Envelope: domainEvent("old").Envelope}}); err != nil {
		t.Fatal(err)
	}
	if w.first, err = w.log.OpenHead(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	return w
}

func domainEvent(id string) event.Event {
	return event.Event{Type: event.GoalResumed, Timestamp: time.Now(), EventID: id, TenantID: tenant, Data: json.RawMessage(`{"tenantId":"acme"}`)}
}

// Post is the gateway: each post is a step of its own.
func (w *world) Post(ctx context.Context, _ string, frame push.Frame) error {
	_ = w.e.step(ctx, "post")
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		return fmt.Errorf("post: %w", push.ErrGone)
	}
	var envelope event.Envelope
	if err := json.Unmarshal(frame.Data(), &envelope); err != nil {
		return err
	}
	if envelope.Sequence > 0 {
		w.received[envelope.Sequence] = envelope.EventID
		w.order = append(w.order, envelope.Sequence)
	}
	return nil
}

func (w *world) Delete(ctx context.Context, _ string) error {
	_ = w.e.step(ctx, "close")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = false
	return nil
}

func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errors.Join(w.err, err)
}

func (w *world) answered(response socket.Response, err error) {
	if err == nil && response.Body != "" {
		err = json.Unmarshal([]byte(response.Body), &w.answer)
	}
	if err != nil {
		w.fail(err)
	}
}

func request(body string) socket.Request {
	return socket.Request{RequestContext: events.APIGatewayWebsocketProxyRequestContext{ConnectionID: conn, ConnectedAt: time.Now().UnixMilli()}, Body: body}
}

// Verify is the issuer: every token is Ana's.
func (w *world) Verify(context.Context, string) (token.Claims, error) {
	return token.Claims{TenantID: tenant, UserID: user, ExpiresAt: time.Now().Add(time.Hour)}, nil
}

func (w *world) authHandler() *auth.Handler {
	return &auth.Handler{
		Tokens: w, Connections: w.connections, Heads: w.log, Socket: w, MaxConnectionsUser: 20, Clock: steadyClock(),
		Log: slog.New(slog.DiscardHandler),
		Replayer: &replay.Replayer{
			Log: w.log, Push: push.New(w, 1, steadyClock()), Limits: eventlog.Limits{Records: 100, Bytes: 1 << 20}, Now: time.Now,
		},
	}
}

func (w *world) pusherHandler() *pusher.Handler {
	return &pusher.Handler{
		Events: w.log, Members: w.connections, Push: push.New(w, 4, steadyClock()), Queue: w, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

// RetryIn and Refuse are the queue: in these worlds nothing fails and nothing is refused.
func (w *world) RetryIn(context.Context, time.Duration, []string) error {
	return errors.New("a tenant failed")
}

func (w *world) Refuse(_ context.Context, _ string, why queue.Refusal) error {
	w.fail(fmt.Errorf("refused: %s", why.Reason))
	return nil
}

func (w *world) auth(h *auth.Handler, position string) func(context.Context) {
	return func(ctx context.Context) {
		w.answered(h.Handle(ctx, request(`{"action":"auth","token":"t"`+position+`}`)))
	}
}

func (w *world) push(h *pusher.Handler, ids ...string) func(context.Context) {
	var batch events.SQSEvent
	for _, id := range ids {
		body, err := json.Marshal(queue.Message{TenantID: tenant, EventID: id, AcceptedAt: time.Now(), Event: domainEvent(id)})
		if err != nil {
			panic(err)
		}
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: id, Body: string(body)})
	}
	return func(ctx context.Context) {
		response, err := h.Handle(ctx, batch)
		if err != nil || len(response.BatchItemFailures) > 0 {
			w.fail(fmt.Errorf("pusher: %v, %d failures", err, len(response.BatchItemFailures)))
		}
	}
}

func (w *world) disconnect(ctx context.Context) {
	_ = w.Delete(ctx, conn) // the socket closes first, $disconnect runs after
	h := &disconnect.Handler{Connections: w.connections, Clock: steadyClock(), Log: slog.New(slog.DiscardHandler)}
	if _, err := h.Handle(ctx, request("")); err != nil {
		w.fail(err)
	}
}

func (w *world) ping(position string) func(context.Context) {
	h := &ping.Handler{
		Connections: w.connections, Heads: w.log, Replayer: w.authHandler().Replayer, Socket: w, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	return func(ctx context.Context) { w.answered(h.Handle(ctx, request(`{"action":"ping"`+position+`}`))) }
}

// complete is what a client may rely on: it has every event of the log that it was not told to load by itself.
func (w *world) complete(ids ...string) error {
	head, err := w.log.Head(context.Background(), tenant)
	if err != nil || w.err != nil {
		return errors.Join(err, w.err)
	}
	if want := w.first + int64(len(ids)); head != want {
		return fmt.Errorf("the head is first%+d, want first%+d", head-w.first, len(ids))
	}
	position := w.first
	switch d := w.answer.Data; {
	case w.answer.Type != "auth.success" && w.answer.Type != "pong":
		return fmt.Errorf("answered %s", w.answer.Type)
	case d.Recovered == nil:
		position = d.Sequence // it loads its state after this answer
	case !*d.Recovered:
		return errors.New("recovered is false, though nothing has expired")
	}
	numbers := map[string]int64{}
	for number, id := range w.received {
		if other, twice := numbers[id]; twice {
			return fmt.Errorf("event %s has the numbers first%+d and first%+d", id, other-w.first, number-w.first)
		}
		numbers[id] = number
	}
	for number := position + 1; number <= head; number++ {
		if _, ok := w.received[number]; !ok {
			return fmt.Errorf("the client never got event first%+d", number-w.first)
		}
	}
	return nil
}

// noOrphan: whatever the order, a closed connection leaves no member behind.
func (w *world) noOrphan() error {
	members, err := w.connections.Members(context.Background(), tenant)
	if err != nil || w.err != nil {
		return errors.Join(err, w.err)
	}
	if len(members) > 0 {
		return fmt.Errorf("%d members are left of a closed connection", len(members))
	}
	if _, err := w.connections.Get(context.Background(), conn); !errors.Is(err, connection.ErrNotFound) {
		return fmt.Errorf("the connection is left: %v", err)
	}
	return nil
}

// swappedMembers reads the members before the events are numbered: the mutation of the pusher's order.
type swappedMembers struct {
	*eventlog.Log
	members *connectiontest.Memory
	early   []connection.Member
}

func (s *swappedMembers) Append(ctx context.Context, tenantID string, entries []eventlog.Entry) ([]eventlog.Record, error) {
	var err error
	if s.early, err = s.members.Members(ctx, tenantID); err != nil {
		return nil, err
	}
	return s.Log.Append(ctx, tenantID, entries)
}

func (s *swappedMembers) Members(context.Context, string) ([]connection.Member, error) {
	return s.early, nil
}

func (s *swappedMembers) DeleteMember(ctx context.Context, m connection.Member) error {
	return s.members.DeleteMember(ctx, m)
}

// swappedRecord records the member after head and log were read: the mutation of auth's order.
type swappedRecord struct {
	*connectiontest.Memory
	*eventlog.Log
	member connection.Member
}

func (s *swappedRecord) Authenticate(_ context.Context, m connection.Member) error {
	s.member = m
	return nil
}

func (s *swappedRecord) Recover(ctx context.Context, tenantID string, position, head int64, limits eventlog.Limits) (eventlog.Recovery, error) {
	recovery, err := s.Log.Recover(ctx, tenantID, position, head, limits)
	return recovery, errors.Join(err, s.Memory.Authenticate(ctx, s.member))
}

// noRecord makes a member whether or not the connection still exists: the mutation of the transaction's condition.
type noRecord struct{ *connectiontest.Memory }

func (s noRecord) Authenticate(ctx context.Context, m connection.Member) error {
	if err := s.Memory.Authenticate(ctx, m); !errors.Is(err, connection.ErrNotFound) {
		return err
	}
	if err := s.Put(ctx, connection.Connection{ID: m.ConnectionID, ConnectedAt: m.ConnectedAt}); err != nil {
		return err
	}
	return s.Memory.Authenticate(ctx, m)
}

func TestEveryOrderKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	type actors = map[string]func(context.Context)
	scenarios := []struct {
		name  string
		build func(w *world) (actors, func() error)
		// breaks: this is a mutation, and some order must show it.
		breaks bool
	}{
		{name: "auth with a position beside a push", build: func(w *world) (actors, func() error) {
			return actors{"auth": w.auth(w.authHandler(), w.at(0)), "pusher": w.push(w.pusherHandler(), "e1", "e2")},
				func() error { return w.complete("e1", "e2") }
		}},
		{name: "first auth beside a push", build: func(w *world) (actors, func() error) {
			return actors{"auth": w.auth(w.authHandler(), ""), "pusher": w.push(w.pusherHandler(), "e1")},
				func() error { return w.complete("e1") }
		}},
		{name: "auth beside two pushes, one a redelivery of the other", build: func(w *world) (actors, func() error) {
			return actors{"auth": w.auth(w.authHandler(), w.at(0)), "pusher": w.push(w.pusherHandler(), "e1"), "pusher again": w.push(w.pusherHandler(), "e1")},
				func() error { return w.complete("e1") }
		}},
		{name: "ping with a position beside a push to a member", build: func(w *world) (actors, func() error) {
			w.member()
			return actors{"ping": w.ping(w.at(0)), "pusher": w.push(w.pusherHandler(), "e1", "e2")},
				func() error { return w.complete("e1", "e2") }
		}},
		{name: "auth beside a disconnect", build: func(w *world) (actors, func() error) {
			return actors{"auth": w.auth(w.authHandler(), w.at(0)), "disconnect": w.disconnect}, w.noOrphan
		}},
		{name: "renewal beside a disconnect and a push", build: func(w *world) (actors, func() error) {
			w.member()
			return actors{"auth": w.auth(w.authHandler(), ""), "disconnect": w.disconnect, "pusher": w.push(w.pusherHandler(), "e1")}, w.noOrphan
		}},
		{name: "mutation: the pusher reads the members before it numbers", breaks: true, build: func(w *world) (actors, func() error) {
			h := w.pusherHandler()
			swapped := &swappedMembers{Log: w.log, members: w.connections}
			h.Events, h.Members = swapped, swapped
			return actors{"auth": w.auth(w.authHandler(), w.at(0)), "pusher": w.push(h, "e1")}, func() error { return w.complete("e1") }
		}},
		{name: "mutation: auth reads head and log before it records", breaks: true, build: func(w *world) (actors, func() error) {
			h := w.authHandler()
			swapped := &swappedRecord{Memory: w.connections, Log: w.log}
			h.Connections, h.Replayer.Log = swapped, swapped
			return actors{"auth": w.auth(h, w.at(0)), "pusher": w.push(w.pusherHandler(), "e1")}, func() error { return w.complete("e1") }
		}},
		{name: "mutation: auth does not ask whether the connection exists", breaks: true, build: func(w *world) (actors, func() error) {
			h := w.authHandler()
			h.Connections = noRecord{w.connections}
			return actors{"auth": w.auth(h, w.at(0)), "disconnect": w.disconnect}, w.noOrphan
		}},
	}
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				orders, broken := explore(t.Context(), func(e *explorer) (map[string]func(context.Context), func() error) {
					return scenario.build(newWorld(t, e))
				})
				t.Logf("%d orders", orders)
				switch {
				case scenario.breaks && broken == nil:
					t.Error("no order shows the mutation")
				case scenario.breaks:
					t.Logf("shown: %v", broken)
				case broken != nil:
					t.Error(broken)
				}
			})
		})
	}
}

// at is a position, counted from the head before anything happened.
func (w *world) at(offset int64) string { return fmt.Sprintf(`,"lastSequence":%d`, w.first+offset) }

// member makes the connection a member before the actors begin.
func (w *world) member() {
	claims, _ := w.Verify(context.Background(), "")
	err := w.connections.Authenticate(context.Background(), connection.Member{
		TenantID: tenant, UserID: user, ConnectionID: conn, ConnectedAt: time.Now(), ValidUntil: claims.ExpiresAt,
	})
	if err != nil {
		panic(err)
	}
}

func TestAPingWritesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, broken := explore(t.Context(), func(e *explorer) (map[string]func(context.Context), func() error) {
			w := newWorld(t, e)
			w.member()
			return map[string]func(context.Context){"ping": w.ping(w.at(-1))}, func() error {
				want := "ping: get connection, ping: head, ping: range, ping: post"
				if got := strings.Join(e.history, ", "); got != want {
					t.Errorf("calls = %s\nwant    %s", got, want)
				}
				return w.complete()
			}
		})
		if broken != nil {
			t.Error(broken)
		}
	})
}

// steadyClock draws no lots: a schedule can only be run again where every wait is as long as before.
func steadyClock() backoff.Clock {
	clock := backoff.RealClock()
	clock.Random = func() float64 { return 0.5 }
	return clock
}
