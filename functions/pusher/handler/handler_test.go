package handler_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/pusher/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

// A fixture is a pusher over memory stores, in a synctest bubble. It is its own queue.
type fixture struct {
	handler     *handler.Handler
	log         *eventlog.Log
	logStore    *eventlogtest.Memory
	connections *connectiontest.Memory
	gateway     *pushtest.Gateway
	metrics     bytes.Buffer

	mu        sync.Mutex
	refused   []string // "reason event"
	refuseErr error
	retries   []string // "wait handles"
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{gateway: &pushtest.Gateway{}}
	f.connections = connectiontest.NewMemory(time.Now)
	f.logStore = eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
	f.log = eventlog.New(f.logStore, backoff.RealClock())
	f.handler = &handler.Handler{
		Events: f.log, Members: f.connections, Push: push.New(f.gateway, 8, backoff.RealClock()), Queue: f, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Metrics: telemetry.NewMetrics(&f.metrics, "pusher", time.Now),
	}
	return f
}

func (f *fixture) RetryIn(_ context.Context, d time.Duration, handles []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retries = append(f.retries, fmt.Sprint(d, " ", strings.Join(handles, ",")))
	return errors.New("best effort")
}

func (f *fixture) Refuse(_ context.Context, body string, why queue.Refusal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuseErr != nil {
		return f.refuseErr
	}
	m, _ := queue.Decode(body)
	f.refused = append(f.refused, why.By+" "+why.Reason+" "+m.EventID)
	return nil
}

func (f *fixture) member(t *testing.T, tenant, id string, batch bool) {
	t.Helper()
	m := connection.Member{TenantID: tenant, UserID: "user of " + id, ConnectionID: id, ConnectedAt: time.Now(), ValidUntil: time.Now().Add(time.Hour), AcceptsBatch: batch}
	if err := errors.Join(f.connections.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now()}), f.connections.Authenticate(t.Context(), m)); err != nil {
		t.Fatal(err)
	}
}

// handle takes messages as "tenant/event" or "tenant/event/receives" and returns the failed ones likewise.
func (f *fixture) handle(t *testing.T, messages ...string) []string {
	t.Helper()
	var batch events.SQSEvent
	for _, m := range messages {
		batch.Records = append(batch.Records, record(t, m, time.Now()))
	}
	return f.handleBatch(t, batch)
}

func (f *fixture) handleBatch(t *testing.T, batch events.SQSEvent) []string {
	t.Helper()
	response, err := f.handler.Handle(t.Context(), batch)
	if err != nil || response.BatchItemFailures == nil {
		t.Fatalf("Handle = %+v, %v", response, err)
	}
	failed := []string{}
	for _, failure := range response.BatchItemFailures {
		failed = append(failed, failure.ItemIdentifier)
	}
	slices.SortStableFunc(failed, func(a, b string) int { return cmp.Compare(a[:1], b[:1]) }) // tenants end in any order
	return failed
}

func record(t *testing.T, message string, accepted time.Time) events.SQSMessage {
	t.Helper()
	parts := append(strings.Split(message, "/"), "1")
	e := event.Event{
		Type: event.GoalResumed, Timestamp: time.Now(), EventID: parts[1], TenantID: parts[0],
		Data: json.RawMessage(`{"tenantId":"` + parts[0] + `","goalId":"g"}`),
	}
	body, err := json.Marshal(queue.Message{TenantID: parts[0], EventID: parts[1], AcceptedAt: accepted, Event: e})
	if err != nil {
		t.Fatal(err)
	}
	return events.SQSMessage{MessageId: message, ReceiptHandle: "handle of " + message, Body: string(body), Attributes: map[string]string{"ApproximateReceiveCount": parts[2]}}
}

