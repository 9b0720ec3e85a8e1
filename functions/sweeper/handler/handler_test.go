package handler_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/sweeper/handler"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type fixture struct {
	handler *handler.Handler
	store   *connectiontest.Memory
	gateway *pushtest.Gateway
	now     time.Time
}

// newFixture has a connection that never authenticates, "silent=", and one whose token is valid for an hour, "ana=".
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{gateway: &pushtest.Gateway{}, now: start}
	now := func() time.Time { return f.now }
	f.store = connectiontest.NewMemory(now)
	f.handler = &handler.Handler{Connections: f.store, Socket: f.gateway, Now: now, Log: slog.New(slog.DiscardHandler)}
	for _, id := range []string{"silent=", "ana="} {
		if err := f.store.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: start, Deadline: start.Add(30 * time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	f.authenticate(t, start.Add(time.Hour))
	return f
}

func (f *fixture) authenticate(t *testing.T, until time.Time) {
	t.Helper()
	m := connection.Member{TenantID: "acme", UserID: "ana", ConnectionID: "ana=", ConnectedAt: start, ValidUntil: until}
	if err := f.store.Authenticate(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) sweep(t *testing.T) []string {
	t.Helper()
	before := len(f.gateway.Calls())
	if err := f.handler.Handle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f.gateway.Calls()[before:]
}

func reason(t *testing.T, g *pushtest.Gateway, id string) string {
	t.Helper()
	messages := g.Messages(id)
	if len(messages) == 0 {
		return "no message"
	}
	last := messages[len(messages)-1]
	return last.Type + " " + last.Data.Code + " " + last.Data.Reason
}

func TestSweepClosesWhatIsPastItsDeadlineAndNothingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now = start.Add(30*time.Second - time.Millisecond)
	if calls := f.sweep(t); len(calls) != 0 {
		t.Errorf("calls before any deadline: %v", calls)
	}
	f.now = start.Add(30 * time.Second)
	if diff := cmp.Diff([]string{"post silent=", "close silent="}, f.sweep(t)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if got := reason(t, f.gateway, "silent="); got != "connection_error UNAUTHORIZED auth_deadline" {
		t.Errorf("told %q", got)
	}
	f.now = start.Add(time.Hour)
	if diff := cmp.Diff([]string{"post ana=", "close ana="}, f.sweep(t)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if got := reason(t, f.gateway, "ana="); got != "connection_error UNAUTHORIZED token_expired" {
		t.Errorf("told %q", got)
	}
	for _, id := range []string{"silent=", "ana="} {
		if _, err := f.store.Get(t.Context(), id); !errors.Is(err, connection.ErrNotFound) {
			t.Errorf("record of %s: %v, want none", id, err)
		}
	}
	if calls := f.sweep(t); len(calls) != 0 {
		t.Errorf("calls of the next sweep: %v", calls)
	}
}

func TestAConnectionThatAuthenticatedSinceTheIndexWasReadStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now = start.Add(time.Hour)
	var once sync.Once
	f.store.Before = func(_ context.Context, step string) error {
		if step == "get connection" { // between the index and the record
			once.Do(func() { f.authenticate(t, start.Add(2*time.Hour)) })
		}
		return nil
	}
	if calls := f.sweep(t); slices.Contains(calls, "close ana=") {
		t.Errorf("calls = %v: the renewed connection was closed", calls)
	}
}

func TestWhatCanNotBeClosedKeepsItsRecordForTheNextSweep(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now = start.Add(time.Hour)
	f.gateway.Fail = func(call, id string) error {
		if call == "close" && id == "ana=" {
			return errors.New("500")
		}
		return nil
	}
	f.sweep(t)
	if _, err := f.store.Get(t.Context(), "ana="); err != nil {
		t.Errorf("record: %v, want it kept", err)
	}
	if _, err := f.store.Get(t.Context(), "silent="); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("record of the other: %v, want none", err)
	}
	f.gateway.Fail = nil
	f.sweep(t)
	if _, err := f.store.Get(t.Context(), "ana="); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("record after the next sweep: %v, want none", err)
	}
}

func TestAConnectionThatIsGoneLosesItsRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now = start.Add(time.Hour)
	f.gateway.Fail = func(call, id string) error { return fmt.Errorf("%s %s: %w", call, id, push.ErrGone) }
	f.sweep(t)
	if _, err := f.store.Get(t.Context(), "ana="); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("record: %v, want none", err)
	}
}

func TestARecordPastItsLifeIsDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.authenticate(t, start.Add(24*time.Hour))
	f.now = start.Add(24 * time.Hour)
	if calls := f.sweep(t); len(calls) != 0 {
		t.Errorf("calls = %v: such a connection can't be open any more", calls)
	}
	deleted := true
	for id, err := range f.store.Due(t.Context()) {
		deleted = deleted && id == "" && err == nil
	}
	if !deleted {
		t.Error("records are left, due at every sweep")
	}
}

func TestAnIndexThatCanNotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.store.Before = func(context.Context, string) error { return errors.New("table is away") }
	if err := f.handler.Handle(t.Context()); err == nil {
		t.Error("Handle = nil, want the error: the schedule's metric must show it")
	}
}
