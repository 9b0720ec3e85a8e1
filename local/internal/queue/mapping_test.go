package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

func mapping(change ...func(*template.Mapping)) []template.Mapping {
	m := template.Mapping{ID: "M", Queue: "Tenant", Function: "Pusher", BatchSize: 10, ReportFailures: true, Enabled: true}
	for _, f := range change {
		f(&m)
	}
	return []template.Mapping{m}
}

// running starts the mappings and returns how to stop them.
func running(t *testing.T, s *Queues) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func decodeEvent(t *testing.T, payload []byte) events.SQSEvent {
	t.Helper()
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Errorf("event: %v", err)
	}
	return event
}

func TestMappingDeliversAtOnceAndDeletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type call struct {
			function string
			at       time.Time
			payload  []byte
		}
		calls := make(chan call, 10)
		s := open(t, Config{
			Queues: tenant(), Mappings: mapping(),
			Invoker: invoker(func(function string, payload []byte) (lambda.Result, error) {
				calls <- call{function, time.Now(), payload}
				return lambda.Result{Payload: []byte("null")}, nil
			}),
		})
		stop := running(t, s)
		synctest.Wait()
		began := time.Now()
		id := s.mustSend(t, "Tenant", Message{
			Body: `{"a":"<&>"}`, GroupID: "g", DeduplicationID: "d", TraceHeader: "Root=1",
			Attributes: map[string]Attribute{"text": String("v"), "raw": {DataType: "Binary", BinaryValue: []byte{0, 1}}},
		})
		got := <-calls
		if got.function != "Pusher" || !got.at.Equal(began) {
			t.Errorf("called %s after %v, want Pusher at once", got.function, got.at.Sub(began))
		}
		event := decodeEvent(t, got.payload)
		if len(event.Records) != 1 {
			t.Fatalf("%d records, want 1", len(event.Records))
		}
		r := event.Records[0]
		sequence := r.Attributes["SequenceNumber"]
		now := fmt.Sprint(began.UnixMilli())
		want := events.SQSMessage{
			MessageId: id, ReceiptHandle: r.ReceiptHandle, Body: `{"a":"<&>"}`, Md5OfBody: md5Hex(`{"a":"<&>"}`),
			Md5OfMessageAttributes: r.Md5OfMessageAttributes,
			Attributes: map[string]string{
				"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": now, "SentTimestamp": now, "SenderId": "123456789012",
				"MessageGroupId": "g", "MessageDeduplicationId": "d", "SequenceNumber": sequence, "AWSTraceHeader": "Root=1",
			},
			MessageAttributes: r.MessageAttributes,
			EventSource:       "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-west-1:123456789012:Tenant", AWSRegion: "eu-west-1",
		}
		if got, want := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", want); got != want {
			t.Errorf("record %s\nwant   %s", got, want)
		}
		if a := r.MessageAttributes["text"]; a.StringValue == nil || *a.StringValue != "v" || a.DataType != "String" {
			t.Errorf("attribute text = %+v", a)
		}
		if a := r.MessageAttributes["raw"]; string(a.BinaryValue) != "\x00\x01" || a.StringValue != nil {
			t.Errorf("attribute raw = %+v", a)
		}
		if !strings.Contains(string(got.payload), `"stringListValues":[],"binaryListValues":[]`) || !strings.Contains(string(got.payload), `"body":"{\"a\":\"<&>\"}"`) {
			t.Errorf("payload %s", got.payload)
		}
		stop()
		if visible, hidden, _ := s.byName["Tenant"].counts(); visible+hidden != 0 {
			t.Errorf("%d messages left after success", visible+hidden)
		}
	})
}

