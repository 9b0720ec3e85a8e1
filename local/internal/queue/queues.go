// Package queue is the local SQS: standard and FIFO queues in memory, SQS's JSON protocol over HTTP, and the event source
// mappings that hand messages to functions.
//
// Guarantees:
//   - A FIFO queue gives the messages of a group in the order they were sent, also after a redelivery, and nothing further
//     of a group while one of its messages is in flight.
//   - A message is in exactly one queue until it is deleted, purged or older than the retention period. One that was
//     received MaxReceiveCount times goes to the dead-letter queue at the next attempt to receive it.
//   - A waiting receiver wakes when a message becomes available; nothing polls. On AWS a mapping adds about 30 ms here at
//     the median (0.7 s at p99); this one adds none.
//   - Visibility, delay, deduplication, retention and long polls run on the clock of the Config.
//
// Different on purpose: queues come from the template and can't be created or changed; nothing is persisted; a queue holds
// at most 256 MiB and then answers RequestThrottled; rates (300 calls a second for a partition) are not limited;
// ReceiveRequestAttemptId is accepted without effect.
//
// The caller routes every request whose X-Amz-Target begins with "AmazonSQS." to ServeHTTP, whatever its path (SDKs post to
// the queue's URL), calls Run for the mappings, and Close in the end.
package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// An Invoker calls a function and waits for its answer. An error means that it was not called; a *lambda.Error says
// whether trying again helps.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error)
}

// Config is what New needs. Clock may be nil (real time); everything else is required, Mappings only with an Invoker.
type Config struct {
	Queues    []template.Queue
	Mappings  []template.Mapping
	Invoker   Invoker
	Clock     *clock.Clock
	Log       *slog.Logger
	Region    string
	AccountID string
}

// Queues are all queues of a stack. Its methods may be called from several goroutines.
type Queues struct {
	cfg      Config
	byName   map[string]*queue
	names    []string // in the order of the template
	mappings []template.Mapping
	done     context.Context
	close    context.CancelFunc
}

