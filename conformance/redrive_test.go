package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/localtest"
)

// The dead-letter queues with every shape in them as it really comes about, and `make redrive` at work on them. The stack's minute
// passes in a second, or a test would wait for Lambda's retries and for what a killed program leaves hidden.
func TestRedrive(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	s := localtest.Start(t, localtest.Options{Parameters: map[string]string{"AwsEndpointUrl": w.URL}, Speed: 60})
	w.connect(t, s.URL)
	program := build(t, "../shared/queue/redrive")
	for _, tt := range []struct {
		name string
		test func(*testing.T, *localtest.Stack, *wire, *desk)
	}{
		{"a refused event is shown, mended, sent, and arrives", redriveRefused},
		{"an event that the broadcaster failed on arrives", redriveFailed},
		{"events that the pusher failed on keep their numbers", redriveTenantQueue},
		{"messages that the pusher refused", redriveRefusedMessages},
		{"a run that is killed, one that is interrupted, and two at once lose nothing", redriveInterrupted},
	} {
		t.Run(tt.name, func(t *testing.T) { // one after the other: the queues are the same
			d := &desk{t, program, s.URL, queueClient(s.URL)}
			tt.test(t, s, w, d)
			d.await("DeadLetterQueue", 0)
			d.await("TenantDeadLetterQueue", 0)
		})
	}
}

// watcher is a client whose token outlives the hurried test.
func watcher(t *testing.T, s *localtest.Stack, tenant string) *client {
	c := newClient(t, s, tenant, "ana", "[]")
	c.token = s.Token(t, tenant, "ana", 100*time.Hour)
	_ = c.connect().conn.CloseNow() // from here on it misses nothing
	return c
}

func redriveRefused(t *testing.T, s *localtest.Stack, _ *wire, d *desk) {
	tenant := tenantOf(t)
	c := watcher(t, s, tenant)
	domain := newService(t, s)
	bad := domain.entry(tenant, "bad")
	bad.Detail = aws.String(strings.Replace(*bad.Detail, `"resumedBy":"user-1"`, `"resumedBy":7`, 1))
	nobody := domain.entry(tenant, "nobody's")
	nobody.Detail = aws.String(strings.Replace(*nobody.Detail, `"tenantId"`, `"tenant"`, 1))
	domain.putEntries(bad, nobody)
	d.await("DeadLetterQueue", 2)

	first := d.expect(0, []string{
		"invalid_payload", "broadcaster", "goal.resumed", tenant, "stays: resumedBy must be", "tenant_missing", "stays: tenantId must name", "2 letters: 2 stay", "Nothing was changed",
	})
	if strings.Contains(first, "goal-1") {
		t.Errorf("a look shows the payload:\n%s", first)
	}
	d.await("DeadLetterQueue", 2)
	again := d.expect(0, nil)
	if diff := cmp.Diff(slices.Sorted(slices.Values(ids(first))), slices.Sorted(slices.Values(ids(again)))); diff != "" || len(ids(first)) != 2 {
		t.Errorf("two looks differ:\n%s", diff)
	}
	d.expect(3, []string{"2 letters: 2 stay"}, "--send")
	d.await("DeadLetterQueue", 2)

	d.headless()
	d.await("DeadLetterQueue", 2)

	id := ids(d.expect(0, nil, "--reason", "invalid_payload", "--tenant", tenant))[0]
	d.expect(0, []string{`"goalId": "goal-1"`}, "--only", id, "--show")
	file := filepath.Join(t.TempDir(), "event.json")
	d.expect(0, []string{"its detail is in " + file}, "--only", id, "--save", file)
	detail, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d.expect(3, []string{"1 letter: 1 stay", "resumedBy must be"}, "--only", id, "--detail", file, "--send") // not mended yet
	mended := bytes.Replace(detail, []byte(`"resumedBy": 7`), []byte(`"resumedBy": "user-1"`), 1)
	if err := os.WriteFile(file, mended, 0o600); err != nil {
		t.Fatal(err)
	}
	d.expect(0, []string{"1 would be sent"}, "--only", id, "--detail", file)
	d.await("DeadLetterQueue", 2)
	d.expect(0, []string{"1 letter: 1 sent"}, "--only", id, "--detail", file, "--send")
	socket := c.connect()
	c.until(socket, 1)
	if got := c.events[0]; got.EventID != "bad" || got.Type != "goal.resumed" || got.CorrelationID != "call of bad" {
		t.Errorf("arrived: %+v", got)
	}
	d.expect(1, []string{"no letter " + id}, "--only", id)
	d.await("DeadLetterQueue", 1)
	d.expect(0, []string{"1 dropped"}, "--drop", ids(d.expect(0, nil))[0])
}

