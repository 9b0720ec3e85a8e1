package queue

import (
	"container/heap"
	"container/list"
	"fmt"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/template"
)

// Limits of SQS (API reference and quotas page), and one of this stack.
const (
	maxVisibility      = 12 * time.Hour
	maxDelay           = 15 * time.Minute
	maxWait            = 20 * time.Second
	maxReceive         = 10 // messages a ReceiveMessage or entries a batch
	maxInFlight        = 120_000
	deduplicationTime  = 5 * time.Minute
	purgeInterval      = time.Minute
	maxStored          = 256 << 20 // bytes a queue; this stack's own
	scopeGroup         = "messageGroup"
	firstSequence      = 18_000_000_000_000_000_000 // 20 digits, as SQS gives
	sequenceStep       = 256
	defaultConcurrency = 10 // invocations of a mapping without MaximumConcurrency: what one function's processes can take
)

// A queue holds the messages of one queue, in groups. In a standard queue every message is a group of its own, so that one
// set of rules serves both types: a group is ready when nothing of it is in flight and its first message waits.
type queue struct {
	def         template.Queue
	arn         string
	clock       *clock.Clock
	done        <-chan struct{} // closed when the stack stops
	created     time.Time
	deadLetters *queue
	maxInFlight int
	maxStored   int // bytes

	mu        *sync.Mutex // of all queues
	byID      map[string]*message
	messages  list.List         // *message, in the order they came
	groups    map[string]*group // FIFO
	ready     list.List         // *group, longest ready first
	due       dueHeap           // delayed and in flight
	timer     *time.Timer       // fires when the first of due is
	armed     time.Time         // when timer fires; zero = not armed
	receivers list.List         // chan struct{} of those that wait, longest waiting first
	seen      map[string]sent   // FIFO: deduplication
	seenOrder []seenAt          // oldest first
	sequence  uint64
	receipts  uint64
	bytes     int
	inFlight  int
	delayed   int
	purged    time.Time
}

// A group is what must be handed out in order, one receiver at a time.
type group struct {
	id       string
	messages list.List // *message
	inFlight int
	inReady  *list.Element // nil when not ready
}

// sent is what the producer learns.
type sent struct{ id, sequence string }

type seenAt struct {
	key string
	at  time.Time
}

func newQueue(mu *sync.Mutex, def template.Queue, arn string, c *clock.Clock, done <-chan struct{}) *queue {
	return &queue{
		def: def, arn: arn, clock: c, done: done, created: c.Now(), maxInFlight: maxInFlight, maxStored: maxStored, mu: mu,
		byID: map[string]*message{}, groups: map[string]*group{}, seen: map[string]sent{}, sequence: firstSequence,
	}
}

// stop ends the timer; what is due afterwards is noticed by the next call only.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
	}
}

// put stores a message that check has passed. One whose deduplication id was seen within five minutes is accepted, gets the
// first one's id and sequence number, and is not stored.
func (q *queue) put(in Message) (sent, *Error) {
	m := &message{Message: in, id: newID(), bodyMD5: md5Hex(in.Body), bytes: in.size(), eventBytes: eventSize(in)}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.advance(now)
	var key string
	if q.def.FIFO {
		key = in.DeduplicationID
		if q.def.DeduplicationScope == scopeGroup {
			key = in.GroupID + " " + key // neither has a space
		}
		q.forget(now)
		if first, ok := q.seen[key]; ok {
			return first, nil
		}
	}
	if q.bytes+m.bytes > q.maxStored {
		return sent{}, &Error{
			"RequestThrottled", "RequestThrottled", 403,
			fmt.Sprintf("The queue %s of the local stack holds %d bytes and takes no more: receive or purge.", q.def.Name, q.bytes),
		}
	}
	m.sent = now
	if q.def.FIFO {
		m.sequence = q.nextSequence()
		q.seen[key] = sent{m.id, m.sequence}
		q.seenOrder = append(q.seenOrder, seenAt{key, now})
	}
	delay := q.def.Delay
	if in.Delay != nil && !q.def.FIFO {
		delay = *in.Delay
	}
	q.add(m, now, delay)
	return sent{m.id, m.sequence}, nil
}

func (q *queue) nextSequence() string {
	q.sequence += sequenceStep
	return fmt.Sprintf("%020d", q.sequence)
}

// forget drops deduplication ids older than five minutes.
func (q *queue) forget(now time.Time) {
	n := 0
	for n < len(q.seenOrder) && now.Sub(q.seenOrder[n].at) >= deduplicationTime {
		delete(q.seen, q.seenOrder[n].key)
		n++
	}
	q.seenOrder = q.seenOrder[n:]
}