func TestFunctionAnswersDecideWhatStays(t *testing.T) {
	t.Parallel()
	// FIRST and SECOND stand for the ids of the two messages.
	tests := []struct {
		name, answer, functionError string
		wholeBatch                  bool   // no ReportBatchItemFailures
		stay                        string // what is delivered again
	}{
		{name: "null", answer: `null`},
		{name: "nothing", answer: ``},
		{name: "empty object", answer: `{}`},
		{name: "empty list", answer: `{"batchItemFailures":[]}`},
		{name: "null list", answer: `{"batchItemFailures":null}`},
		{name: "the second failed", answer: `{"batchItemFailures":[{"itemIdentifier":"SECOND"}]}`, stay: "2"},
		{name: "both failed, one named twice", answer: `{"batchItemFailures":[{"itemIdentifier":"SECOND"},{"itemIdentifier":"FIRST"},{"itemIdentifier":"FIRST"}]}`, stay: "1 2"},
		{name: "an unknown id", answer: `{"batchItemFailures":[{"itemIdentifier":"nobody"}]}`, stay: "1 2"},
		{name: "an empty id", answer: `{"batchItemFailures":[{"itemIdentifier":""}]}`, stay: "1 2"},
		{name: "a null id", answer: `{"batchItemFailures":[{"itemIdentifier":null}]}`, stay: "1 2"},
		{name: "a wrong key", answer: `{"batchItemFailures":[{"ItemIdentifier":"FIRST"}]}`, stay: "1 2"},
		{name: "no JSON", answer: `oops`, stay: "1 2"},
		{name: "a string", answer: `"ok"`, stay: "1 2"},
		{name: "a list of strings", answer: `{"batchItemFailures":["FIRST"]}`, stay: "1 2"},
		{name: "function error", answer: `{"errorMessage":"boom"}`, functionError: "Unhandled", stay: "1 2"},
		{name: "failures from a function that does not report them", answer: `{"batchItemFailures":[{"itemIdentifier":"FIRST"}]}`, wholeBatch: true},
		{name: "error of a function that does not report failures", functionError: "Handled", wholeBatch: true, stay: "1 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := make(chan []events.SQSMessage, 10)
				s := open(t, Config{
					Queues: tenant(), Mappings: mapping(func(m *template.Mapping) { m.ReportFailures = !tt.wholeBatch }),
					Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
						records := decodeEvent(t, payload).Records
						calls <- records
						if records[0].Attributes["ApproximateReceiveCount"] != "1" {
							return lambda.Result{}, nil
						}
						answer := strings.NewReplacer("FIRST", records[0].MessageId, "SECOND", records[1].MessageId).Replace(tt.answer)
						return lambda.Result{Payload: []byte(answer), FunctionError: tt.functionError}, nil
					}),
				})
				s.mustSend(t, "Tenant", Message{Body: "1", GroupID: "g"})
				s.mustSend(t, "Tenant", Message{Body: "2", GroupID: "g"})
				began := time.Now()
				stop := running(t, s)
				<-calls
				synctest.Wait()
				var again []string
				if _, hidden, _ := s.byName["Tenant"].counts(); hidden > 0 {
					for _, r := range <-calls {
						again = append(again, r.Body)
					}
					if waited := time.Since(began); waited != 30*time.Second {
						t.Errorf("delivered again after %v, want the visibility of 30s", waited)
					}
				}
				stop()
				if got := strings.Join(again, " "); got != tt.stay {
					t.Errorf("delivered again %q, want %q", got, tt.stay)
				}
			})
		})
	}
}

func TestFailedMessageComesBackWhenItsVisibilityWasShortened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s *Queues
		calls := make(chan time.Time, 2)
		s = open(t, Config{
			Queues: tenant(), Mappings: mapping(),
			Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
				calls <- time.Now()
				r := decodeEvent(t, payload).Records[0]
				if r.Attributes["ApproximateReceiveCount"] != "1" {
					return lambda.Result{}, nil
				}
				if err := s.byName["Tenant"].hide(r.ReceiptHandle, 2*time.Second); err != nil {
					t.Error(err)
				}
				return lambda.Result{Payload: fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.MessageId)}, nil
			}),
		})
		defer running(t, s)()
		s.mustSend(t, "Tenant", Message{Body: "x", GroupID: "g"})
		if first, second := <-calls, <-calls; second.Sub(first) != 2*time.Second {
			t.Errorf("second delivery after %v, want 2s", second.Sub(first))
		}
	})
}

func TestConcurrencyIsBoundByGroupsAndByTheMapping(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		groups, most   int
		wantConcurrent int32
	}{
		{"three groups", 3, 5, 3},
		{"twelve groups, MaximumConcurrency 5", 12, 5, 5},
		{"twelve groups, not set", 12, 0, defaultConcurrency},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int32
				var mu sync.Mutex
				busy := map[string]bool{}
				s := open(t, Config{
					Queues:   tenant(),
					Mappings: mapping(func(m *template.Mapping) { m.MaximumConcurrency, m.BatchSize = tt.most, 1 }),
					Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
						group := decodeEvent(t, payload).Records[0].Attributes["MessageGroupId"]
						mu.Lock()
						if busy[group] {
							t.Errorf("two invocations at a time for group %s", group)
						}
						busy[group] = true
						mu.Unlock()
						most.Store(max(most.Load(), now.Add(1)))
						time.Sleep(100 * time.Millisecond)
						now.Add(-1)
						mu.Lock()
						busy[group] = false
						mu.Unlock()
						return lambda.Result{}, nil
					}),
				})
				for i := range tt.groups * 3 {
					s.mustSend(t, "Tenant", Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i % tt.groups)})
				}
				stop := running(t, s)
				time.Sleep(10 * time.Second)
				stop()
				if got := most.Load(); got != tt.wantConcurrent {
					t.Errorf("%d invocations at a time, want %d", got, tt.wantConcurrent)
				}
				if visible, hidden, _ := s.byName["Tenant"].counts(); visible+hidden != 0 {
					t.Errorf("%d messages left", visible+hidden)
				}
			})
		})
	}
}

