package bus

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/template"
)

const (
	// asyncConcurrency is how many asynchronous invocations of one function run at a time: as many as it has processes.
	// AWS has a thousand; what waits here would wait for a process there.
	asyncConcurrency = 10
	maxBacklog       = 100_000   // invocations
	maxBacklogBytes  = 256 << 20 // of payloads
)

// Waits between attempts (Lambda developer guide, "Retry behavior of asynchronous invocation").
const (
	firstThrottlePause = time.Second
	maxThrottlePause   = 5 * time.Minute
)

// errorPauses are the waits before the second and the third attempt after a function error.
var errorPauses = [2]time.Duration{time.Minute, 2 * time.Minute}

var (
	errFull   = errors.New("too many events wait for their functions: the local stack takes no more until some are done")
	errClosed = errors.New("the local stack is stopping")
)

// A backlog is every invocation that has been accepted and not ended.
type backlog struct {
	mu        sync.Mutex
	functions map[string]*asyncFunction
	count     int
	bytes     int
	closed    bool
	workers   sync.WaitGroup
	done      context.Context // ends invocations under way
	stop      context.CancelFunc
}

// An asyncFunction is one function's queue of invocations. The backlog's lock guards running and waiting.
type asyncFunction struct {
	name     string
	settings template.Async
	limit    int // invocations at a time
	running  int
	waiting  []*invocation
}

type invocation struct {
	function    *asyncFunction
	payload     []byte
	accepted    time.Time
	runs        int            // of the function, each with an error
	refusals    int            // Lambda did not run it
	last        *lambda.Result // of the last run
	unreachable func(error)    // what to do when the function can't be called at all; nil = as with a function error
}

func newBacklog(functions []template.Function) *backlog {
	l := &backlog{functions: make(map[string]*asyncFunction, len(functions))}
	l.done, l.stop = context.WithCancel(context.Background())
	for _, f := range functions {
		limit := asyncConcurrency
		if f.ReservedConcurrency > 0 {
			limit = min(limit, f.ReservedConcurrency)
		}
		l.functions[f.Name] = &asyncFunction{name: f.Name, settings: f.Async, limit: limit}
	}
	return l
}

// reserve makes room for a number of invocations, or says errFull or errClosed. The caller holds the lock.
func (l *backlog) reserve(count, bytes int) error {
	switch {
	case l.closed:
		return errClosed
	case l.count+count > maxBacklog || l.bytes+bytes > maxBacklogBytes:
		return errFull
	}
	l.count += count
	l.bytes += bytes
	return nil
}

func (l *backlog) release(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count--
	l.bytes -= bytes
}

// Async accepts one invocation of type Event. The payload is Async's to keep. One that finds no room is dropped, and the
// log says so: Lambda has answered 202 by then.
func (b *Bus) Async(function string, payload []byte) {
	b.backlog.mu.Lock()
	f := b.backlog.functions[function]
	err := errors.New("there is no such function")
	if f != nil {
		err = b.backlog.reserve(1, len(payload))
	}
	if err == nil {
		b.push(&invocation{function: f, payload: payload, accepted: b.cfg.Clock.Now()})
	}
	b.backlog.mu.Unlock()
	if err != nil {
		b.cfg.Log.Error("asynchronous invocation dropped", "function", function, "error", err)
	}
}

// push runs an invocation for which there is room, now or when one of its function has ended. The caller holds the lock.
func (b *Bus) push(i *invocation) {
	f := i.function
	if f.running == f.limit {
		f.waiting = append(f.waiting, i)
		return
	}
	f.running++
	b.backlog.workers.Go(func() { b.work(i) })
}

// work runs an invocation and then those of the same function that wait.
func (b *Bus) work(i *invocation) {
	f := i.function
	for i != nil {
		b.invoke(i)
		b.backlog.mu.Lock()
		i = nil
		if len(f.waiting) > 0 && !b.backlog.closed {
			i, f.waiting[0] = f.waiting[0], nil
			f.waiting = f.waiting[1:]
		} else {
			f.running--
		}
		b.backlog.mu.Unlock()
	}
}

