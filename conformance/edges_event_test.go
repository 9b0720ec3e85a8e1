package conformance_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// refusedAs puts one changed event and waits for its dead letter.
func refusedAs(reason, field string, change func(e *eventtypes.PutEventsRequestEntry)) func(*testing.T, *edgeWorld) {
	return func(t *testing.T, w *edgeWorld) {
		e := w.service.entry(w.tenant, "bad")
		e.Source = aws.String("purposepath." + w.tenant)
		change(&e)
		w.service.putEntries(e)
		letter := w.deadLetter(t, "purposepath."+w.tenant)
		if letter.attributes["reason"] != reason || letter.attributes["field"] != field || letter.attributes["refusedBy"] != "broadcaster" {
			t.Errorf("dead letter = %v, want %s %s", letter.attributes, reason, field)
		}
	}
}

// replaced replaces a text in the detail.
func replacedIn(old, with string) func(e *eventtypes.PutEventsRequestEntry) {
	return func(e *eventtypes.PutEventsRequestEntry) {
		e.Detail = aws.String(strings.Replace(*e.Detail, old, with, 1))
	}
}

func eventEdges() []edge {
	const letter = "the dead-letter queue, with its reason"
	return []edge{
		{input: "an event without tenantId", answer: "accepted by EventBridge", ends: letter, run: refusedAs("tenant_missing", "tenantId", replacedIn(`"tenantId"`, `"tenant"`))},
		{input: "an event of an unknown type", answer: "accepted by EventBridge", ends: letter,
			run: refusedAs("unknown_type", "detail-type", func(e *eventtypes.PutEventsRequestEntry) { e.DetailType = aws.String("goal.exploded") })},
		{input: "an event with a wrong payload", answer: "accepted by EventBridge", ends: letter, run: refusedAs("invalid_payload", "resumedBy", replacedIn(`"resumedBy":"user-1"`, `"resumedBy":7`))},
		{input: "an event with a key twice", answer: "accepted by EventBridge", ends: letter, run: refusedAs("malformed_detail", "goalId", replacedIn(`{`, `{"goalId":"x",`))},
		{input: "an event over 32,768 bytes", answer: "accepted by EventBridge", ends: letter, run: refusedAs("frame_too_large", "", replacedIn(`{`, `{"note":"`+strings.Repeat("x", 33_000)+`",`))},
		{input: "an event of a family the rule does not take", answer: "accepted by EventBridge", ends: "no rule takes it", run: func(_ *testing.T, w *edgeWorld) {
			e := w.service.entry(w.tenant, "other")
			e.DetailType = aws.String("invoice.paid")
			w.service.putEntries(e)
		}},
		{input: "the same event twice at once", answer: "accepted by EventBridge, both", ends: "one event, one number", counts: 1, run: func(t *testing.T, w *edgeWorld) {
			w.service.put(w.tenant, "same", "same")
			w.until(t, "same")
		}},
		{input: "the same event again after an hour", answer: "accepted by EventBridge", ends: "one event, one number; posted again, the client drops it", counts: 1, run: anHourLater},
		{input: "ten entries of which three are bad", answer: "three errors, seven event ids, in the order of the entries", ends: "the seven arrive", counts: 7, run: threeOfTen},
		{input: "an early service's names and keys", answer: "accepted by EventBridge", ends: "the canonical event arrives", counts: 1, run: func(t *testing.T, w *edgeWorld) {
			e := w.service.entry(w.tenant, "early")
			e.DetailType = aws.String("goal-resumed")
			replacedIn(`"goalId"`, `"goal_id"`)(&e)
			w.service.putEntries(e)
			w.until(t, "early")
			if m := w.client.events[1]; m.Type != "goal.resumed" || !strings.Contains(string(m.Data), `"goalId":"goal-1"`) {
				t.Errorf("got %s %s", m.Type, m.Data)
			}
		}},
	}
}

// anHourLater waits an hour of the stack's clock, a minute of real time at most: the queue's deduplication has forgotten the event
// after five minutes, so that five and a half suffice to show what the log does.
func anHourLater(t *testing.T, w *edgeWorld) {
	w.service.put(w.tenant, "late")
	w.until(t, "late")
	began := time.Now()
	for repeats := w.client.repeats; w.client.repeats == repeats; {
		if time.Since(began) > patience {
			t.Fatal("the event was not posted again")
		}
		w.service.put(w.tenant, "late") // dropped by the queue until it has forgotten
		select {
		case m, open := <-w.socket.frames:
			if !open {
				w.socket = w.client.connect()
				continue
			}
			w.client.take(m)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func threeOfTen(t *testing.T, w *edgeWorld) {
	entries := make([]eventtypes.PutEventsRequestEntry, 10)
	for i, id := range names("of-ten", 10) {
		entries[i] = w.service.entry(w.tenant, id)
	}
	entries[1].Detail = aws.String(`{"tenantId":`)
	entries[4].DetailType = nil
	entries[8].Detail = aws.String(`"text"`)
	out, err := w.service.client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	if err != nil || out.FailedEntryCount != 3 {
		t.Fatalf("PutEvents = %+v, %v", out, err)
	}
	for i, result := range out.Entries {
		if bad := i == 1 || i == 4 || i == 8; (result.ErrorCode != nil) != bad || (result.EventId != nil) == bad {
			t.Errorf("entry %d: %v", i, result)
		}
	}
	w.until(t, slices.DeleteFunc(names("of-ten", 10), func(id string) bool {
		return id == "of-ten-0001" || id == "of-ten-0004" || id == "of-ten-0008"
	})...)
}

// deadLetter waits for the one that holds a text, and takes it.
func (w *edgeWorld) deadLetter(t *testing.T, text string) letter {
	t.Helper()
	client := sqs.New(sqs.Options{BaseEndpoint: aws.String(w.stack.URL), Region: "eu-west-1", Credentials: credentials()})
	return findLetter(t, client, "DeadLetterQueue", text)
}

// membersOf counts the members of the world's tenant, as the pusher sees them.
func (w *edgeWorld) membersOf(t *testing.T) (int, error) {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{BaseEndpoint: aws.String(w.stack.URL), Region: "eu-west-1", Credentials: credentials()})
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: aws.String("Members"), ConsistentRead: aws.Bool(true), FilterExpression: aws.String("begins_with(tenantShard, :tenant)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":tenant": &types.AttributeValueMemberS{Value: w.tenant + "#"}},
	})
	if err != nil {
		return 0, err
	}
	return int(out.Count), nil
}
