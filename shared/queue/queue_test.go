package queue_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
)

func message(tenantID, eventID string) queue.Message {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	return queue.Message{TenantID: tenantID, EventID: eventID, AcceptedAt: at, Event: event.Event{
		Type: event.GoalResumed, Timestamp: at, EventID: eventID, TenantID: tenantID, Data: json.RawMessage(`{"tenantId":"` + tenantID + `","note":"a<b"}`),
	}}
}

// A sent is one call as SQS gets it.
type sent struct {
	Operation              string
	QueueURL               string `json:"QueueUrl"`
	MessageBody            string
	MessageGroupID         string `json:"MessageGroupId"`
	MessageDeduplicationID string `json:"MessageDeduplicationId"`
	MessageAttributes      map[string]struct{ StringValue, DataType string }
	Entries                []struct {
		ID                string `json:"Id"`
		ReceiptHandle     string
		VisibilityTimeout int
	}
}

// newQueue returns a queue whose calls are noted and answered. The queues themselves are tested in conformance/, with the real ones of
// the local stack.
func newQueue(t *testing.T, answer string) (*queue.Queue, *[]sent) {
	t.Helper()
	var calls []sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := sent{Operation: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")}
		if err := json.Unmarshal(body, &call); err != nil {
			t.Error(err)
		}
		calls = append(calls, call)
		if answer == "" { // the SDK checks that the body arrived whole
			answer := map[string]string{"MessageId": "1", "MD5OfMessageBody": fmt.Sprintf("%x", md5.Sum([]byte(call.MessageBody)))}
			_ = json.NewEncoder(w).Encode(answer)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	vars := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.URL,
		"TENANT_QUEUE_URL": "tenants.fifo", "DEAD_LETTER_QUEUE_URL": "letters",
	}
	env := awsenv.New(func(name string) string { return vars[name] })
	q := queue.New(env)
	if err := env.Err(); err != nil {
		t.Fatal(err)
	}
	return q, &calls
}

func TestSendGroupsByTenantAndDropsRepeatsOfAnEvent(t *testing.T) {
	t.Parallel()
	q, calls := newQueue(t, "")
	alphabet := regexp.MustCompile(`^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_{|}~` + "`" + `]{1,128}$`) // SQS's, of both ids
	ids := [][2]string{{"acme", "e1"}, {"acme", "e2"}, {"acme", "e1"}, {"rival", "e1"}, {"acmee", "1"}, {strings.Repeat("ü", 128), strings.Repeat("x", 256)}}
	for _, id := range ids {
		if err := q.Send(t.Context(), message(id[0], id[1])); err != nil {
			t.Fatal(err)
		}
	}
	groups, repeats := map[string]string{}, map[string][2]string{}
	for i, call := range *calls {
		if call.Operation != "SendMessage" || call.QueueURL != "tenants.fifo" || !alphabet.MatchString(call.MessageGroupID) || !alphabet.MatchString(call.MessageDeduplicationID) {
			t.Errorf("call = %+v", call)
		}
		if tenant, known := groups[call.MessageGroupID]; known && tenant != ids[i][0] {
			t.Errorf("%q and %q share a group", tenant, ids[i][0])
		}
		groups[call.MessageGroupID] = ids[i][0]
		if id, known := repeats[call.MessageDeduplicationID]; known != (i == 2) || (known && id != ids[i]) {
			t.Errorf("%v: taken for a repeat: %v, of %v", ids[i], known, id)
		}
		repeats[call.MessageDeduplicationID] = ids[i]
		decoded, err := queue.Decode(call.MessageBody)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(message(ids[i][0], ids[i][1]), decoded); diff != "" {
			t.Errorf("message (-sent +decoded):\n%s", diff)
		}
	}
	if len(groups) != 4 {
		t.Errorf("%d groups for four tenants", len(groups))
	}
}

func TestRefuseKeepsTheBodyAndSaysWhy(t *testing.T) {
	t.Parallel()
	q, calls := newQueue(t, "")
	const body = `{ "detail" : {"a":1} }`
	if err := q.Refuse(t.Context(), body, queue.Refusal{Reason: "too_old", By: "pusher"}); err != nil {
		t.Fatal(err)
	}
	call := (*calls)[0]
	attributes := map[string]string{}
	for name, value := range call.MessageAttributes {
		attributes[name] = value.DataType + " " + value.StringValue
	}
	want := map[string]string{"reason": "String too_old", "refusedBy": "String pusher"} // SQS refuses an empty value
	if diff := cmp.Diff(want, attributes); diff != "" || call.MessageBody != body || call.QueueURL != "letters" {
		t.Errorf("call = %+v; attributes (-want +got):\n%s", call, diff)
	}
}

func TestRetryInSetsOneTimeForAll(t *testing.T) {
	t.Parallel()
	q, calls := newQueue(t, `{"Successful":[{"Id":"0"},{"Id":"1"}],"Failed":[]}`)
	if err := q.RetryIn(t.Context(), 8*time.Second, []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	call := (*calls)[0]
	if call.Operation != "ChangeMessageVisibilityBatch" || call.QueueURL != "tenants.fifo" || len(call.Entries) != 2 ||
		call.Entries[0].VisibilityTimeout != 8 || call.Entries[1].VisibilityTimeout != 8 || call.Entries[0].ReceiptHandle != "a" || call.Entries[0].ID == call.Entries[1].ID {
		t.Errorf("call = %+v", call)
	}
	q, _ = newQueue(t, `{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"ReceiptHandleIsInvalid","SenderFault":true}]}`)
	if err := q.RetryIn(t.Context(), time.Second, []string{"a", "b"}); err == nil || !strings.Contains(err.Error(), "1 of 2 messages refused, the first: ReceiptHandleIsInvalid") {
		t.Errorf("RetryIn = %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := json.Marshal(message("acme", "e1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add(strings.Replace(string(good), "acme", "rival", 1))
	f.Add(`{"tenantId":"acme"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		m, err := queue.Decode(body)
		if err != nil {
			return
		}
		if m.TenantID == "" || m.TenantID != m.Event.TenantID || m.EventID != m.Event.EventID || m.AcceptedAt.IsZero() {
			t.Errorf("taken: %+v", m)
		}
		if _, err := m.Event.Envelope(event.MaxSequence); err != nil {
			return // put aside by the pusher
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if decoded, err := queue.Decode(string(again)); err != nil || cmp.Diff(m, decoded) != "" {
			t.Errorf("after a round trip: %v, %s", err, cmp.Diff(m, decoded))
		}
	})
}