// got is what a connection received, as event ids; a batch frame is shown in brackets.
func (f *fixture) got(id string) string {
	var frames []string
	last := int64(0)
	for _, m := range f.gateway.Messages(id) {
		if m.Type != "batch" {
			frames = append(frames, m.EventID)
			continue
		}
		var ids []string
		for _, e := range m.Data.Events {
			ids = append(ids, e.EventID)
			if e.Sequence <= last {
				ids = append(ids, "OUT OF ORDER")
			}
			last = e.Sequence
		}
		frames = append(frames, "["+strings.Join(ids, " ")+"]")
	}
	return strings.Join(frames, " ")
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func bubble(t *testing.T, name string, test func(t *testing.T, f *fixture)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { test(t, newFixture(t)) })
	})
}

func TestHandle(t *testing.T) {
	t.Parallel()
	busy := fmt.Errorf("throttled: %w", backoff.ErrTransient)

	bubble(t, "each tenant's members get its events in order, batched if they accept it", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "plain=", false)
		f.member(t, "acme", "batch=", true)
		f.member(t, "rival", "rival=", false)
		equal(t, "failures", []string{}, f.handle(t, "acme/e1", "rival/r1", "acme/e2", "acme/e3"))
		equal(t, "plain", "e1 e2 e3", f.got("plain="))
		equal(t, "batch", "[e1 e2 e3]", f.got("batch="))
		equal(t, "rival", "r1", f.got("rival="))
	})

	bubble(t, "a single event is a frame of its own for all", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "batch=", true)
		f.handle(t, "acme/e1")
		equal(t, "batch", "e1", f.got("batch="))
	})

	bubble(t, "an event that comes again keeps its number and is posted again", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.handle(t, "acme/e1", "acme/e2")
		f.handle(t, "acme/e3", "acme/e1")
		equal(t, "frames", "e1 e2 e1 e3", f.got("a="))
		messages := f.gateway.Messages("a=")
		equal(t, "number of the repeat", messages[0].Sequence, messages[2].Sequence)
		equal(t, "next number", messages[0].Sequence+2, messages[3].Sequence)
	})

	bubble(t, "a repeat within the batch is dropped and counts as done", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		equal(t, "failures", []string{}, f.handle(t, "acme/e1", "acme/e1", "acme/e2", "acme/e1"))
		equal(t, "frames", "e1 e2", f.got("a="))
	})

	bubble(t, "a failed tenant reports all its messages and the others none", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.member(t, "rival", "rival=", false)
		f.handler.Events = failing{f.log, "acme", busy}
		failed := f.handle(t, "acme/e1", "rival/r1", "acme/e2")
		equal(t, "failures", []string{"acme/e1", "acme/e2"}, failed)
		equal(t, "retry", []string{"2s handle of acme/e1,handle of acme/e2"}, f.retries)
		f.handler.Events = f.log
		equal(t, "failures of the redelivery", []string{}, f.handle(t, "acme/e1/2", "acme/e2/2"))
		equal(t, "frames", "e1 e2", f.got("a="))
		equal(t, "rival's frames", "r1", f.got("rival="))
	})

	bubble(t, "the wait doubles with each receive to 30 s", func(t *testing.T, f *fixture) {
		f.connections.Before = func(context.Context, string) error { return busy }
		for receives := 1; receives <= 7; receives++ {
			f.handle(t, fmt.Sprintf("acme/e1/%d", receives))
		}
		var waits []string
		for _, r := range f.retries {
			waits = append(waits, strings.Fields(r)[0])
		}
		equal(t, "waits", []string{"2s", "4s", "8s", "16s", "30s", "30s", "30s"}, waits)
	})

	bubble(t, "what the table refuses is found alone and put aside, the others go on in order", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.handler.Events = poisoned{f.log, "e2"}
		equal(t, "failures", []string{}, f.handle(t, "acme/e1", "acme/e2", "acme/e3"))
		equal(t, "frames", "e1 e3", f.got("a="))
		equal(t, "put aside", []string{"pusher not_storable e2"}, f.refused)
	})

	bubble(t, "what can't be put aside fails it and what is behind it", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.handler.Events = poisoned{f.log, "e2"}
		f.refuseErr = errors.New("queue is away")
		failed := f.handle(t, "acme/e1/3", "acme/e2/3", "acme/e3/3")
		equal(t, "failures", []string{"acme/e2/3", "acme/e3/3"}, failed)
		equal(t, "frames", "e1", f.got("a="))
	})

	bubble(t, "from the third receive on what was delivered before a failure is done", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		commits := 0
		f.logStore.Before = func(_ context.Context, step string) error {
			if step == "commit" {
				commits++
			}
			if commits > 1 {
				return busy
			}
			return nil
		}
		failed := f.handle(t, "acme/e1/3", "acme/e2/1", "acme/e3/1")
		equal(t, "failures", []string{"acme/e2/1", "acme/e3/1"}, failed)
		equal(t, "frames", "e1", f.got("a="))
	})

	bubble(t, "on its last receives a failing message is passed over, and the others are done", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.handler.Events = stubborn{f.log, "p", busy}
		equal(t, "failures", []string{"acme/p/8"}, f.handle(t, "acme/p/8", "acme/e1/8", "acme/e2/2"))
		equal(t, "frames", "e1 e2", f.got("a="))
		equal(t, "failures before", []string{"acme/p/7", "acme/e3/7"}, f.handle(t, "acme/p/7", "acme/e3/7"))
	})

	bubble(t, "a refused message does not hide a fresh one of the same event", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		equal(t, "failures", []string{}, f.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{
			record(t, "acme/e1", time.Now().Add(-37*time.Hour)), record(t, "acme/e1", time.Now()),
		}}))
		equal(t, "frames", "e1", f.got("a="))
	})

	bubble(t, "what is refused in the middle but can't be put aside is not done", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.refuseErr = errors.New("queue is away")
		failed := f.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{record(t, "acme/old", time.Now().Add(-37*time.Hour)), record(t, "acme/e1", time.Now())}})
		equal(t, "failures", []string{"acme/old", "acme/e1"}, failed)
		equal(t, "frames", "", f.got("a="))
	})

	bubble(t, "a token that ends between the reading and the post gets nothing", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		f.connections.Before = func(_ context.Context, step string) error {
			if step == "members" { // read just before the token's end, returned after it
				time.Sleep(time.Hour - time.Millisecond)
			}
			return nil
		}
		f.handler.Members = slowMembers{f.connections}
		f.handle(t, "acme/e1")
		equal(t, "calls", []string{}, f.gateway.Calls())
		if !strings.Contains(f.metrics.String(), `"postsExpired":[1]`) {
			t.Errorf("metrics = %s", f.metrics.String())
		}
	})

	bubble(t, "an event accepted over 36 hours ago is put aside", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		equal(t, "failures", []string{}, f.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{
			record(t, "acme/old", time.Now().Add(-36*time.Hour-time.Second)), record(t, "acme/e1", time.Now().Add(-36*time.Hour)),
		}}))
		equal(t, "frames", "e1", f.got("a="))
		equal(t, "put aside", []string{"pusher too_old old"}, f.refused)
		if !strings.Contains(f.metrics.String(), `"reason":"too_old"`) {
			t.Errorf("metrics = %s", f.metrics.String())
		}
	})

	bubble(t, "a message of somebody else is put aside", func(t *testing.T, f *fixture) {
		foreign := record(t, "acme/e1", time.Now())
		foreign.Body = strings.Replace(foreign.Body, `"tenantId":"acme"`, `"tenantId":"rival"`, 1) // not the event's own tenant
		equal(t, "failures", []string{}, f.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{foreign, {MessageId: "x", Body: "hello"}}}))
		equal(t, "put aside", []string{"pusher malformed_message ", "pusher malformed_message "}, f.refused)
		f.refuseErr = errors.New("queue is away")
		equal(t, "failures", []string{"x"}, f.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "x", Body: "hello"}}}))
	})

	bubble(t, "failed posts are counted and fail nothing; who is gone is forgotten", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "gone=", false)
		f.member(t, "acme", "broken=", false)
		f.member(t, "acme", "well=", false)
		f.gateway.Fail = func(_, id string) error {
			return map[string]error{"gone=": fmt.Errorf("410: %w", push.ErrGone), "broken=": errors.New("403")}[id]
		}
		equal(t, "failures", []string{}, f.handle(t, "acme/e1", "acme/e2"))
		equal(t, "well", "e1 e2", f.got("well="))
		members, err := f.connections.Members(t.Context(), "acme")
		if err != nil || len(members) != 2 || slices.ContainsFunc(members, func(m connection.Member) bool { return m.ConnectionID == "gone=" }) {
			t.Errorf("members = %v, %v, want the two that are not gone", members, err)
		}
		for _, metric := range []string{`"postsDelivered":[2]`, `"postsGone":[2]`, `"postsFailed":[2]`} {
			if !strings.Contains(f.metrics.String(), metric) {
				t.Errorf("metrics lack %s: %s", metric, f.metrics.String())
			}
		}
	})

	bubble(t, "a member whose token ran out gets nothing", func(t *testing.T, f *fixture) {
		f.member(t, "acme", "a=", false)
		time.Sleep(time.Hour)
		f.handle(t, "acme/e1")
		equal(t, "calls", []string{}, f.gateway.Calls())
	})
}

