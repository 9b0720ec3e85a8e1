package main

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
)

// Who gave a letter up. Each has a shape of its own.
const (
	byBroadcaster = "broadcaster"  // refused: the event as EventBridge sent it; attributes reason, field, refusedBy
	byPusher      = "pusher"       // refused: a message of the tenant queue; the same attributes
	byEventBridge = "eventbridge"  // Lambda could not be called: the event; attributes RULE_ARN, TARGET_ARN, ERROR_CODE, …
	byLambda      = "lambda"       // the broadcaster failed: Lambda's record of the invocation, with the event in it
	byTenantQueue = "tenant-queue" // the pusher failed ten times: a message of the tenant queue, as it was
	byNobody      = "unknown"      // none of these
)

// reasonReceives is the reason of the tenant queue's letters, which have no other.
const reasonReceives = "receives_exhausted"

// A letter is one message of a dead-letter queue.
type letter struct {
	id      string // SQS's, a UUID
	receipt string // of the last receive
	group   string // message group; "" in the standard queue
	source  string // ARN of the queue that gave it up; "" in the standard queue
	body    string
	since   time.Time // when it came to the dead-letter queue

	by     string // one of the by… constants
	reason string // a word of whoever gave it up
	more   string // what else that one said, if anything

	// At most one of the two is there; without them the letter can't be sent, and unreadable says why.
	bus        *busEvent
	queued     *queue.Message
	unreadable error

	// What there is to show of the event, also of one that is refused.
	eventType string
	tenantID  string
	eventID   string
}

// A busEvent is an event as EventBridge delivers it.
type busEvent struct {
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	ReplayName string          `json:"replay-name"`
	Detail     json.RawMessage `json:"detail"`
}

// A failure is the record of an asynchronous invocation that failed for good.
//
// Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations".
type failure struct {
	RequestContext *struct {
		Condition string `json:"condition"` // RetriesExhausted or EventAgeExceeded
	} `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	ResponsePayload json.RawMessage `json:"responsePayload"` // what the function answered; null if it never ran
}

// read tells the shapes apart. Attributes come first: only who may send to the queue can set them, and a body is anybody's text.
func read(m types.Message) letter {
	l := letter{
		id: aws.ToString(m.MessageId), receipt: aws.ToString(m.ReceiptHandle), body: aws.ToString(m.Body),
		group: m.Attributes["MessageGroupId"], source: m.Attributes["DeadLetterQueueSourceArn"],
	}
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		l.since = time.UnixMilli(ms)
	}
	attribute := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
	var record failure
	switch {
	case l.group != "":
		l.by, l.reason = byTenantQueue, reasonReceives
		l.readQueued()
	case attribute("refusedBy") == byPusher:
		l.by, l.reason, l.more = byPusher, attribute("reason"), attribute("field")
		l.readQueued()
	case attribute("refusedBy") != "":
		l.by, l.reason, l.more = attribute("refusedBy"), attribute("reason"), attribute("field")
		l.readBus([]byte(l.body))
	case attribute("RULE_ARN") != "" && attribute("TARGET_ARN") != "":
		l.by, l.reason, l.more = byEventBridge, attribute("ERROR_CODE"), attribute("ERROR_MESSAGE")
		l.readBus([]byte(l.body))
	case json.Unmarshal([]byte(l.body), &record) == nil && record.RequestContext != nil && record.RequestContext.Condition != "":
		l.by, l.reason, l.more = byLambda, record.RequestContext.Condition, record.cause()
		l.readBus(record.RequestPayload)
	default:
		l.by, l.reason = byNobody, "unknown_shape"
		l.unreadable = errors.New("it is no letter of this system")
	}
	return l
}

// cause is the function's error in one line, as far as it said one.
func (f failure) cause() string {
	var e struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(f.ResponsePayload, &e) != nil || e.ErrorType == "" {
		return ""
	}
	return e.ErrorType + ": " + e.ErrorMessage
}

func (l *letter) readQueued() {
	m, err := queue.Decode(l.body)
	if err != nil {
		l.unreadable = err
		return
	}
	l.queued = &m
	l.eventType, l.tenantID, l.eventID = string(m.Event.Type), m.TenantID, m.EventID
}

func (l *letter) readBus(text []byte) {
	var e busEvent
	if err := json.Unmarshal(text, &e); err != nil || e.ID == "" || e.DetailType == "" || e.Source == "" || len(e.Detail) == 0 {
		l.unreadable = errors.New("there is no event in it as EventBridge sends one")
		return
	}
	l.bus = &e
	l.eventType, l.eventID = e.DetailType, e.ID
	if canonical, err := event.FromBus(e.ID, e.DetailType, e.Time, e.Detail); err == nil {
		l.eventType, l.tenantID, l.eventID = string(canonical.Type), canonical.TenantID, canonical.EventID
		return
	}
	// It is refused; what it says of itself is still worth showing.
	var said map[string]any
	_ = json.Unmarshal(e.Detail, &said)
	for key, value := range said {
		text, _ := value.(string)
		switch {
		case text == "":
		case key == "tenantId", key == "tenant_id":
			l.tenantID = text
		case isEventID(key):
			l.eventID = text
		}
	}
}

// isEventID: keys may come in either spelling (docs/PROTOCOL.md, "For domain services").
func isEventID(key string) bool { return key == "eventId" || key == "event_id" }

// neverNumbered says that the event was refused before it could get a number: sent again, it can't get a second one.
func (l *letter) neverNumbered() bool {
	return l.by == byBroadcaster || l.by == byPusher && (l.reason == "not_storable" || l.reason == "no_envelope")
}