func redriveFailed(t *testing.T, s *localtest.Stack, w *wire, d *desk) {
	tenant := tenantOf(t)
	c := watcher(t, s, tenant)
	domain := newService(t, s)
	own := domain.entry(tenant, "own")
	// EventBridge's id is its only one, and must become its own.
	own.Detail = aws.String(strings.Replace(*own.Detail, `"eventId"`, `"note"`, 1))
	mend := w.cut("SendMessage", "AccessDenied")
	out, err := domain.client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{own}})
	if err != nil {
		t.Fatal(err)
	}
	d.await("DeadLetterQueue", 1)
	mend()
	d.expect(0, []string{"lambda", "RetriesExhausted", "goal.resumed", tenant, *out.Entries[0].EventId, "would go to the bus", "AccessDenied"})
	d.await("DeadLetterQueue", 1)
	d.expect(0, []string{"1 letter: 1 sent"}, "--send")
	c.until(c.connect(), 1)
	if got := c.events[0].EventID; got != *out.Entries[0].EventId {
		t.Errorf("event id %q, want EventBridge's first one, %q", got, *out.Entries[0].EventId)
	}
}

func redriveTenantQueue(t *testing.T, s *localtest.Stack, w *wire, d *desk) {
	const count = 12
	tenant := tenantOf(t)
	c := watcher(t, s, tenant)
	head := c.position
	domain := newService(t, s)
	mend := w.cut("Query", "AccessDeniedException") // the pusher numbers and stores, and then can't read the members
	domain.put(tenant, names("numbered", count)...)
	d.await("TenantDeadLetterQueue", count)
	mend()
	look := d.expect(0, []string{"tenant-queue", "receives_exhausted", tenant, "would go to the tenant queue", "about 2 more are behind these"})
	if len(ids(look)) != 10 {
		t.Errorf("a look shows %d letters of one tenant, a FIFO queue gives ten", len(ids(look)))
	}
	d.await("TenantDeadLetterQueue", count)
	if _, hidden := d.letters("TenantQueue"); hidden > 0 {
		t.Error("a look has sent")
	}
	socket := c.connect() // it has them from the log
	domain.put(tenant, "after")
	c.until(socket, count+1)
	inOrder(t, "client", c)
	if first := c.events[0].Sequence; first != head+1 || c.events[count].EventID != "after" {
		t.Errorf("the first has number %d, want %d; the last is %s", first, head+1, c.events[count].EventID)
	}
	d.expect(0, []string{fmt.Sprintf("%d letters: %[1]d sent", count)}, "--send")
	for c.repeats < count { // and now they are pushed, under their numbers
		c.take(socket.next())
	}
	wholeLog(t, c, socket)
}

// wholeLog checks that the tenant has no event that the client has not.
func wholeLog(t *testing.T, c *client, s *socket) {
	t.Helper()
	s.send(`{"action":"ping"}`)
	if m := s.nextOf("pong").answer(t); m.Sequence != c.position || len(c.held) > 0 {
		t.Errorf("the head is %d, the last event %d, %d beyond: an event has two numbers", m.Sequence, c.position, len(c.held))
	}
}