// poisoned is a log whose table refuses one event.
type poisoned struct {
	*eventlog.Log
	eventID string
}

func (p poisoned) Append(ctx context.Context, tenantID string, entries []eventlog.Entry) ([]eventlog.Record, error) {
	if slices.ContainsFunc(entries, func(e eventlog.Entry) bool { return e.EventID == p.eventID }) {
		return nil, fmt.Errorf("commit: %w", eventlog.ErrInvalid)
	}
	return p.Log.Append(ctx, tenantID, entries)
}

// failing is a log that fails for one tenant.
type failing struct {
	*eventlog.Log
	tenantID string
	err      error
}

func (f failing) Append(ctx context.Context, tenantID string, entries []eventlog.Entry) ([]eventlog.Record, error) {
	if tenantID == f.tenantID {
		return nil, f.err
	}
	return f.Log.Append(ctx, tenantID, entries)
}

// slowMembers takes a second to return what it has read.
type slowMembers struct{ *connectiontest.Memory }

func (s slowMembers) Members(ctx context.Context, tenantID string) ([]connection.Member, error) {
	members, err := s.Memory.Members(ctx, tenantID)
	time.Sleep(time.Second)
	return members, err
}

// stubborn is a log that fails for one event.
type stubborn struct {
	*eventlog.Log
	eventID string
	err     error
}

