package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/ping/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
)

const id = "R1kmxc2VNjMCFIA="

// A fixture is a ping handler over memory stores, in a synctest bubble, with one member of acme and three events in its log.
type fixture struct {
	handler     *handler.Handler
	connections *connectiontest.Memory
	logs        *eventlogtest.Memory
	gateway     *pushtest.Gateway
	first       int64
}

func newFixture(t *testing.T, batch bool) *fixture {
	t.Helper()
	f := &fixture{
		gateway: &pushtest.Gateway{}, connections: connectiontest.NewMemory(time.Now), logs: eventlogtest.NewMemory(eventlogtest.Retention, time.Now),
	}
	log := eventlog.New(f.logs, backoff.RealClock())
	f.handler = &handler.Handler{
		Connections: f.connections, Heads: log, Socket: f.gateway, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Replayer: &replay.Replayer{Log: log, Push: push.New(f.gateway, 1, backoff.RealClock()), Limits: eventlog.Limits{Records: 2, Bytes: 1 << 20}, Now: time.Now},
	}
	m := connection.Member{TenantID: "acme", UserID: "ana", ConnectionID: id, ConnectedAt: time.Now(), ValidUntil: time.Now().Add(time.Hour), AcceptsBatch: batch}
	err := errors.Join(f.connections.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now()}), f.connections.Authenticate(t.Context(), m))
	if err != nil {
		t.Fatal(err)
	}
	if f.first, err = log.OpenHead(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		eventID := fmt.Sprint("e", i+1)
		_, err := log.Append(t.Context(), "acme", []eventlog.Entry{{EventID: eventID, Envelope: func(sequence int64) ([]byte, error) {
			return json.Marshal(event.Envelope{Type: event.GoalResumed, EventID: eventID, Sequence: sequence})
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// An answer is a response, with numbers counted from the log's first.
type answer struct {
	Type      string
	Sequence  int64
	After     *int64
	Recovered *bool
	More      bool
	Code      event.Code
	Reason    event.Reason
	Ref       string
}

func (f *fixture) ping(t *testing.T, body string) answer {
	t.Helper()
	var req socket.Request
	req.RequestContext.ConnectionID, req.Body = id, body
	response, err := f.handler.Handle(t.Context(), req)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("Handle = %+v, %v", response, err)
	}
	if response.Body == "" {
		return answer{}
	}
	var message struct {
		Type string
		Data answer
	}
	if err := json.Unmarshal([]byte(response.Body), &message); err != nil {
		t.Fatal(err)
	}
	message.Data.Type = message.Type
	if message.Data.Sequence != 0 {
		message.Data.Sequence -= f.first
	}
	if message.Data.After != nil {
		*message.Data.After -= f.first
	}
	return message.Data
}

func (f *fixture) at(offset int64) string {
	return fmt.Sprintf(`{"action":"ping","ref":"r","lastSequence":%d}`, f.first+offset)
}

func (f *fixture) got() string {
	var ids []string
	for _, m := range f.gateway.Messages(id) {
		ids = append(ids, strings.TrimSpace(m.Type+" "+m.EventID))
	}
	return strings.Join(ids, " ")
}

func TestPing(t *testing.T) {
	t.Parallel()
	gone := func(string, string) error { return fmt.Errorf("410: %w", push.ErrGone) }
	throttled := func(string, string) error { return fmt.Errorf("429: %w: %w", push.ErrThrottled, backoff.ErrTransient) }
	refusedAfterFirst := func() func(string, string) error {
		posts := 0
		return func(string, string) error {
			if posts++; posts > 1 {
				return errors.New("403")
			}
			return nil
		}
	}
	yes, no := new(bool), new(bool)
	*yes = true
	at := func(n int64) *int64 { return &n }
	tests := []struct {
		name  string
		batch bool
		body  func(f *fixture) string
		setup func(t *testing.T, f *fixture)
		want  answer
		got   string
	}{
		{name: "without a position: the head", body: func(*fixture) string { return `{"action":"ping","ref":"r"}` },
			want: answer{Type: "pong", Sequence: 3, Ref: "r"}},
		{name: "at the head", body: func(f *fixture) string { return f.at(3) }, want: answer{Type: "pong", Sequence: 3, After: at(3), Recovered: yes, Ref: "r"}},
		{name: "a gap is healed", body: func(f *fixture) string { return f.at(1) },
			want: answer{Type: "pong", Sequence: 3, After: at(1), Recovered: yes, Ref: "r"}, got: "goal.resumed e2 goal.resumed e3"},
		{name: "a gap is healed by a batch where batches are accepted", batch: true, body: func(f *fixture) string { return f.at(1) },
			want: answer{Type: "pong", Sequence: 3, After: at(1), Recovered: yes, Ref: "r"}, got: "batch"},
		{name: "more than a page", body: func(f *fixture) string { return f.at(0) },
			want: answer{Type: "pong", Sequence: 3, After: at(0), Recovered: yes, More: true, Ref: "r"}, got: "goal.resumed e1 goal.resumed e2"},
		{name: "a position before the log", body: func(f *fixture) string { return f.at(-1) },
			want: answer{Type: "pong", Sequence: 3, After: at(-1), Recovered: no, Ref: "r"}},
		{name: "a position from the future", body: func(f *fixture) string { return f.at(4) },
			want: answer{Type: "pong", Sequence: 3, After: at(4), Recovered: no, Ref: "r"}},
		{name: "only a first part could be posted: more", body: func(f *fixture) string { return f.at(1) },
			setup: func(_ *testing.T, f *fixture) { f.gateway.Fail = refusedAfterFirst() },
			want:  answer{Type: "pong", Sequence: 3, After: at(1), Recovered: yes, More: true, Ref: "r"}, got: "goal.resumed e2"},
		{name: "nothing could be posted", body: func(f *fixture) string { return f.at(1) },
			setup: func(_ *testing.T, f *fixture) { f.gateway.Fail = gone },
			want:  answer{Type: "connection_error", Code: event.CodeInternalError, Ref: "r"}},
		{name: "throttled to the end", body: func(f *fixture) string { return f.at(1) },
			setup: func(_ *testing.T, f *fixture) { f.gateway.Fail = throttled },
			want:  answer{Type: "connection_error", Code: event.CodeRateLimit, Ref: "r"}},
		{name: "a lapsed token gets no replay", body: func(f *fixture) string { return f.at(1) },
			setup: func(*testing.T, *fixture) { time.Sleep(time.Hour) },
			want:  answer{Type: "connection_error", Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Ref: "r"}},
		{name: "not authenticated", body: func(f *fixture) string { return f.at(1) },
			setup: func(t *testing.T, f *fixture) {
				if err := f.connections.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now()}); err != nil {
					t.Fatal(err)
				}
			},
			want: answer{Type: "connection_error", Code: event.CodeUnauthorized, Ref: "r"}},
		{name: "the log is lost: only auth begins a new one", body: func(f *fixture) string { return f.at(1) },
			setup: func(_ *testing.T, f *fixture) { *f.logs = *eventlogtest.NewMemory(time.Hour, time.Now) },
			want:  answer{Type: "connection_error", Code: event.CodeUnauthorized, Ref: "r"}},
		{name: "the table is away", body: func(f *fixture) string { return f.at(1) },
			setup: func(_ *testing.T, f *fixture) {
				f.connections.Before = func(context.Context, string) error { return errors.New("table arn:aws:x is away") }
			},
			want: answer{Type: "connection_error", Code: event.CodeInternalError, Ref: "r"}},
		{name: "a position that is no number", body: func(*fixture) string { return `{"action":"ping","lastSequence":"9","ref":"r"}` },
			want: answer{Type: "connection_error", Code: event.CodeValidationError, Ref: "r"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tt.batch)
				if tt.setup != nil {
					tt.setup(t, f)
				}
				if diff := cmp.Diff(tt.want, f.ping(t, tt.body(f))); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if f.got() != tt.got {
					t.Errorf("posted %q, want %q", f.got(), tt.got)
				}
			})
		})
	}
}

func TestAConnectionWithoutARecordIsToldAndClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, false)
		if err := f.connections.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if got := f.ping(t, `{"action":"ping","ref":"r"}`); got != (answer{}) {
			t.Errorf("answered %+v through the response as well", got)
		}
		want := []string{"post " + id, "close " + id}
		if diff := cmp.Diff(want, f.gateway.Calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if m := f.gateway.Messages(id)[0]; m.Type != "connection_error" || m.Data.Code != "UNAUTHORIZED" || m.Data.Ref != "r" {
			t.Errorf("told %+v", m)
		}
	})
}

func TestTheSampleIsAnswered(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../events/ping.json")
	if err != nil {
		t.Fatal(err)
	}
	var req socket.Request
	if err := json.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, false)
	response, err := f.handler.Handle(t.Context(), req)
	if err != nil || !strings.Contains(response.Body, `"type":"pong"`) || !strings.Contains(response.Body, `"ref":"2"`) {
		t.Errorf("Handle = %+v, %v", response, err)
	}
}