// invoke makes one attempt and decides what follows.
func (b *Bus) invoke(i *invocation) {
	f := i.function
	log := b.cfg.Log.With("function", f.name)
	result, err := b.cfg.Invoker.Invoke(b.backlog.done, f.name, i.payload)
	switch {
	case err == nil && result.FunctionError == "":
		b.backlog.release(len(i.payload))
	case err == nil:
		i.runs++
		i.last = &result
		if i.runs > min(f.settings.MaximumRetryAttempts, len(errorPauses)) {
			b.fail(i, "RetriesExhausted")
			return
		}
		pause := errorPauses[i.runs-1]
		log.Warn("asynchronous invocation failed", "attempt", i.runs, "againIn", pause, "requestId", result.RequestID)
		b.again(i, pause)
	case b.backlog.done.Err() != nil:
		b.backlog.release(len(i.payload))
		log.Warn("asynchronous invocation cut short: the stack stops")
	case retryable(err):
		pause := maxThrottlePause
		if i.refusals < 9 { // 2⁹ s > 5 min
			pause = min(firstThrottlePause<<i.refusals, maxThrottlePause)
		}
		i.refusals++
		log.Warn("asynchronous invocation refused", "againIn", pause, "error", err)
		b.again(i, pause)
	case i.unreachable != nil:
		b.backlog.release(len(i.payload))
		i.unreachable(err)
	default:
		log.Error("asynchronous invocation refused for good", "error", err)
		b.fail(i, "RetriesExhausted")
	}
}

// retryable errors say so themselves.
func retryable(err error) bool {
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

// again makes the next attempt after a pause, unless the event is then too old.
func (b *Bus) again(i *invocation, pause time.Duration) {
	if b.cfg.Clock.Now().Add(pause).Sub(i.accepted) > i.function.settings.MaximumEventAge {
		b.fail(i, "EventAgeExceeded")
		return
	}
	b.cfg.Clock.AfterFunc(pause, func() {
		b.backlog.mu.Lock()
		defer b.backlog.mu.Unlock()
		if !b.backlog.closed {
			b.push(i)
		}
	})
}

// record is what an OnFailure destination gets (Lambda developer guide, "Capturing records of Lambda asynchronous
// invocations").
type record struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext"` // nil when the function never ran
	ResponsePayload json.RawMessage  `json:"responsePayload"`
}

type requestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError"`
}

// fail ends an invocation: to the OnFailure queue, or dropped.
func (b *Bus) fail(i *invocation, condition string) {
	b.backlog.release(len(i.payload))
	f := i.function
	log := b.cfg.Log.With("function", f.name, "condition", condition, "attempts", i.runs)
	if f.settings.OnFailureQueue == "" {
		log.Error("asynchronous invocation dropped: the function has no OnFailure destination")
		return
	}
	r := record{
		Version: "1.0", Timestamp: b.cfg.Clock.World(b.cfg.Clock.Now()).UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{newID(), b.arn("lambda", "function:"+f.name+":$LATEST"), condition, i.runs},
		RequestPayload: jsonOrText(i.payload),
	}
	if i.last != nil {
		if i.last.RequestID != "" {
			r.RequestContext.RequestID = i.last.RequestID
		}
		r.ResponseContext = &responseContext{200, "$LATEST", i.last.FunctionError}
		r.ResponsePayload = jsonOrText(i.last.Payload)
	}
	if _, err := b.cfg.Queues.Send(b.backlog.done, f.settings.OnFailureQueue, queue.Message{Body: string(encode(r))}); err != nil {
		log.Error("asynchronous invocation dropped: its record did not reach the OnFailure queue", "queue", f.settings.OnFailureQueue, "error", err)
		return
	}
	log.Warn("asynchronous invocation failed for good; its record is in the OnFailure queue", "queue", f.settings.OnFailureQueue)
}

// jsonOrText is a payload as a JSON value: itself, or as text if it is none.
func jsonOrText(payload []byte) json.RawMessage {
	if json.Valid(payload) {
		return payload
	}
	return encode(string(payload))
}

// Close accepts nothing more and waits for the invocations under way until ctx ends, which cuts them short. What still
// waited is dropped.
func (b *Bus) Close(ctx context.Context) error {
	b.backlog.mu.Lock()
	b.backlog.closed = true
	b.backlog.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		b.backlog.workers.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.backlog.stop()
	<-ended
	b.backlog.mu.Lock()
	defer b.backlog.mu.Unlock()
	if b.backlog.count > 0 {
		b.cfg.Log.Warn("the stack stops: asynchronous invocations dropped", "count", b.backlog.count)
	}
	return err
}
