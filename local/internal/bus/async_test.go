package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/template"
)

// message is what a queue gives over its HTTP API.
type message struct {
	Body              string
	Attributes        map[string]string
	MessageAttributes map[string]queue.Attribute
}

// received takes all messages of a queue, through its API.
func (s stack) received(t *testing.T, name string) []message {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(fmt.Sprintf(
		`{"QueueUrl":%q,"MaxNumberOfMessages":10,"MessageAttributeNames":["All"],"MessageSystemAttributeNames":["All"]}`, name)))
	r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
	w := httptest.NewRecorder()
	s.queues.ServeHTTP(w, r)
	var out struct{ Messages []message }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("receive from %s: %d %s", name, w.Code, w.Body)
	}
	return out.Messages
}

// attempts makes a function that answers one outcome after the other, the last one for ever, and remembers when.
type attempts struct {
	mu       sync.Mutex
	began    time.Time
	outcomes []outcome
	at       []time.Duration
}

type outcome struct {
	result lambda.Result
	err    error
}

func (a *attempts) Invoke(context.Context, string, []byte) (lambda.Result, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = append(a.at, time.Since(a.began))
	o := a.outcomes[min(len(a.at), len(a.outcomes))-1]
	return o.result, o.err
}

var (
	boom      = outcome{result: lambda.Result{RequestID: "req-1", Payload: []byte(`{"errorMessage":"boom"}`), FunctionError: "Unhandled"}}
	throttled = outcome{err: &lambda.Error{Status: 429, Code: "TooManyRequestsException"}}
	down      = outcome{err: &lambda.Error{Status: 503}}
	unknown   = outcome{err: &lambda.Error{Function: "F", Status: 404, Code: "ResourceNotFoundException", Message: "Function not found"}}
	fine      = outcome{result: lambda.Result{Payload: []byte("null")}}
)

func TestAsynchronousInvocation(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	tests := []struct {
		name      string
		outcomes  []outcome
		retries   int
		age       time.Duration
		want      []time.Duration // of the attempts
		condition string          // of the record in the OnFailure queue; "" = none
		runs      int
	}{
		{"success", []outcome{fine}, 2, time.Hour, []time.Duration{0}, "", 0},
		{"one error", []outcome{boom, fine}, 2, time.Hour, []time.Duration{0, m}, "", 0},
		{"errors for ever", []outcome{boom}, 2, time.Hour, []time.Duration{0, m, 3 * m}, "RetriesExhausted", 3},
		{"one retry", []outcome{boom}, 1, time.Hour, []time.Duration{0, m}, "RetriesExhausted", 2},
		{"no retries", []outcome{boom}, 0, time.Hour, []time.Duration{0}, "RetriesExhausted", 1},
		{"too old for the second retry", []outcome{boom}, 2, 2 * m, []time.Duration{0, m}, "EventAgeExceeded", 2},
		{"throttles are no attempts", []outcome{throttled, down, throttled, boom, throttled, fine}, 1, time.Hour,
			[]time.Duration{0, s, 3 * s, 7 * s, 67 * s, 75 * s}, "", 0},
		{"throttled for ever", []outcome{throttled}, 2, 10 * m,
			[]time.Duration{0, s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s, 127 * s, 255 * s, 511 * s}, "EventAgeExceeded", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := &attempts{began: time.Now(), outcomes: tt.outcomes}
				f := function("F")
				f.Async.MaximumRetryAttempts, f.Async.MaximumEventAge = tt.retries, tt.age
				st := open(t, Config{Functions: []template.Function{f}, Invoker: calls})
				st.Async("F", []byte(`{"a": 1}`))
				time.Sleep(time.Hour)
				synctest.Wait()
				if !slices.Equal(calls.at, tt.want) {
					t.Errorf("attempts at %v, want %v", calls.at, tt.want)
				}
				records := st.received(t, "Failed")
				if (len(records) == 1) != (tt.condition != "") {
					t.Fatalf("%d records of failure, want one = %v", len(records), tt.condition != "")
				}
				if st.backlog.count != 0 || st.backlog.bytes != 0 {
					t.Errorf("the backlog still has %d invocations, %d bytes", st.backlog.count, st.backlog.bytes)
				}
				if tt.condition == "" {
					return
				}
				var got record
				if err := json.Unmarshal([]byte(records[0].Body), &got); err != nil {
					t.Fatal(err)
				}
				if got.RequestContext.Condition != tt.condition || got.RequestContext.ApproximateInvokeCount != tt.runs {
					t.Errorf("record %+v, want %s after %d", got.RequestContext, tt.condition, tt.runs)
				}
			})
		})
	}
}

func TestFailureRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := function("F")
		f.Async.MaximumRetryAttempts = 0
		s := open(t, Config{Functions: []template.Function{f}, Invoker: &attempts{outcomes: []outcome{boom}}})
		s.Async("F", []byte(`{"a":"<1>"}`))
		synctest.Wait()
		now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		want := `{"version":"1.0","timestamp":"` + now + `","requestContext":{"requestId":"req-1",` +
			`"functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:F:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},` +
			`"requestPayload":{"a":"<1>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},` +
			`"responsePayload":{"errorMessage":"boom"}}`
		if got := s.received(t, "Failed"); len(got) != 1 || got[0].Body != want {
			t.Errorf("record %+v\nwant   %s", got, want)
		}
	})
}

func TestRetriesFollowTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := &attempts{began: time.Now(), outcomes: []outcome{boom}}
		s := open(t, Config{Functions: []template.Function{function("F")}, Invoker: calls, Clock: clock.New(60)})
		s.Async("F", []byte(`{}`))
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []time.Duration{0, time.Second, 3 * time.Second}
		if !slices.Equal(calls.at, want) {
			t.Errorf("attempts at %v of real time, want %v", calls.at, want)
		}
		if got := s.received(t, "Failed"); len(got) != 1 || !strings.Contains(got[0].Body, `"timestamp":"2000-01-01T00:00:03.000Z"`) {
			t.Errorf("record %+v, want the real time", got)
		}
	})
}

func TestInvocationsAtATime(t *testing.T) {
	t.Parallel()
	reserved := function("F")
	reserved.ReservedConcurrency = 3
	for name, f := range map[string]struct {
		function template.Function
		want     int32
	}{"ten by default": {function("F"), 10}, "as reserved": {reserved, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int32
				var mu sync.Mutex
				var order []string
				s := open(t, Config{Functions: []template.Function{f.function, function("Other")}, Invoker: invoker(func(function string, payload []byte) (lambda.Result, error) {
					if function == "Other" {
						return lambda.Result{}, nil
					}
					mu.Lock()
					order = append(order, string(payload))
					mu.Unlock()
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(time.Second)
					now.Add(-1)
					return lambda.Result{}, nil
				})})
				var sent []string
				for i := range 100 {
					sent = append(sent, fmt.Sprintf("%03d", i))
					s.Async("F", []byte(sent[i]))
					synctest.Wait()
				}
				s.Async("Other", nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := most.Load(); got != f.want {
					t.Errorf("%d invocations at a time, want %d", got, f.want)
				}
				// Those that begin in the same moment do so in any order.
				for wave := range slices.Chunk(order, int(f.want)) {
					slices.Sort(wave)
				}
				if !slices.Equal(order, sent) {
					t.Errorf("invocations %v; want all, first come first served", order)
				}
			})
		})
	}
}

func TestFullBacklogThrottles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		cfg := listening(nil)
		cfg.Rules[0].Targets = append(cfg.Rules[0].Targets, to("Broadcaster"), toQueue("Plain", ""))
		cfg.Invoker = invoker(func(string, []byte) (lambda.Result, error) {
			<-release
			return lambda.Result{}, nil
		})
		s := open(t, cfg)
		s.backlog.count = maxBacklog - 3 // one event of this rule takes two
		entries := putEventsInput{Entries: slices.Repeat([]entry{{Source: "purposepath.x", DetailType: "t", Detail: "{}", EventBusName: "Events"}}, 2)}
		answer, err := s.putEvents(entries)
		out := answer.(putEventsOutput)
		if err != nil || out.FailedEntryCount != 1 || out.Entries[0].EventId == "" || out.Entries[1].ErrorCode != "ThrottlingException" || out.Entries[1].ErrorMessage != errFull.Error() {
			t.Errorf("PutEvents = %+v, %v; want the second entry throttled", out, err)
		}
		s.Async("Broadcaster", nil)
		s.Async("Broadcaster", nil) // dropped, with a line in the log
		if got := s.backlog.count; got != maxBacklog {
			t.Errorf("backlog of %d, want %d", got, maxBacklog)
		}
		if got := len(s.received(t, "Plain")); got != 1 {
			t.Errorf("the rule's queue got %d events, want 1: a refused event reaches no target", got)
		}
		close(release)
		synctest.Wait()
		if got := s.backlog.count; got != maxBacklog-3 {
			t.Errorf("backlog of %d when all are done, want %d", got, maxBacklog-3)
		}
	})
}

func TestFunctionThatCantBeCalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := listening(nil)
		cfg.Invoker = &attempts{outcomes: []outcome{unknown}}
		s := open(t, cfg)
		if _, err := s.putEvents(putEventsInput{Entries: []entry{{Source: "purposepath.x", DetailType: "t", Detail: `{"a":1}`, EventBusName: "Events"}}}); err != nil {
			t.Fatal(err)
		}
		s.Async("Broadcaster", []byte(`{"direct":true}`))
		synctest.Wait()
		dead := s.received(t, "Dead")
		if len(dead) != 1 || !strings.HasSuffix(dead[0].Body, `"detail":{"a":1}}`) {
			t.Fatalf("dead letters %+v, want the event", dead)
		}
		want := map[string]string{
			"RULE_ARN":   "arn:aws:events:eu-west-1:123456789012:rule/Events/domain-events",
			"TARGET_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:Broadcaster",
			"ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": unknown.err.Error(), "RETRY_ATTEMPTS": "0",
		}
		for name, value := range want {
			if got := dead[0].MessageAttributes[name]; got.StringValue != value || got.DataType != "String" {
				t.Errorf("%s = %+v, want %s", name, got, value)
			}
		}
		if len(dead[0].MessageAttributes) != len(want) {
			t.Errorf("attributes %v, want %v", dead[0].MessageAttributes, want)
		}
		// Without a rule there is no rule's dead-letter queue: Lambda's own destination has it.
		failed := s.received(t, "Failed")
		if len(failed) != 1 || !strings.Contains(failed[0].Body, `"requestPayload":{"direct":true},"responseContext":null,"responsePayload":null`) {
			t.Errorf("records of failure %+v, want the direct invocation's", failed)
		}
	})
}

func TestQueueTargets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		constant := toQueue("Plain", "")
		constant.Input = []byte(`{"constant":true}`)
		s := open(t, Config{
			Buses: []template.Bus{{Name: "Events"}},
			Rules: []template.Rule{
				domain(`{"source":["a"]}`, toQueue("Plain", ""), toQueue("Fifo", "events"), constant),
				domain(`{"source":["b"]}`, toQueue("Fifo", "")), // SQS wants a group
			},
		})
		put := func(source string) string {
			answer, err := s.putEvents(putEventsInput{Entries: []entry{{Source: source, DetailType: "t", Detail: `{}`, EventBusName: "Events"}}})
			if err != nil {
				t.Fatal(err)
			}
			return answer.(putEventsOutput).Entries[0].EventId
		}
		id := put("a")
		plain, fifo := s.received(t, "Plain"), s.received(t, "Fifo")
		if len(plain) != 2 || !strings.Contains(plain[0].Body, id) || plain[1].Body != `{"constant":true}` {
			t.Errorf("the standard queue has %+v, want the event and the constant", plain)
		}
		if len(fifo) != 1 || fifo[0].Body != plain[0].Body || fifo[0].Attributes["MessageGroupId"] != "events" {
			t.Errorf("the FIFO queue has %+v, want the event in group events", fifo)
		}
		id = put("b")
		dead := s.received(t, "Dead")
		if len(dead) != 1 || !strings.Contains(dead[0].Body, id) || dead[0].MessageAttributes["ERROR_CODE"].StringValue != "SDK_CLIENT_ERROR" {
			t.Errorf("dead letters %+v, want the event that SQS refused", dead)
		}
	})
}

// flaky refuses some sends, retryably, before it passes them on.
type flaky struct {
	Sender
	refuse func(queue string) bool
}