func (q *queue) add(m *message, now time.Time, delay time.Duration) {
	g := q.groups[m.GroupID]
	if g == nil || !q.def.FIFO {
		g = &group{id: m.GroupID}
		if q.def.FIFO {
			q.groups[g.id] = g
		}
	}
	m.group, m.state, m.position, m.receives = g, waiting, -1, 0
	m.inGroup = g.messages.PushBack(m)
	m.inQueue = q.messages.PushBack(m)
	q.byID[m.id] = m
	q.bytes += m.bytes
	if delay > 0 {
		q.schedule(m, delayed, now.Add(delay))
	}
	q.settle(g)
}

// remove takes a message out of the queue, whatever its state.
func (q *queue) remove(m *message) {
	q.unschedule(m)
	m.group.messages.Remove(m.inGroup)
	q.messages.Remove(m.inQueue)
	delete(q.byID, m.id)
	q.bytes -= m.bytes
	q.settle(m.group)
}

// settle puts a group where it belongs after a change: among the ready ones, where it wakes a receiver, or not.
func (q *queue) settle(g *group) {
	front := g.messages.Front()
	ready := g.inFlight == 0 && front != nil && front.Value.(*message).state == waiting
	switch {
	case ready && g.inReady == nil:
		g.inReady = q.ready.PushBack(g)
		q.wake()
	case !ready && g.inReady != nil:
		q.ready.Remove(g.inReady)
		g.inReady = nil
	}
	if front == nil && q.groups[g.id] == g {
		delete(q.groups, g.id)
	}
}

// wake tells the receiver that waits longest to look again.
func (q *queue) wake() {
	if first := q.receivers.Front(); first != nil {
		close(q.receivers.Remove(first).(chan struct{}))
	}
}

// schedule makes a message delayed or in flight until due.
func (q *queue) schedule(m *message, s state, due time.Time) {
	if s == delayed {
		q.delayed++
	} else {
		q.inFlight++
		m.group.inFlight++
	}
	m.state, m.due = s, due
	heap.Push(&q.due, m)
	q.settle(m.group)
	q.arm()
}

// unschedule makes a message one that waits. The caller settles its group, unless it schedules the message anew.
func (q *queue) unschedule(m *message) {
	switch m.state {
	case waiting:
		return
	case inFlight:
		q.inFlight--
		m.group.inFlight--
		if q.inFlight == q.maxInFlight-1 && q.ready.Len() > 0 {
			q.wake() // receivers may have waited for this room
		}
	case delayed:
		q.delayed--
	}
	m.state = waiting
	heap.Remove(&q.due, m.position)
}

// advance makes visible what is due and drops what is too old.
func (q *queue) advance(now time.Time) {
	for len(q.due) > 0 && !q.due[0].due.After(now) {
		m := q.due[0]
		q.unschedule(m)
		q.settle(m.group)
	}
	for front := q.messages.Front(); front != nil; front = q.messages.Front() {
		m := front.Value.(*message)
		if now.Sub(m.sent) < q.def.Retention {
			break
		}
		q.remove(m)
	}
}

// arm sets the timer for the first message that is due, if it does not fire before that anyway.
func (q *queue) arm() {
	if len(q.due) == 0 || !q.armed.IsZero() && !q.armed.After(q.due[0].due) {
		return
	}
	q.armed = q.due[0].due
	wait := max(q.armed.Sub(q.clock.Now()), time.Millisecond) // a fast clock rounds: never spin
	if q.timer == nil {
		q.timer = q.clock.AfterFunc(wait, q.tick)
	} else {
		q.timer.Reset(q.clock.Real(wait))
	}
}

func (q *queue) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.armed = time.Time{}
	q.advance(q.clock.Now())
	q.arm()
}

// purge deletes all messages, at most once a minute.
func (q *queue) purge() *Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeInterval {
		return simple("PurgeQueueInProgress", 403, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.def.Name)
	}
	q.purged = now
	for front := q.messages.Front(); front != nil; front = q.messages.Front() {
		q.remove(front.Value.(*message))
	}
	return nil
}

// counts are of messages that can be received or wait for their group, that are in flight, and that are delayed.
func (q *queue) counts() (visible, hidden, later int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(q.clock.Now())
	return len(q.byID) - q.inFlight - q.delayed, q.inFlight, q.delayed
}

// dueHeap has the message that is due first at its top (container/heap).
type dueHeap []*message

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

func (h *dueHeap) Push(x any) {
	m := x.(*message)
	m.position = len(*h)
	*h = append(*h, m)
}

func (h *dueHeap) Pop() any {
	old := *h
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	m.position = -1
	return m
}
