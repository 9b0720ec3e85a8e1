package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/internal/fault"
)

// A bench is a service behind its faults, on a real socket.
type bench struct {
	t      *testing.T
	url    string
	calls  atomic.Int64 // that reached the service
	killed atomic.Int64
	faults fault.Faults
}

func newBench(t *testing.T, target string, name func(*http.Request, []byte) string) *bench {
	t.Helper()
	b := &bench{t: t}
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "real answer to %s", body)
	})
	mux := http.NewServeMux()
	mux.Handle("/_local/faults", &b.faults)
	mux.Handle("/", b.faults.Before(target, service, name, func(string) { b.killed.Add(1) }))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// call makes one call and says what came: "status kind body", or "cut".
func (b *bench) call(path, target, body string) string {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", target)
	client := &http.Client{Timeout: time.Second}
	response, err := client.Do(request)
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "hung"
	case err != nil:
		return "cut"
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", response.Header.Get("X-Amzn-Errortype"), response.Header.Get("X-Amz-Function-Error"), " ", string(answer)))
}

func (b *bench) add(f string) string {
	b.t.Helper()
	response, err := http.Post(b.url+"/_local/faults", "application/json", strings.NewReader(f))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	said, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", string(said)))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const (
		table   = "DynamoDB_20120810.PutItem"
		message = `{"QueueUrl":"http://localhost/1/TenantQueue"}`
	)
	tests := []struct {
		name, target, fault string
		path, call, body    string
		namer               func(*http.Request, []byte) string
		want                string
		reached             int64
	}{
		{name: "a throttled table", fault: `{"target":"table","match":"PutItem Events","answer":"throttle"}`, target: "table", path: "/", call: table, body: `{"TableName":"Events"}`, namer: fault.TableCall,
			want: `400   {"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate of requests exceeds the allowed throughput."}`},
		{name: "a conflict", fault: `{"target":"table","match":"Tenants","answer":"conflict"}`, target: "table", path: "/", call: "DynamoDB_20120810.TransactWriteItems", namer: fault.TableCall,
			body: `{"TransactItems":[{"Update":{"TableName":"Tenants"}},{"Put":{"TableName":"Events"}}]}`,
			want: `400   {"CancellationReasons":[{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}],"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]","__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException"}`},
		{name: "another table is well", fault: `{"target":"table","match":"Events","answer":"throttle"}`, target: "table", path: "/", call: table, body: `{"TableName":"Members"}`, namer: fault.TableCall,
			want: `200  real answer to {"TableName":"Members"}`, reached: 1},
		{name: "a connection that is gone", fault: `{"target":"connections","match":"POST a=","answer":"410"}`, target: "connections", path: "/dev/@connections/a%3D", namer: fault.ConnectionCall,
			want: "410 GoneException"},
		{name: "a post that vanishes", fault: `{"target":"connections","answer":"vanish"}`, target: "connections", path: "/@connections/a%3D", namer: fault.ConnectionCall, want: "200"},
		{name: "a function that panics", fault: `{"target":"function","match":"PusherFunction","answer":"panic"}`, target: "function", path: "/2015-03-31/functions/PusherFunction/invocations", namer: fault.FunctionCall,
			want: `200 Unhandled {"errorMessage":"panic","errorType":"errorString"}`},
		{name: "a throttled function", fault: `{"target":"function","answer":"throttle"}`, target: "function", path: "/2015-03-31/functions/PusherFunction/invocations", namer: fault.FunctionCall,
			want: `429 TooManyRequestsException {"Message":"Rate Exceeded.","Type":"User"}`},
		{name: "a queue that fails", fault: `{"target":"queue","match":"SendMessage TenantQueue","answer":"error"}`, target: "queue", path: "/", call: "AmazonSQS.SendMessage", body: message, namer: fault.QueueCall,
			want: `500   {"__type":"com.amazonaws.sqs#InternalError","message":"The service failed."}`},
		{name: "a call that is not made and not answered", fault: `{"target":"queue","answer":"drop"}`, target: "queue", path: "/", call: "AmazonSQS.SendMessage", body: message, namer: fault.QueueCall, want: "cut"},
		{name: "a call that is made and not answered", fault: `{"target":"queue","answer":"lose"}`, target: "queue", path: "/", call: "AmazonSQS.SendMessage", body: message, namer: fault.QueueCall, want: "cut", reached: 1},
		{name: "a call that hangs", fault: `{"target":"queue","answer":"hang"}`, target: "queue", path: "/", call: "AmazonSQS.SendMessage", body: message, namer: fault.QueueCall, want: "hung"},
		{name: "a delay is followed by the real answer", fault: `{"target":"queue","delayMs":1}`, target: "queue", path: "/", call: "AmazonSQS.SendMessage", body: message, namer: fault.QueueCall,
			want: "200  real answer to " + message, reached: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tt.target, tt.namer)
			if said := b.add(tt.fault); said != "201" {
				t.Fatalf("added: %s", said)
			}
			if got := strings.Join(strings.Fields(b.call(tt.path, tt.call, tt.body)), " "); got != strings.Join(strings.Fields(tt.want), " ") {
				t.Errorf("answer = %s\nwant     %s", got, tt.want)
			}
			if n := b.calls.Load(); n != tt.reached {
				t.Errorf("%d calls reached the service, want %d", n, tt.reached)
			}
		})
	}
}

