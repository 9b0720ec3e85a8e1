package simulation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	pusher "github.com/purposepath/realtime/functions/pusher/handler"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/queue"
)

// As template.yaml says of TenantQueue and PusherFunction.
const (
	visibility    = 120 * time.Second
	maxReceives   = 10
	batchSize     = 10
	pusherTimeout = 30 * time.Second
	passFrom      = 8 // the receive from which the pusher gives up the queue's order (architecture.md, step 5)
	dedupFor      = 5 * time.Minute
)

// The tenantQueue is a simulated SQS FIFO queue with its event source mapping: groups in order, one batch of a group at a time, batches
// over several groups, visibility, receive counts, dead letters, deduplication, and messages that come twice.
type tenantQueue struct {
	w           *world
	messages    []*queued // in the order in which they were sent
	deadLetters []*queued
	sent        map[string]time.Time // by deduplication id
	made        int
	polling     int
	concurrency int
}

// A queued is a message in the queue.
type queued struct {
	name              string
	tenantID, eventID string
	group, body       string
	receives          int
	handle            string
	visibleAt         time.Time
	passed            bool // the pusher may number later ones first
}

func (q *tenantQueue) put(group, dedup string, m queued) {
	if at, ok := q.sent[dedup]; ok && time.Since(at) < dedupFor {
		q.w.note("  queue drops %s: sent %v ago", m.eventID, time.Since(at).Round(time.Millisecond))
		q.w.counts.deduplicated++
		return
	}
	q.made++
	q.sent[dedup] = time.Now()
	m.group, m.name = group, fmt.Sprintf("%s.%d", m.eventID, q.made)
	m.visibleAt = time.Now()
	q.messages = append(q.messages, &m)
	q.w.note("  queued %s for %s", m.name, group)
	q.w.after(q.w.chance.between(0, q.w.scenario.wakeUp, "wake-up for "+m.name), q.poll)
}

// poll gives every batch that can be had to a pusher.
func (q *tenantQueue) poll() {
	for q.polling < q.concurrency {
		batch := q.receive()
		if len(batch) == 0 {
			return
		}
		q.deliver(batch)
	}
}

// receive takes up to ten messages, sometimes fewer than there are: of each group the first ones, unless one of it is in flight.
func (q *tenantQueue) receive() []*queued {
	now := time.Now()
	blocked := map[string]bool{}
	var batch []*queued
	most := batchSize
	if q.w.chance.below(3, fmt.Sprint("fewer ", q.w.steps.Load())) == 0 {
		most = q.w.chance.from(1, batchSize, fmt.Sprint("how many ", q.w.steps.Load())) // SQS may give fewer than it has
	}
	for _, m := range slices.Clone(q.messages) {
		if m.visibleAt.After(now) {
			blocked[m.group] = true
		}
	}
	for _, m := range slices.Clone(q.messages) {
		switch {
		case blocked[m.group]:
		case m.receives >= maxReceives:
			q.w.note("! %s goes to the dead letters after %d receives", m.name, m.receives)
			q.w.counts.deadLetters++
			q.remove(m)
			q.deadLetters = append(q.deadLetters, m)
			q.w.bus.dead[m.eventID]++
		case len(batch) < most:
			m.receives++
			m.handle = fmt.Sprint(m.name, "@", m.receives)
			m.visibleAt = now.Add(visibility)
			q.w.counts.redeliveries += min(1, m.receives-1)
			batch = append(batch, m)
			q.wakeAt(m.visibleAt)
		}
	}
	return batch
}

func (q *tenantQueue) wakeAt(at time.Time) { q.w.after(time.Until(at), q.poll) }

func (q *tenantQueue) remove(m *queued) {
	q.messages = slices.DeleteFunc(q.messages, func(other *queued) bool { return other == m })
}

// deliver calls the pusher with a batch, once or twice at a time.
func (q *tenantQueue) deliver(batch []*queued) {
	records := make([]events.SQSMessage, len(batch))
	most := map[string]int{} // receives, by tenant
	for i, m := range batch {
		records[i] = events.SQSMessage{
			MessageId: m.name, ReceiptHandle: m.handle, Body: m.body,
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.receives)},
		}
		most[m.tenantID] = max(most[m.tenantID], m.receives)
	}
	for _, m := range batch {
		m.passed = m.passed || most[m.tenantID] >= passFrom
	}
	name := "push " + batch[0].handle
	call := func(name string, n int) {
		q.w.invoke("pusher", name, pusherTimeout, func(ctx context.Context, c *container) (any, error) {
			return q.w.pusher(c).Handle(ctx, events.SQSEvent{Records: records[:n]})
		}, func(result any, err error) { q.ended(name, batch[:n], records, result, err) })
	}
	q.polling++
	call(name, len(batch))
	if q.w.strikes(queueTwice, name) {
		q.polling++
		most := []time.Duration{100 * time.Millisecond, 5 * time.Second, 3 * time.Minute}[q.w.chance.below(3, "how late "+name)]
		q.w.after(q.w.chance.between(0, most, "twice "+name), func() { // all or the first ones; some are frozen, and thawed long after
			call(name+" again", q.w.chance.from(1, len(batch), "part of "+name))
		})
	}
}