// New checks the queues and mappings against SQS's own limits and makes the queues, empty.
func New(cfg Config) (*Queues, error) {
	s := &Queues{cfg: cfg, byName: make(map[string]*queue, len(cfg.Queues))}
	s.done, s.close = context.WithCancel(context.Background())
	// One lock for all queues: a redrive moves a message between two of them in one step.
	var mu sync.Mutex
	var errs []error
	for _, def := range cfg.Queues {
		if s.byName[def.Name] != nil {
			errs = append(errs, fmt.Errorf("queue %s: the name is taken by another queue", def.Name))
			continue
		}
		arn := fmt.Sprintf("arn:aws:sqs:%s:%s:%s", cfg.Region, cfg.AccountID, def.Name)
		s.byName[def.Name] = newQueue(&mu, def, arn, cfg.Clock, s.done.Done())
		s.names = append(s.names, def.Name)
		errs = append(errs, checkQueue(def))
	}
	for _, name := range s.names {
		q := s.byName[name]
		if q.def.DeadLetterQueue == "" {
			continue
		}
		q.deadLetters = s.byName[q.def.DeadLetterQueue]
		switch {
		case q.deadLetters == nil:
			errs = append(errs, fmt.Errorf("queue %s: the dead-letter queue %s does not exist", name, q.def.DeadLetterQueue))
		case q.deadLetters == q:
			errs = append(errs, fmt.Errorf("queue %s: it can't be its own dead-letter queue", name))
		case q.deadLetters.def.FIFO != q.def.FIFO:
			errs = append(errs, fmt.Errorf("queue %s: its dead-letter queue %s must be of the same type, standard or FIFO", name, q.def.DeadLetterQueue))
		}
	}
	for _, m := range cfg.Mappings {
		errs = append(errs, s.checkMapping(m))
		if m.Enabled {
			s.mappings = append(s.mappings, m)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// checkQueue refuses what CreateQueue refuses (SQS API reference, SetQueueAttributes).
func checkQueue(def template.Queue) error {
	for _, limit := range []struct {
		attribute      string
		value, low, up time.Duration
	}{
		{"VisibilityTimeout", def.VisibilityTimeout, 0, maxVisibility},
		{"MessageRetentionPeriod", def.Retention, time.Minute, 14 * 24 * time.Hour},
		{"DelaySeconds", def.Delay, 0, maxDelay},
		{"ReceiveMessageWaitTimeSeconds", def.ReceiveWait, 0, maxWait},
	} {
		if limit.value < limit.low || limit.value > limit.up {
			return fmt.Errorf("queue %s: %s is %v, must be %v to %v", def.Name, limit.attribute, limit.value, limit.low, limit.up)
		}
	}
	if def.MaximumMessageBytes < 1024 || def.MaximumMessageBytes > maxBytes {
		return fmt.Errorf("queue %s: MaximumMessageSize is %d, must be 1024 to %d bytes", def.Name, def.MaximumMessageBytes, maxBytes)
	}
	if def.DeadLetterQueue != "" && (def.MaxReceiveCount < 1 || def.MaxReceiveCount > 1000) {
		return fmt.Errorf("queue %s: maxReceiveCount is %d, must be 1 to 1000", def.Name, def.MaxReceiveCount)
	}
	if scope := cmp.Or(def.DeduplicationScope, scopeQueue); scope != scopeQueue && scope != scopeGroup {
		return fmt.Errorf("queue %s: DeduplicationScope is %q, must be queue or messageGroup", def.Name, scope)
	}
	return nil
}

// checkMapping refuses what CreateEventSourceMapping refuses (Lambda API reference).
func (s *Queues) checkMapping(m template.Mapping) error {
	q := s.byName[m.Queue]
	switch {
	case q == nil:
		return fmt.Errorf("event source mapping %s: the queue %s does not exist", m.ID, m.Queue)
	case m.BatchSize < 1 || m.BatchSize > 10_000 || q.def.FIFO && m.BatchSize > 10:
		return fmt.Errorf("event source mapping %s: BatchSize is %d, must be 1 to 10 (standard queues: to 10000)", m.ID, m.BatchSize)
	case m.Window < 0 || m.Window > 300*time.Second || q.def.FIFO && m.Window > 0:
		return fmt.Errorf("event source mapping %s: MaximumBatchingWindowInSeconds is %v, must be 0 to 300 s, and 0 for a FIFO queue", m.ID, m.Window)
	case m.BatchSize > 10 && m.Window < time.Second:
		return fmt.Errorf("event source mapping %s: a BatchSize over 10 needs MaximumBatchingWindowInSeconds of at least 1", m.ID)
	case m.MaximumConcurrency != 0 && (m.MaximumConcurrency < 2 || m.MaximumConcurrency > 1000):
		return fmt.Errorf("event source mapping %s: MaximumConcurrency is %d, must be 2 to 1000", m.ID, m.MaximumConcurrency)
	}
	return nil
}

// Send puts one message into a queue, as SendMessage does, and returns its id. The error is an *Error.
func (s *Queues) Send(_ context.Context, name string, m Message) (string, error) {
	q, err := s.find(name)
	if err != nil {
		return "", err
	}
	if err := q.check(&m); err != nil {
		return "", err
	}
	sent, refused := q.put(m)
	if refused != nil {
		return "", refused
	}
	return sent.id, nil
}

// find takes a queue's URL, whose last path element is the name, or the bare name, which is what !Ref gives locally.
func (s *Queues) find(url string) (*queue, error) {
	if url == "" {
		return nil, missing("QueueUrl")
	}
	trimmed := strings.TrimRight(url, "/")
	if q := s.byName[trimmed[strings.LastIndexByte(trimmed, '/')+1:]]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

// Run hands messages to functions until ctx ends, and returns when the invocations under way have ended. Close cuts those
// short.
func (s *Queues) Run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.done, stop)()
	var pollers sync.WaitGroup
	for _, m := range s.mappings {
		p := newPoller(s, m)
		pollers.Go(func() { p.run(ctx) })
	}
	pollers.Wait()
}

// Close ends long polls and invocations. It does not wait for Run.
func (s *Queues) Close() {
	s.close()
	for _, q := range s.byName {
		q.stop()
	}
}
