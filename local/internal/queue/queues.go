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
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

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
	cfg    Config
	byName map[string]*queue
	done   context.Context
	close  context.CancelFunc
}

// New makes the queues, empty. It refuses what does not fit together; the limits of single values are the template's to
// check.
func New(cfg Config) (*Queues, error) {
	s := &Queues{cfg: cfg, byName: make(map[string]*queue, len(cfg.Queues))}
	s.done, s.close = context.WithCancel(context.Background())
	// One lock for all queues: a redrive moves a message between two of them in one step.
	var mu sync.Mutex
	for _, def := range cfg.Queues {
		arn := fmt.Sprintf("arn:aws:sqs:%s:%s:%s", cfg.Region, cfg.AccountID, def.Name)
		s.byName[def.Name] = newQueue(&mu, def, arn, cfg.Clock, s.done.Done())
	}
	var errs []error
	for _, def := range cfg.Queues {
		if def.DeadLetterQueue == "" {
			continue
		}
		to := s.byName[def.DeadLetterQueue]
		switch {
		case to == nil:
			errs = append(errs, fmt.Errorf("queue %s: the dead-letter queue %s does not exist", def.Name, def.DeadLetterQueue))
		case to.def.FIFO != def.FIFO:
			errs = append(errs, fmt.Errorf("queue %s: its dead-letter queue %s must be of the same type, standard or FIFO", def.Name, to.def.Name))
		}
		s.byName[def.Name].deadLetters = to
	}
	for _, m := range cfg.Mappings {
		switch {
		case s.byName[m.Queue] == nil:
			errs = append(errs, fmt.Errorf("event source mapping %s: the queue %s does not exist", m.ID, m.Queue))
		case m.BatchSize < 1:
			errs = append(errs, fmt.Errorf("event source mapping %s: BatchSize is %d, must be at least 1", m.ID, m.BatchSize))
		}
	}
	if err := errors.Join(errs...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
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
	for _, m := range s.cfg.Mappings {
		if m.Enabled {
			pollers.Go(func() { newPoller(s, m).run(ctx) })
		}
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
