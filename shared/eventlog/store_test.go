package eventlog_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/dynamo/dynamotest"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }

func TestStoreOnTheEngine(t *testing.T) {
	t.Parallel()
	eventlogtest.Run(t, func(t *testing.T, now func() time.Time) eventlogtest.Storage {
		client, tables := dynamotest.Open(t)
		return eventlog.NewStore(client, tables.Tenants, tables.Events, eventlogtest.Retention, now)
	})
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	eventlogtest.Run(t, func(_ *testing.T, now func() time.Time) eventlogtest.Storage {
		return eventlogtest.NewMemory(eventlogtest.Retention, now)
	})
}

// The engine has one copy of everything: only the request tells whether a read would be consistent on AWS.
func TestReadsAreStronglyConsistent(t *testing.T) {
	t.Parallel()
	var recorder dynamotest.Recorder
	s := eventlog.NewStore(recorder.Client(), "Tenants", "Events", eventlogtest.Retention, time.Now)
	_, _ = s.Head(t.Context(), "acme")
	_, _ = s.Record(t.Context(), "acme", 7)
	_, _ = s.NumberOf(t.Context(), "acme", "e1")
	_, _ = s.Range(t.Context(), "acme", 5, 9, 50, 1<<20)
	calls := recorder.Calls()
	for _, call := range calls {
		if !strings.Contains(call.Body, `"ConsistentRead":true`) {
			t.Errorf("%s %s is not consistent", call.Operation, call.Body)
		}
	}
	if last := calls[len(calls)-1]; len(calls) != 4 || !strings.Contains(last.Body, `"Limit":50`) {
		t.Errorf("calls = %+v", calls)
	}
}

func TestACommitHasACondition(t *testing.T) {
	t.Parallel()
	var recorder dynamotest.Recorder
	now := time.Unix(1_700_000_000, 0)
	s := eventlog.NewStore(recorder.Client(), "Tenants", "Events", eventlogtest.Retention, func() time.Time { return now })
	err := s.Commit(t.Context(), "acme", 7, []eventlog.Numbered{{Record: eventlog.Record{Sequence: 8, Envelope: []byte("{}")}, EventID: "e1"}})
	if err != nil {
		t.Fatal(err)
	}
	var call struct {
		TransactItems []struct {
			Update *struct{ ConditionExpression, UpdateExpression string }
			Put    *struct {
				ConditionExpression string
				Item                map[string]map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(recorder.Calls()[0].Body), &call); err != nil || len(call.TransactItems) != 3 {
		t.Fatalf("%d actions, %v", len(call.TransactItems), err)
	}
	if head := call.TransactItems[0].Update; head == nil || head.ConditionExpression != "head = :head" {
		t.Errorf("head: %+v", head)
	}
	expires := map[string]string{}
	for _, action := range call.TransactItems[1:] {
		if action.Put == nil || action.Put.ConditionExpression != "attribute_not_exists(entry)" {
			t.Fatalf("put without its condition: %+v", action.Put)
		}
		expires[action.Put.Item["entry"]["S"]] = action.Put.Item["expiresAt"]["N"]
	}
	want := map[string]string{"seq#0000000000000000008": "1700086400", "id#e1": "1700172800"} // 24 h, 48 h
	if diff := cmp.Diff(want, expires); diff != "" {
		t.Errorf("expiry (-want +got):\n%s", diff)
	}
}