// ended deletes what is done, as the event source mapping does.
func (q *tenantQueue) ended(name string, batch []*queued, records []events.SQSMessage, result any, err error) {
	q.polling--
	defer q.w.after(q.w.chance.upTo(50*time.Millisecond, "poll after "+name), q.poll)
	if err != nil {
		return // everything becomes visible again
	}
	failed := map[string]bool{}
	for _, f := range result.(events.SQSEventResponse).BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	for i, m := range batch {
		if failed[m.name] {
			q.w.note("  %s is not done", m.name)
			continue
		}
		q.w.truth.done(q.w, m)
		if q.w.strikes(queueNotDeleted, name+" "+m.name) {
			continue
		}
		if m.handle == records[i].ReceiptHandle { // an older handle deletes nothing
			q.remove(m)
		}
	}
}

// inOrder: the pusher numbers a tenant's events in the order of its queue, until it has to pass over one.
func (q *tenantQueue) inOrder(inv *invocation, tenantID, eventID string) {
	at := slices.IndexFunc(q.messages, func(m *queued) bool { return m.tenantID == tenantID && m.eventID == eventID })
	for _, m := range q.messages[:max(at, 0)] {
		if m.tenantID != tenantID || m.passed || q.w.bus.dead[m.eventID] > 0 {
			continue
		}
		if _, numbered := q.w.truth.tenants[tenantID].number[m.eventID]; !numbered {
			q.w.fail("%s numbered %s before %s, which came first", inv.name, eventID, m.name)
		}
	}
}

// redrive sends the dead letters again, as an operator does.
func (q *tenantQueue) redrive() {
	letters := q.deadLetters
	q.deadLetters = nil
	for _, m := range letters {
		if q.w.bus.fate(m.eventID) == eventInvalid || m.group == "foreign" {
			continue // it would only come back
		}
		q.w.counts.redriven++
		q.w.bus.dead[m.eventID]--
		q.put(m.group, fmt.Sprint("redriven ", m.name), queued{tenantID: m.tenantID, eventID: m.eventID, body: m.body})
	}
}

// A queueClient is the queues as functions have them.
type queueClient struct{ w *world }

var errQueue = errors.New("simulated failure of the queue")

func (c queueClient) call(ctx context.Context, step string) (string, error) {
	inv := invocationOf(ctx)
	key := inv.call(ctx, step)
	if err := c.w.await(ctx, key, c.w.latency(key)); err != nil {
		return key, err
	}
	if c.w.crashes(inv, "before "+key) {
		return key, errKilled
	}
	return key, nil
}

// Send implements what the broadcaster needs.
func (c queueClient) Send(ctx context.Context, m queue.Message) error {
	ctx = withDetail(ctx, m.EventID)
	key, err := c.call(ctx, "send")
	if err != nil {
		return err
	}
	if c.w.strikes(sendFailed, key) {
		return errQueue
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.w.queue.put(m.TenantID, m.TenantID+"\x00"+m.EventID, queued{tenantID: m.TenantID, eventID: m.EventID, body: string(body)})
	return c.sent(ctx, key)
}

// sent may lose the answer of a call that was carried out.
func (c queueClient) sent(ctx context.Context, key string) error {
	if c.w.crashes(invocationOf(ctx), "after "+key) {
		return errKilled
	}
	if c.w.strikes(sendLostAnswer, key) {
		return errQueue
	}
	return nil
}

// Refuse implements what broadcaster and pusher need.
func (c queueClient) Refuse(ctx context.Context, body string, why queue.Refusal) error {
	id := c.w.bus.idIn(body)
	ctx = withDetail(ctx, id)
	key, err := c.call(ctx, "refuse")
	if err != nil {
		return err
	}
	if c.w.strikes(refuseFailed, key) {
		return errQueue
	}
	if why.Reason == "" || why.By == "" {
		c.w.fail("%s was put aside without a reason", id)
	}
	c.w.note("  dead letter %s: %s", id, why.Reason)
	c.w.bus.dead[id]++
	c.w.counts.refused++
	return c.sent(ctx, key)
}

// RetryIn implements what the pusher needs.
func (c queueClient) RetryIn(ctx context.Context, d time.Duration, handles []string) error {
	if len(handles) == 0 || len(handles) > eventlog.MaxBatch {
		c.w.fail("visibility of %d messages changed in one call", len(handles))
		return nil
	}
	ctx = withDetail(ctx, handles[0])
	key, err := c.call(ctx, "retry in")
	if err != nil {
		return err
	}
	if c.w.strikes(queueNoRetryIn, key) {
		return errQueue
	}
	at := time.Now().Add(d)
	for _, m := range c.w.queue.messages {
		if slices.Contains(handles, m.handle) {
			m.visibleAt = at
		}
	}
	c.w.queue.wakeAt(at)
	return nil
}

func (w *world) pusher(c *container) *pusher.Handler {
	return &pusher.Handler{
		Events: eventlog.New(eventTable{w.tables}, w.clock()), Members: connectionTable{w.tables}, Push: c.push, Queue: queueClient{w}, Now: time.Now, Log: discard,
	}
}
