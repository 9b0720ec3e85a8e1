package queue

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// Pauses before a batch that Lambda did not take is offered again: half to all of the first, doubled each time.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// A poller is one event source mapping at work: it takes a batch when it has a free invocation, not earlier, because
// visibility counts from the receive.
type poller struct {
	def      template.Mapping
	queue    *queue
	invoker  Invoker
	clock    *clock.Clock
	log      *slog.Logger
	region   string
	senderID string
	done     context.Context // of the stack: ends invocations under way
	slots    chan struct{}   // one for each invocation under way
}

func newPoller(s *Queues, def template.Mapping) *poller {
	concurrency := def.MaximumConcurrency
	if concurrency == 0 {
		concurrency = defaultConcurrency
	}
	return &poller{
		def: def, queue: s.byName[def.Queue], invoker: s.cfg.Invoker, clock: s.cfg.Clock,
		log:    s.cfg.Log.With("queue", def.Queue, "function", def.Function),
		region: s.cfg.Region, senderID: s.cfg.AccountID, done: s.done, slots: make(chan struct{}, concurrency),
	}
}

// run polls until ctx ends and then waits for the invocations under way.
func (p *poller) run(ctx context.Context) {
	var invocations sync.WaitGroup
	defer invocations.Wait()
	for {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return
		}
		batch := p.batch(ctx)
		if len(batch) == 0 { // only when ctx has ended or the stack stops
			return
		}
		invocations.Go(func() {
			defer func() { <-p.slots }()
			p.deliver(batch)
		})
	}
}

// batch waits for the first message, and with a batching window until it has passed or the batch is full.
func (p *poller) batch(ctx context.Context) []delivery {
	want := reception{messages: p.def.BatchSize, bytes: maxEventBytes, visibility: p.queue.def.VisibilityTimeout, wait: -1}
	batch, _ := p.queue.receive(ctx, want) // a queue has no error for who waits
	if len(batch) == 0 || p.def.Window == 0 {
		return batch
	}
	for ends := p.clock.Now().Add(p.def.Window); len(batch) < p.def.BatchSize; {
		want.messages = p.def.BatchSize - len(batch)
		want.bytes = maxEventBytes
		for _, d := range batch {
			want.bytes -= d.eventBytes
		}
		if want.wait = ends.Sub(p.clock.Now()); want.wait <= 0 || want.bytes < maxRecordBytes {
			break
		}
		more, err := p.queue.receive(ctx, want)
		if err != nil || len(more) == 0 {
			break // what is there is still delivered
		}
		batch = append(batch, more...)
	}
	return batch
}

// deliver invokes the function and deletes what it has done. The rest stays until its visibility ends.
func (p *poller) deliver(batch []delivery) {
	payload := p.event(batch)
	visible := p.clock.Now().Add(p.queue.def.VisibilityTimeout)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		result, err := p.invoker.Invoke(p.done, p.def.Function, payload)
		if err == nil {
			p.settle(batch, result)
			return
		}
		if p.done.Err() != nil {
			return
		}
		// Lambda offers a throttled batch again while it is hidden, never later: then it may be with another invocation.
		// This is why AWS recommends a visibility of six times the function's time-out.
		wait := pause/2 + rand.N(pause/2)
		var refused *lambda.Error
		again := errors.As(err, &refused) && refused.Retryable() && p.clock.Now().Add(wait).Before(visible)
		if !again {
			p.log.Error("batch not delivered; it stays in the queue", "messages", len(batch), "error", err)
		}
		// The slot stays taken meanwhile: a function that can't be called is not called more often.
		if p.clock.Sleep(p.done, wait) != nil || !again {
			return
		}
	}
}

func (p *poller) settle(batch []delivery, result lambda.Result) {
	if result.FunctionError != "" {
		p.log.Warn("function failed; its batch stays in the queue", "messages", len(batch), "receive", batch[0].receives, "requestId", result.RequestID)
		return
	}
	var stay map[string]bool
	if p.def.ReportFailures {
		var ok bool
		if stay, ok = failures(result.Payload, batch); !ok {
			p.log.Warn("function answered no valid batchItemFailures; its batch stays in the queue", "messages", len(batch), "requestId", result.RequestID)
			return
		}
	}
	for _, d := range batch {
		if stay[d.id] {
			continue
		}
		if err := p.queue.delete(d.handle); err != nil {
			p.log.Warn("message done too late; it is delivered again", "messageId", d.id, "error", err)
		}
	}
}