func (f *flaky) Send(ctx context.Context, name string, m queue.Message) (string, error) {
	if f.refuse(name) {
		return "", &queue.Error{Code: "RequestThrottled", QueryCode: "RequestThrottled", Status: 403, Message: "slow down"}
	}
	return f.Sender.Send(ctx, name, m)
}

func TestRefusedSendsAreRepeated(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		refusals int // -1 = for ever
		retries  int
		age      time.Duration
		exhaust  string // what ended the attempts; "" = it arrived
		tried    string // RETRY_ATTEMPTS
	}{
		{"three times", 3, 185, 24 * time.Hour, "", ""},
		{"beyond MaximumRetryAttempts", -1, 2, 24 * time.Hour, "MaximumRetryAttempts", "2"},
		{"never again", -1, 0, 24 * time.Hour, "MaximumRetryAttempts", "0"},
		{"beyond the age", -1, 185, time.Minute, "MaximumEventAgeInSeconds", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left := tt.refusals
				sender := &flaky{refuse: func(name string) bool {
					if name != "Plain" || left == 0 {
						return false
					}
					left--
					return true
				}}
				sender.Sender = open(t, Config{}).queues
				target := toQueue("Plain", "")
				target.RetryAttempts, target.MaximumEventAge = tt.retries, tt.age
				s := open(t, Config{Buses: []template.Bus{{Name: "Events"}}, Rules: []template.Rule{domain(`{"source":["a"]}`, target)}, Queues: sender})
				s.queues = sender.Sender.(*queue.Queues)
				if _, err := s.putEvents(putEventsInput{Entries: []entry{{Source: "a", DetailType: "t", Detail: `{}`, EventBusName: "Events"}}}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				plain, dead := s.received(t, "Plain"), s.received(t, "Dead")
				if len(plain)+len(dead) != 1 || (len(plain) == 1) != (tt.exhaust == "") || s.backlog.count != 0 {
					t.Fatalf("arrived %d, dead letters %d, waiting %d", len(plain), len(dead), s.backlog.count)
				}
				if tt.exhaust == "" {
					return
				}
				attributes := dead[0].MessageAttributes
				if attributes["EXHAUSTED_RETRY_CONDITION"].StringValue != tt.exhaust || attributes["ERROR_CODE"].StringValue != "THROTTLING" ||
					tt.tried != "" && attributes["RETRY_ATTEMPTS"].StringValue != tt.tried {
					t.Errorf("attributes %v, want %s after %s", attributes, tt.exhaust, tt.tried)
				}
			})
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cut := errors.New("cut short")
		started := make(chan struct{}, 20)
		var ended atomic.Int32
		cfg := listening(nil)
		cfg.Invoker = interruptible{started: started, ended: &ended, takes: 10 * time.Second, cut: cut}
		s := open(t, cfg)
		for range 11 {
			s.Async("Broadcaster", nil)
		}
		synctest.Wait()
		began := time.Now()
		if err := s.Close(t.Context()); err != nil || time.Since(began) != 10*time.Second || ended.Load() != 10 || len(started) != 10 {
			t.Errorf("Close = %v after %v with %d of %d ended; want nil after the ten under way, without the one that waited", err, time.Since(began), ended.Load(), len(started))
		}
		answer, err := s.putEvents(putEventsInput{Entries: []entry{{Source: "purposepath.x", DetailType: "t", Detail: "{}", EventBusName: "Events"}}})
		if out := answer.(putEventsOutput); err != nil || out.Entries[0].ErrorCode != "InternalFailure" {
			t.Errorf("PutEvents after Close = %+v, %v; want InternalFailure", out, err)
		}

		s = open(t, cfg)
		s.Async("Broadcaster", nil)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second || ended.Load() != 10 {
			t.Errorf("Close with a deadline = %v after %v, want deadline exceeded after 1s and the invocation cut short", err, time.Since(began))
		}
	})
}

// interruptible is a function that takes its time unless its context ends.
type interruptible struct {
	started chan<- struct{}
	ended   *atomic.Int32
	takes   time.Duration
	cut     error
}

func (i interruptible) Invoke(ctx context.Context, _ string, _ []byte) (lambda.Result, error) {
	i.started <- struct{}{}
	select {
	case <-time.After(i.takes):
		i.ended.Add(1)
		return lambda.Result{}, nil
	case <-ctx.Done():
		return lambda.Result{}, i.cut
	}
}