func (s stubborn) Append(ctx context.Context, tenantID string, entries []eventlog.Entry) ([]eventlog.Record, error) {
	if slices.ContainsFunc(entries, func(e eventlog.Entry) bool { return e.EventID == s.eventID }) {
		return nil, s.err
	}
	return s.Log.Append(ctx, tenantID, entries)
}

func TestAPushThatDoesNotEndInTimeIsNotDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.handler.Push = push.New(hanging{}, 1, backoff.RealClock())
		for i := range 60 {
			f.member(t, "acme", fmt.Sprint(i, "="), false)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		began := time.Now()
		response, err := f.handler.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{record(t, "acme/e1", time.Now())}})
		if err != nil || len(response.BatchItemFailures) != 1 {
			t.Errorf("Handle = %+v, %v, want the message back", response, err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("answered after %v, want two seconds before the function's end", took)
		}
	})
}

type hanging struct{}

func (hanging) Post(ctx context.Context, _ string, _ push.Frame) error {
	<-ctx.Done()
	return fmt.Errorf("no answer: %w", backoff.ErrTransient)
}

func TestTheSampleIsPushed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../events/pusher.json")
	if err != nil {
		t.Fatal(err)
	}
	var batch events.SQSEvent
	if err := json.Unmarshal(data, &batch); err != nil {
		t.Fatal(err)
	}
	m, err := queue.Decode(batch.Records[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.handler.Now = func() time.Time { return m.AcceptedAt }
	f.member(t, "demo", "a=", false)
	equal(t, "failures", []string{}, f.handleBatch(t, batch))
	equal(t, "frames", m.EventID, f.got("a="))
}