func TestRefusedInvocations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		err   error
		again time.Duration // at the latest after the first call
		count string        // ApproximateReceiveCount of the second call
	}{
		{"throttled: the same batch again soon", &lambda.Error{Status: 429, Code: "TooManyRequestsException"}, time.Second, "1"},
		{"not reached: the same batch again soon", &lambda.Error{}, time.Second, "1"},
		{"no such function: again when the visibility ends", &lambda.Error{Status: 404, Code: "ResourceNotFoundException"}, 31 * time.Second, "2"},
		{"another error: again when the visibility ends", errors.New("broken"), 31 * time.Second, "2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var calls []time.Duration
				var counts []string
				done := make(chan struct{})
				s := open(t, Config{
					Queues: tenant(), Mappings: mapping(),
					Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
						calls = append(calls, time.Since(began))
						counts = append(counts, decodeEvent(t, payload).Records[0].Attributes["ApproximateReceiveCount"])
						if len(calls) == 1 {
							return lambda.Result{}, tt.err
						}
						close(done)
						return lambda.Result{}, nil
					}),
				})
				s.mustSend(t, "Tenant", Message{Body: "x", GroupID: "g"})
				defer running(t, s)()
				<-done
				if calls[1] > tt.again || calls[1] == 0 || counts[1] != tt.count {
					t.Errorf("second call after %v with receive count %s; want within %v with %s", calls[1], counts[1], tt.again, tt.count)
				}
			})
		})
	}
}

func TestThrottlingEndsWithTheVisibility(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s := open(t, Config{
			Queues: tenant(), Mappings: mapping(),
			Invoker: invoker(func(string, []byte) (lambda.Result, error) {
				calls.Add(1)
				return lambda.Result{}, &lambda.Error{Status: 429}
			}),
		})
		s.mustSend(t, "Tenant", Message{Body: "x", GroupID: "g"})
		stop := running(t, s)
		time.Sleep(3 * time.Minute)
		stop()
		if got := bodies(s.receiveNow(t, "Dead")); got != "x" {
			t.Errorf("after three visibilities the dead-letter queue has %q, want x", got)
		}
		if n := calls.Load(); n < 15 || n > 60 {
			t.Errorf("%d calls in three minutes, want some ten a visibility: at most 5 s apart, and not in a loop", n)
		}
	})
}

func TestBatchingWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		type call struct {
			bodies string
			after  time.Duration
		}
		calls := make(chan call, 10)
		s := open(t, Config{
			Queues: []template.Queue{standard("Tenant")},
			Mappings: mapping(func(m *template.Mapping) {
				m.BatchSize, m.Window = 3, 5*time.Second
			}),
			Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
				var all []string
				for _, r := range decodeEvent(t, payload).Records {
					all = append(all, r.Body)
				}
				calls <- call{strings.Join(all, " "), time.Since(began)}
				return lambda.Result{}, nil
			}),
		})
		stop := running(t, s)
		send := func(body string, at time.Duration) {
			time.Sleep(at - time.Since(began))
			s.mustSend(t, "Tenant", Message{Body: body})
		}
		send("a", time.Second)
		send("b", 3*time.Second)
		send("c", 10*time.Second)
		send("d", 11*time.Second)
		send("e", 12*time.Second)
		time.Sleep(10 * time.Second)
		stop()
		close(calls)
		got := slices.Collect(func(yield func(call) bool) {
			for c := range calls {
				yield(c)
			}
		})
		want := []call{{"a b", 6 * time.Second}, {"c d e", 12 * time.Second}}
		if !slices.Equal(got, want) {
			t.Errorf("invocations %v, want %v: the window's end or a full batch", got, want)
		}
	})
}

func TestBatchStaysBelowSixMegabytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		s := open(t, Config{
			Queues: tenant(), Mappings: mapping(),
			Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
				sizes = append(sizes, len(payload))
				return lambda.Result{}, nil
			}),
		})
		for i := range 3 {
			s.mustSend(t, "Tenant", Message{Body: strings.Repeat(`"`, maxBytes), GroupID: "g", DeduplicationID: fmt.Sprint(i)})
		}
		stop := running(t, s)
		synctest.Wait()
		stop()
		if len(sizes) != 2 || slices.Max(sizes) > maxEventBytes {
			t.Errorf("events of %v bytes, want two of at most %d", sizes, maxEventBytes)
		}
	})
}

func TestRunWaitsForInvocationsAndDisabledMappingsRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := make(chan struct{})
		ended := false
		s := open(t, Config{
			Queues: append(tenant(), fifo("Other")),
			Mappings: append(mapping(), mapping(func(m *template.Mapping) {
				m.Queue, m.Enabled = "Other", false
			})...),
			Invoker: invoker(func(string, []byte) (lambda.Result, error) {
				close(began)
				time.Sleep(10 * time.Second)
				ended = true
				return lambda.Result{}, nil
			}),
		})
		s.mustSend(t, "Tenant", Message{Body: "x", GroupID: "g"})
		s.mustSend(t, "Other", Message{Body: "x", GroupID: "g"})
		stop := running(t, s)
		<-began
		stop()
		if !ended {
			t.Error("Run returned before the invocation had ended")
		}
		if got := bodies(s.receiveNow(t, "Other")); got != "x" {
			t.Errorf("the queue of a disabled mapping has %q, want x", got)
		}
	})
}
