package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
)

var now = time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)

// Details of goal.resumed: one that is accepted, one that is not.
const (
	goodDetail = `{ "tenantId" : "acme", "goalId":"g","resumedAt":"2026-11-25T02:00:00.000Z","resumedBy":"ana"}`
	badDetail  = `{"tenantId":"acme","eventId":"e-1","goalId":"g","resumedAt":"2026-11-25T02:00:00.000Z","resumedBy":7}`
)

// busText is an event as EventBridge writes it.
func busText(detail string) string {
	return `{"version":"0","id":"b-1","detail-type":"goal-resumed","source":"purposepath.goals","account":"123456789012",` +
		`"time":"2026-11-25T02:00:00Z","region":"eu-west-1","resources":["r"],"detail":` + detail + `}`
}

// queuedText is a message of the tenant queue.
func queuedText(t testing.TB, tenantID, eventID string, acceptedAt time.Time) string {
	t.Helper()
	m := queue.Message{TenantID: tenantID, EventID: eventID, AcceptedAt: acceptedAt, Event: event.Event{
		Type: event.GoalResumed, Timestamp: now, EventID: eventID, TenantID: tenantID, CorrelationID: "call-1",
		Data: json.RawMessage(`{"tenantId":"` + tenantID + `","goalId":"g","resumedAt":"2026-11-25T02:00:00.000Z","resumedBy":"ana"}`),
	}}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func recordText(payload, response string) string {
	return `{"version":"1.0","timestamp":"2026-11-25T02:03:04.000Z","requestContext":{"requestId":"r-1",` +
		`"functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:Broadcaster:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},` +
		`"requestPayload":` + payload + `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":` + response + `}`
}

// message is one as SQS gives it, with String attributes from name, value pairs.
func message(body string, attributes ...string) types.Message {
	m := types.Message{
		MessageId: aws.String("m-1"), ReceiptHandle: aws.String("handle"), Body: &body,
		Attributes:        map[string]string{"SentTimestamp": strconv.FormatInt(now.Add(-time.Hour).UnixMilli(), 10)},
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for i := 0; i < len(attributes); i += 2 {
		m.MessageAttributes[attributes[i]] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &attributes[i+1]}
	}
	return m
}

// fromGroup makes it one of the FIFO dead-letter queue.
func fromGroup(m types.Message, group string) types.Message {
	m.Attributes["MessageGroupId"] = group
	m.Attributes["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:123456789012:TenantQueue"
	return m
}

func TestEachShapeIsToldByWhoPutItThere(t *testing.T) {
	t.Parallel()
	undelivered := []string{
		"RULE_ARN", "arn:aws:events:eu-west-1:1:rule/bus/rule", "TARGET_ARN", "arn:aws:lambda:eu-west-1:1:function:Broadcaster",
		"ERROR_CODE", "NO_RESOURCE", "ERROR_MESSAGE", "no such function", "RETRY_ATTEMPTS", "0",
	}
	type shown struct{ By, Reason, More, Type, Tenant, Event, Holds string }
	tests := []struct {
		name    string
		message types.Message
		want    shown
	}{
		{
			"the broadcaster refused it", message(busText(badDetail), "reason", "invalid_payload", "field", "resumedBy", "refusedBy", "broadcaster"),
			shown{"broadcaster", "invalid_payload", "resumedBy", "goal-resumed", "acme", "e-1", "bus"},
		},
		{
			"the broadcaster refused it, and its names are in snake_case",
			message(busText(`{"tenant_id":"acme","event_id":"e-2"}`), "reason", "invalid_payload", "refusedBy", "broadcaster"),
			shown{"broadcaster", "invalid_payload", "", "goal-resumed", "acme", "e-2", "bus"},
		},
		{
			"the broadcaster refused what is no event", message(`null`, "reason", "malformed_detail", "refusedBy", "broadcaster"),
			shown{By: "broadcaster", Reason: "malformed_detail", Holds: "nothing"},
		},
		{
			"the pusher refused it", message(queuedText(t, "acme", "e-3", now), "reason", "too_old", "refusedBy", "pusher"),
			shown{"pusher", "too_old", "", "goal.resumed", "acme", "e-3", "queued"},
		},
		{
			"the pusher refused what is no message", message(`{"tenantId":"acme"}`, "reason", "malformed_message", "refusedBy", "pusher"),
			shown{By: "pusher", Reason: "malformed_message", Holds: "nothing"},
		},
		{
			"EventBridge could not call the broadcaster", message(busText(goodDetail), undelivered...),
			shown{"eventbridge", "NO_RESOURCE", "no such function", "goal.resumed", "acme", "b-1", "bus"},
		},
		{
			"the broadcaster failed three times", message(recordText(busText(goodDetail), `{"errorMessage":"send event b-1: denied","errorType":"wrapError"}`)),
			shown{"lambda", "RetriesExhausted", "wrapError: send event b-1: denied", "goal.resumed", "acme", "b-1", "bus"},
		},
		{
			"the broadcaster was never run", message(recordText(busText(goodDetail), `null`)),
			shown{"lambda", "RetriesExhausted", "", "goal.resumed", "acme", "b-1", "bus"},
		},
		{
			"another function failed", message(recordText(`{"hello":"world"}`, `"text"`)),
			shown{By: "lambda", Reason: "RetriesExhausted", Holds: "nothing"},
		},
		{
			"the pusher failed ten times", fromGroup(message(queuedText(t, "acme", "e-4", now)), "group"),
			shown{"tenant-queue", "receives_exhausted", "", "goal.resumed", "acme", "e-4", "queued"},
		},
		{
			"a body that looks like Lambda's record, refused", message(recordText(busText(goodDetail), `null`), "reason", "malformed_detail", "refusedBy", "broadcaster"),
			shown{By: "broadcaster", Reason: "malformed_detail", Holds: "nothing"},
		},
		{"an event that nobody vouches for", message(busText(goodDetail)), shown{By: "unknown", Reason: "unknown_shape", Holds: "nothing"}},
		{"a greeting", message(`hello`), shown{By: "unknown", Reason: "unknown_shape", Holds: "nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := read(tt.message)
			holds := "nothing"
			if l.bus != nil {
				holds = "bus"
			} else if l.queued != nil {
				holds = "queued"
			}
			if diff := cmp.Diff(tt.want, shown{l.by, l.reason, l.more, l.eventType, l.tenantID, l.eventID, holds}); diff != "" {
				t.Errorf("letter (-want +got):\n%s", diff)
			}
			if (l.unreadable == nil) != (holds != "nothing") {
				t.Errorf("unreadable = %v", l.unreadable)
			}
			if l.id != "m-1" || l.receipt != "handle" || !l.since.Equal(now.Add(-time.Hour)) {
				t.Errorf("letter = %+v", l)
			}
		})
	}
}

// Whatever lies in a queue: what is sent is the event that was there, under its own id, and the broadcaster and the pusher take it.
func FuzzLetter(f *testing.F) {
	f.Add(busText(goodDetail), "broadcaster", "invalid_payload")
	f.Add(busText(badDetail), "broadcaster", "invalid_payload")
	f.Add(busText(strings.Replace(goodDetail, "{", `{"event_id":null,`, 1)), "eventbridge", "NO_RESOURCE")
	f.Add(busText(strings.Replace(goodDetail, "{", `{"eventId":"<e>","event_id":"<e>",`, 1)), "eventbridge", "THROTTLING")
	f.Add(recordText(busText(goodDetail), `null`), "lambda", "")
	f.Add(queuedText(f, "acme", "e-1", now), "pusher", "not_storable")
	f.Add(queuedText(f, "acme", "e-1", now), "tenant-queue", "")
	f.Add(`{"replay-name":"r"}`, "broadcaster", "x")
	f.Fuzz(func(t *testing.T, body, by, reason string) {
		m := message(body)
		switch by {
		case "broadcaster", "pusher":
			m = message(body, "refusedBy", by, "reason", reason)
		case "eventbridge":
			m = message(body, "RULE_ARN", "r", "TARGET_ARN", "t", "ERROR_CODE", reason)
		case "tenant-queue":
			m = fromGroup(m, "group")
		}
		l := read(m)
		p, err := plan{queue: "http://localhost/1/TenantQueue", now: func() time.Time { return now }}.parcel(l)
		switch {
		case err != nil:
		case p.bus != nil:
			was, err := event.FromBus(l.bus.ID, l.bus.DetailType, l.bus.Time, l.bus.Detail)
			if err != nil {
				t.Fatalf("sent, though it is refused: %v", err)
			}
			// EventBridge gives it another id of its own.
			is, err := event.FromBus("another", p.bus.DetailType, p.bus.Time, p.bus.Detail)
			if err != nil {
				t.Fatalf("sent as %s, which is refused: %v", p.bus.Detail, err)
			}
			if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("another event is sent (-was +is):\n%s", diff)
			}
		case p.queued != nil:
			sent, err := json.Marshal(p.queued)
			if err != nil {
				t.Fatal(err)
			}
			is, err := queue.Decode(string(sent))
			if err != nil {
				t.Fatalf("sent as %s, which is refused: %v", sent, err)
			}
			if diff := cmp.Diff(l.queued.Event, is.Event); diff != "" {
				t.Errorf("another event is sent (-was +is):\n%s", diff)
			}
		default:
			t.Error("an empty parcel")
		}
	})
}
