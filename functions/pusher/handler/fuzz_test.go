package handler_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
)

// FuzzHandle: whatever a message of the queue holds, it is numbered or put aside, the message beside it is delivered, and no other tenant's
// connection gets anything.
func FuzzHandle(f *testing.F) {
	good, err := json.Marshal(queue.Message{TenantID: "acme", EventID: "e1", AcceptedAt: time.Now(), Event: event.Event{
		Type: event.GoalResumed, Timestamp: time.Now(), EventID: "e1", TenantID: "acme", Data: json.RawMessage(`{"tenantId":"acme"}`),
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good), "1")
	f.Add(`{"tenantId":"acme"}`, "3")
	f.Add(`[]`, "")
	f.Add("\xff", "9999999999999999999")
	f.Fuzz(func(t *testing.T, body, received string) {
		fixture := newFixture(t)
		fixture.member(t, "rival", "r=", false)
		beside := record(t, "beside/b", time.Now())
		fixture.member(t, "beside", "b=", false)
		foreign := events.SQSMessage{MessageId: "foreign", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": received}}
		if failed := fixture.handleBatch(t, events.SQSEvent{Records: []events.SQSMessage{foreign, beside}}); len(failed) != 0 {
			t.Errorf("failed: %q", failed)
		}
		if got := fixture.got("b="); got != "b" {
			t.Errorf("beside it arrived %q", got)
		}
		m, err := queue.Decode(body)
		if (err != nil || m.TenantID != "rival") && fixture.got("r=") != "" {
			t.Errorf("another tenant got %q", fixture.got("r="))
		}
		if err == nil && m.TenantID == "beside" {
			return
		}
		_, errHead := fixture.log.Head(t.Context(), m.TenantID)
		if numbered := err == nil && errHead == nil; numbered == (len(fixture.refused) == 1) {
			t.Errorf("numbered %v, put aside %q", numbered, fixture.refused)
		}
	})
}
