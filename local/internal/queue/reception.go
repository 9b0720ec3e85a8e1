package queue

import (
	"context"
	"time"
)

// A reception says what a receiver wants.
type reception struct {
	messages   int           // at most
	bytes      int           // of a Lambda event, at most; 0 = any, else room for at least one message of the greatest size
	visibility time.Duration // how long the messages stay hidden
	wait       time.Duration // for the first message; below 0 = for ever
}

// receive returns at least one message, or none when the wait is over, or the error of the context or of the queue.
func (q *queue) receive(ctx context.Context, want reception) ([]delivery, error) {
	var over <-chan time.Time
	for waited := want.wait == 0; ; {
		q.mu.Lock()
		got, err := q.take(want)
		if len(got) > 0 || err != nil || waited {
			q.mu.Unlock()
			return got, err
		}
		woken := make(chan struct{})
		place := q.receivers.PushBack(woken)
		q.mu.Unlock()
		if want.wait > 0 && over == nil {
			timer := time.NewTimer(q.clock.Real(want.wait))
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-woken:
			continue
		case <-over:
			waited = true
		case <-q.done:
			waited = true
		case <-ctx.Done():
			err = ctx.Err()
		}
		q.mu.Lock()
		select {
		case <-woken: // at the same moment: whoever waits next must not miss it
			q.wake()
		default:
			q.receivers.Remove(place)
		}
		q.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
}

// take marks messages as in flight and returns them: as many as possible of one group, then of the next.
func (q *queue) take(want reception) ([]delivery, error) {
	now := q.clock.Now()
	q.advance(now)
	var taken []delivery
	room := want.bytes
	for place := q.ready.Front(); place != nil && len(taken) < want.messages; place = q.ready.Front() {
		g := place.Value.(*group)
		for next := g.messages.Front(); next != nil && len(taken) < want.messages; {
			m := next.Value.(*message)
			next = next.Next()
			if m.state != waiting {
				break // delayed: what follows is delayed too
			}
			if now.Sub(m.sent) >= q.def.Retention {
				q.remove(m)
				continue
			}
			if q.deadLetters != nil && m.receives >= q.def.MaxReceiveCount {
				q.redrive(m, now)
				continue
			}
			if q.inFlight >= q.maxInFlight {
				if q.def.FIFO || len(taken) > 0 || want.wait != 0 {
					return taken, nil // only a short poll of a standard queue hears of it
				}
				return nil, &Error{"OverLimit", "OverLimit", 403, "Too many messages in flight."}
			}
			if want.bytes > 0 {
				if room -= m.eventBytes; room < 0 {
					return taken, nil
				}
			}
			taken = append(taken, q.give(m, now, want.visibility))
		}
	}
	return taken, nil
}

func (q *queue) give(m *message, now time.Time, visibility time.Duration) delivery {
	q.receipts++
	m.receipt = q.receipts
	m.receives++
	m.last = now
	if m.first.IsZero() {
		m.first = now
	}
	q.schedule(m, inFlight, now.Add(visibility))
	return delivery{m, formatHandle(q.def.Name, m.id, m.receipt), m.receives, m.first}
}

// redrive moves a message to the dead-letter queue. A standard message keeps its age there; a FIFO message starts anew.
func (q *queue) redrive(m *message, now time.Time) {
	q.remove(m)
	to := q.deadLetters
	dead := &message{
		Message: m.Message, id: m.id, bodyMD5: m.bodyMD5, bytes: m.bytes, eventBytes: m.eventBytes,
		sent: m.sent, first: m.first, source: q.arn, before: m.before + m.receives,
	}
	if to.def.FIFO {
		dead.sequence = to.nextSequence()
		dead.sent = now
	}
	to.add(dead, now, 0)
}