func TestAFaultStrikesSoManyTimesAndTheFirstThatFitsGoesFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t, "connections", fault.ConnectionCall)
	b.add(`{"target":"connections","answer":"429","times":2}`)
	b.add(`{"target":"connections","answer":"500","times":-1}`)
	var got []string
	for range 5 {
		got = append(got, strings.Fields(b.call("/@connections/a%3D", "", ""))[0])
	}
	if diff := cmp.Diff([]string{"429", "429", "500", "500", "500"}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	response, err := http.Get(b.url + "/_local/faults")
	if err != nil {
		t.Fatal(err)
	}
	var left []fault.Fault
	err = json.NewDecoder(response.Body).Decode(&left)
	_ = response.Body.Close()
	want := []fault.Fault{{Target: "connections", Answer: "500", Times: -1, Struck: 3}}
	if diff := cmp.Diff(want, left); diff != "" || err != nil {
		t.Errorf("left (-want +got): %s, %v", diff, err)
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, b.url+"/_local/faults", nil)
	if response, err = http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE: %v", err)
	}
	_ = response.Body.Close()
	if got := b.call("/@connections/a%3D", "", "x"); got != "200  real answer to x" {
		t.Errorf("after DELETE: %s", got)
	}
}

func TestKillEndsTheProcessesWhileTheCallIsMade(t *testing.T) {
	t.Parallel()
	b := &bench{t: t}
	killed := make(chan string, 1)
	service := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, <-killed) })
	server := httptest.NewServer(b.faults.Before("function", service, fault.FunctionCall, func(name string) { killed <- name }))
	t.Cleanup(server.Close)
	b.url = server.URL
	if err := b.faults.Add(fault.Fault{Target: "function", Answer: fault.Kill}); err != nil {
		t.Fatal(err)
	}
	if got := b.call("/2015-03-31/functions/AuthFunction/invocations", "", ""); got != "200  AuthFunction" {
		t.Errorf("killed %s", got)
	}
}

func TestAFaultThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, "table", fault.TableCall)
	for f, want := range map[string]string{
		`{"target":"disk","answer":"full"}`:         `400 fault: target is "disk", not table, connections, function or queue`,
		`{"target":"queue","answer":"410"}`:         `400 fault: answer is "410"; a queue has drop, error, hang, lose, throttle`,
		`{"target":"queue"}`:                        `400 fault: a fault needs an answer or a delay`,
		`{"target":"queue","delayMs":-1}`:           `400 fault: delayMs is -1, not from 0 to 600000`,
		`{"target":"queue","delayMs":1,"times":-2}`: `400 fault: times is -2: give how often, or -1`,
		`{"target":"queue","delay":1}`:              `400 fault: json: unknown field "delay"`,
		`[]`:                                        `400 fault: json: cannot unmarshal array into Go value of type fault.Fault`,
	} {
		if got := b.add(f); got != want {
			t.Errorf("%s: %s\nwant %s", f, got, want)
		}
	}
	if left := b.faults.List(); len(left) != 0 {
		t.Errorf("taken all the same: %+v", left)
	}
}

func FuzzTableCall(f *testing.F) {
	f.Add("DynamoDB_20120810.PutItem", `{"TableName":"Events"}`)
	f.Add("", `"TableName":"`)
	f.Fuzz(func(t *testing.T, target, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Amz-Target", target)
		fault.TableCall(r, []byte(body))
		fault.QueueCall(r, []byte(body))
	})
}
