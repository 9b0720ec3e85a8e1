package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
)

func fromBus(t *testing.T, detail string) event.Event {
	t.Helper()
	e, err := event.FromBus(busID, "goal.resumed", busTime, []byte(detail))
	if err != nil {
		t.Fatalf("FromBus: %v", err)
	}
	return e
}

// The broadcaster puts the event into a body of its own with encoding/json, which escapes < > & and U+2028.
func TestEventSurvivesJSON(t *testing.T) {
	t.Parallel()
	for _, detail := range []string{
		resumed,
		with(`"eventId":"<&>","correlationId":"c\u2028","note":"<script>&\u2028\"\\\u0000\uffff é"`),
		with(`"title":"` + strings.Repeat("<", 32000) + `"`),
	} {
		e := fromBus(t, detail)
		body, err := json.Marshal(struct{ Event event.Event }{e})
		if err != nil {
			t.Fatal(err)
		}
		var back struct{ Event event.Event }
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, back.Event); diff != "" {
			t.Errorf("event after JSON (-before +after):\n%s", diff)
		}
		if _, err := back.Event.Envelope(event.MaxSequence); err != nil {
			t.Errorf("its envelope after JSON: %v", err)
		}
	}
}

func TestEventIsAnEnvelopeWithoutNumber(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(fromBus(t, with(`"correlationId":"c1"`)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"goal.resumed","timestamp":"2026-03-02T08:15:00.000Z","eventId":"` + busID + `","tenantId":"acme","data":` + resumed + `,"correlationId":"c1"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Event as JSON (-want +got):\n%s", diff)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	const valid = `{"type":"goal.resumed","timestamp":"2026-03-02T08:15:00.000Z","eventId":"e","tenantId":"t","data":{}}`
	var e event.Event
	if err := json.Unmarshal([]byte(valid), &e); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no type":          strings.Replace(valid, "goal.resumed", "", 1),
		"no eventId":       strings.Replace(valid, `"eventId":"e",`, "", 1),
		"no tenantId":      strings.Replace(valid, `"tenantId":"t",`, "", 1),
		"no time":          strings.Replace(valid, "2026-03-02T08:15:00.000Z", "soon", 1),
		"no data":          strings.Replace(valid, `,"data":{}`, "", 1),
		"data is a list":   strings.Replace(valid, "{}", "[]", 1),
		"a list":           "[]",
		"data names twice": strings.Replace(valid, "{}", `{"a":1,"a":2}`, 1),
	} {
		if err := json.Unmarshal([]byte(text), &e); err == nil {
			t.Errorf("%s: got %+v, want an error", name, e)
		}
	}
}

func TestEnvelopeRefuses(t *testing.T) {
	t.Parallel()
	good := fromBus(t, resumed)
	data := func(text string) event.Event {
		e := good
		e.Data = json.RawMessage(text)
		return e
	}
	tests := []struct {
		name     string
		event    event.Event
		sequence int64
	}{
		{"number 0", good, 0},
		{"a negative number", good, -1},
		{"a number JavaScript can't hold", good, event.MaxSequence + 1},
		{"no data", data(""), 1},
		{"a list for data", data("[]"), 1},
		{"broken data", data(`{"a":`), 1},
		{"data over a frame", data(`{"s":"` + strings.Repeat("s", event.MaxFrameBytes) + `"}`), 1},
	}
	for _, tt := range tests {
		if envelope, err := tt.event.Envelope(tt.sequence); err == nil {
			t.Errorf("%s: got %.60s, want an error", tt.name, envelope)
		}
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 15, 0, 123_999_999, time.FixedZone("CET", 3600))
	envelope := func(sequence int64, size int) []byte {
		e := fromBus(t, with(`"s":"`+strings.Repeat("s", size)+`"`))
		text, err := e.Envelope(sequence)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	small := func(n int) (list [][]byte) {
		for i := range n {
			list = append(list, envelope(int64(i+1), 10))
		}
		return list
	}
	// full makes two envelopes whose batch is spare bytes short of the limit.
	full := func(spare int) [][]byte {
		head := len(`{"type":"batch","timestamp":"2026-03-02T08:15:00.123Z","data":{"events":[`) + len(`,`) + len(`]}}`)
		first := envelope(1, 16000)
		rest := event.MaxFrameBytes - spare - head - len(first)
		return [][]byte{first, envelope(2, rest-len(envelope(2, 0)))}
	}
	tests := []struct {
		name      string
		envelopes [][]byte
		batch     bool
		want      []int // events in each frame
	}{
		{"nothing", nil, true, nil},
		{"one travels as itself", small(1), true, []int{1}},
		{"several travel together", small(3), true, []int{3}},
		{"not asked for", small(3), false, []int{1, 1, 1}},
		{"a full batch", full(0), true, []int{2}},
		{"one byte too many", full(-1), true, []int{1, 1}},
		{"a hundred and fifty", small(150), true, []int{126, 24}},
		{"a large one ends a batch", [][]byte{envelope(1, 10), envelope(2, 32500), envelope(3, 10), envelope(4, 10)}, true, []int{1, 1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []int
			var sent [][]byte
			for _, frame := range event.Frames(at, tt.envelopes, tt.batch) {
				if len(frame) > event.MaxFrameBytes {
					t.Errorf("a frame of %d bytes", len(frame))
				}
				var message struct {
					Type, Timestamp string
					Data            event.Batch
				}
				if err := json.Unmarshal(frame, &message); err != nil {
					t.Fatalf("frame is no JSON: %v", err)
				}
				if message.Type != "batch" {
					got, sent = append(got, 1), append(sent, frame)
					continue
				}
				if message.Timestamp != "2026-03-02T08:15:00.123Z" {
					t.Errorf("timestamp %s", message.Timestamp)
				}
				got = append(got, len(message.Data.Events))
				for _, e := range message.Data.Events {
					sent = append(sent, e)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events in each frame (-want +got):\n%s", diff)
			}
			if !bytes.Equal(bytes.Join(sent, []byte("\n")), bytes.Join(tt.envelopes, []byte("\n"))) {
				t.Error("the frames do not carry the envelopes in their order, byte for byte")
			}
		})
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 8, 15, 0, 999_999, time.UTC)
	tests := []struct {
		name string
		t    event.Type
		data any
		want string
	}{
		{"auth.success without a position", event.TypeAuthSuccess, event.AuthSuccess{TenantID: "t", UserID: "u", ConnectionID: "c", ExpiresAt: event.TimestampOf(at), Protocol: 1, Accepted: []string{}, Sequence: 5},
			`{"type":"auth.success","timestamp":"2026-03-02T08:15:00.000Z","data":{"tenantId":"t","userId":"u","connectionId":"c","expiresAt":"2026-03-02T08:15:00.000Z","protocol":1,"accepted":[],"sequence":5}}`},
		{"pong with a position that could not be recovered", event.TypePong, event.Pong{Sequence: 5, Recovery: &event.Recovery{After: new(int64(0))}},
			`{"type":"pong","timestamp":"2026-03-02T08:15:00.000Z","data":{"sequence":5,"after":0,"recovered":false}}`},
		{"pong after a first page", event.TypePong, event.Pong{Sequence: 5, Recovery: &event.Recovery{After: new(int64(3)), Recovered: true, More: true}, Ref: "<&>"},
			`{"type":"pong","timestamp":"2026-03-02T08:15:00.000Z","data":{"sequence":5,"after":3,"recovered":true,"more":true,"ref":"<&>"}}`},
		{"connection_error", event.TypeConnectionError, event.ConnectionError{Error: "e", Code: event.CodeForbidden, Reason: event.ReasonReplaced},
			`{"type":"connection_error","timestamp":"2026-03-02T08:15:00.000Z","data":{"error":"e","code":"FORBIDDEN","reason":"replaced"}}`},
		{"rotate", event.TypeRotate, event.Rotate{WithinMs: 0}, `{"type":"rotate","timestamp":"2026-03-02T08:15:00.000Z","data":{"withinMs":0}}`},
	}
	for _, tt := range tests {
		got, err := event.Control(tt.t, at, tt.data)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for name, call := range map[string]struct {
		t    event.Type
		data any
	}{
		"another message's data": {event.TypePong, event.Rotate{}},
		"a domain event":         {event.GoalCreated, event.GoalCreatedData{}},
		"a client's message":     {event.TypePing, event.PingMessage{}},
		"an unknown type":        {"hello", event.Pong{}},
	} {
		if got, err := event.Control(call.t, at, call.data); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
}