func redriveRefusedMessages(t *testing.T, s *localtest.Stack, w *wire, d *desk) {
	tenant := tenantOf(t)
	c := watcher(t, s, tenant)
	mend := w.cut("TransactWriteItems", "ValidationException")
	newService(t, s).put(tenant, "not-storable")
	d.await("DeadLetterQueue", 1)
	mend()
	old, err := json.Marshal(map[string]any{
		"tenantId": tenant, "eventId": "old", "acceptedAt": time.Now().Add(-40 * time.Hour),
		"event": map[string]any{
			"type": "goal.resumed", "timestamp": "2026-11-22T09:00:00.000Z", "eventId": "old", "tenantId": tenant,
			"data": map[string]string{"tenantId": tenant, "goalId": "goal-1", "resumedAt": "2026-11-22T09:00:00.000Z", "resumedBy": "user-1"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range []string{string(old), `{"tenantId":"nobody's"}`} {
		_, err := d.queues.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String("TenantQueue"), MessageBody: &body, MessageGroupId: aws.String(strconv.Itoa(i)), MessageDeduplicationId: aws.String(strconv.Itoa(i)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.await("DeadLetterQueue", 3)
	d.expect(3, []string{"not_storable", "too_old", "--may-repeat", "malformed_message", "3 letters: 1 sent, 2 stay"}, "--send")
	c.until(c.connect(), 1)
	d.expect(0, []string{"1 letter: 1 sent"}, "--reason", "too_old", "--may-repeat", "--send")
	c.until(c.connect(), 2)
	if diff := cmp.Diff([]string{"not-storable", "old"}, c.ids()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	d.expect(0, []string{"1 dropped"}, "--drop", ids(d.expect(0, nil, "--reason", "malformed_message"))[0])
}

func redriveInterrupted(t *testing.T, s *localtest.Stack, w *wire, d *desk) {
	const count = 60
	tenant := tenantOf(t)
	c := watcher(t, s, tenant)
	want := names("event", count)
	mend := w.cut("SendMessage", "AccessDenied")
	newService(t, s).put(tenant, want...)
	d.await("DeadLetterQueue", count)
	mend()

	// Killed when the bus has its second page and it does not know it yet.
	d.end(w, syscall.SIGKILL)
	if visible, hidden := d.letters("DeadLetterQueue"); visible+hidden != count-10 {
		t.Errorf("%d visible and %d hidden after the kill, want all but the first page", visible, hidden)
	}
	d.await("DeadLetterQueue", count-10)
	// Interrupted at the same point: it finishes the page.
	out := d.end(w, syscall.SIGINT)
	if !strings.Contains(out, "redrive: interrupted") || !strings.Contains(out, "20 letters: 20 sent") {
		t.Errorf("it said:\n%s", out)
	}
	if visible, hidden := d.letters("DeadLetterQueue"); visible != count-30 || hidden != 0 {
		t.Errorf("%d visible and %d hidden after the interruption, want %d and 0", visible, hidden, count-30)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { d.expect(0, nil, "--send") })
	}
	both.Wait()
	socket := c.connect()
	c.until(socket, count)
	inOrder(t, "client", c)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(c.ids()))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	wholeLog(t, c, socket)
}

// The rule's dead letters come about where Lambda itself can't be called: here it is another program's, as with sam local.
func TestRedriveOfWhatEventBridgeCouldNotDeliver(t *testing.T) {
	t.Parallel()
	var there sync.Mutex // locked = the function is away
	there.Lock()
	payloads := make(chan []byte, 1)
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.URL.Path, "/BroadcasterFunction/"): // the sweeper's minute
		case !there.TryLock():
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"Type":"User","Message":"Function not found: BroadcasterFunction"}`)
			return
		default:
			there.Unlock()
			payload, _ := io.ReadAll(r.Body)
			payloads <- payload
		}
		_, _ = io.WriteString(w, "null")
	}))
	t.Cleanup(lambda.Close)
	s := &localtest.Stack{Bus: "local-events", URL: runLocal(t, "--lambda-endpoint", lambda.URL)}
	d := &desk{t, build(t, "../shared/queue/redrive"), s.URL, queueClient(s.URL)}
	domain := newService(t, s)
	own := domain.entry("acme", "own")
	own.Detail = aws.String(strings.Replace(*own.Detail, `"eventId"`, `"note"`, 1))
	out, err := domain.client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{own}})
	if err != nil {
		t.Fatal(err)
	}
	d.await("DeadLetterQueue", 1)
	there.Unlock()
	first := *out.Entries[0].EventId
	d.expect(0, []string{"eventbridge", "NO_RESOURCE", "Function not found", "goal.resumed", "acme", first, "would go to the bus"})
	d.expect(0, []string{"1 letter: 1 sent"}, "--send")
	var again struct {
		ID     string
		Source string
		Detail struct{ EventID, Note string }
	}
	select {
	case payload := <-payloads:
		if err := json.Unmarshal(payload, &again); err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the event was not delivered again")
	}
	if again.ID == first || again.Detail.EventID != first || again.Detail.Note != "own" || again.Source != "purposepath.goals" {
		t.Errorf("delivered: %+v, want the first event's id %s kept as detail.eventId", again, first)
	}
	d.await("DeadLetterQueue", 0)
}
