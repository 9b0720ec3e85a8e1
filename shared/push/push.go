// Package push posts frames to connections: many at a time, paced, retried, with the outcome of each.
//
// Guarantees:
//   - No attempt to post begins at or after the recipient's validUntil.
//   - A recipient's frames are posted one after the other, in their order.
//   - Each frame ends in exactly one [Outcome]; a recipient that is gone, slow or refused never fails the others.
//   - When several recipients are answered 429 the number of posts under way halves, and grows back with success: the quota (10,000
//     requests a second) is shared with every other API of the account. A 429 to one recipient alone is its own slowness (API
//     Gateway answers it when a client's buffer is full) and slows nobody else.
//   - Every frame gets an attempt. A recipient that was throttled to the end gets one for each further frame, and one whose post has
//     hung only [StalledTimeout] for it: a client that reads slowly or has vanished delays its tenant by seconds, not by the
//     function's time-out.
//
// Delivery is at least once: an attempt that failed may have reached the client, and is repeated.
package push

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
)

// AttemptTimeout bounds one post. A post to a vanished client can hang (aws-sdk-js-v3#6896, aws-sdk-go-v2#1534), while a
// healthy one takes some ten milliseconds. StalledTimeout is for the next posts to a client whose post has just hung.
const (
	AttemptTimeout = 2 * time.Second
	StalledTimeout = 250 * time.Millisecond
)

// policy bounds the attempts of one post: 429 and 5xx pass within a second, or the client notices the gap and asks.
var policy = backoff.Policy{Base: 50 * time.Millisecond, Cap: time.Second, Tries: 5}

var (
	// ErrGone: the connection no longer exists (410).
	ErrGone = errors.New("connection is gone")
	// ErrThrottled: the account's quota is reached, or the client reads too slowly (429).
	ErrThrottled = errors.New("throttled")
)

// A Poster posts one frame to one connection. Its errors wrap ErrGone, ErrThrottled, and backoff.ErrTransient where the same
// post may succeed later.
type Poster interface {
	Post(ctx context.Context, connectionID string, frame Frame) error
}

// An Outcome is how the posting of one frame ended.
type Outcome int

// The outcomes.
const (
	Delivered    Outcome = iota // the gateway took it
	Gone                        // the connection no longer exists
	Expired                     // the recipient's token ran out before the attempt
	ThrottledOut                // still 429 at the last attempt
	Failed                      // refused, or no answer
	outcomes                    // their number
)

func (o Outcome) String() string {
	return [outcomes]string{"delivered", "gone", "expired", "throttled", "failed"}[o]
}

// A Recipient is a connection, until its token runs out.
type Recipient struct {
	ConnectionID string
	ValidUntil   time.Time
}

// A Delivery is what one recipient is to get, in order.
type Delivery struct {
	Recipient
	Frames []Frame
}

// A Pusher posts. It is safe for concurrent use, and all its posts share one pace.
type Pusher struct {
	poster      Poster
	clock       backoff.Clock
	concurrency int
	pace        *pace

	mu   sync.Mutex
	slow map[string]time.Time // recipients that were throttled to the end, and when
}

// slowFor is how long a recipient that was throttled to the end gets one attempt a frame: a client that has stopped reading must not
// delay every push anew. It heals by a ping, as everybody does who sees a gap.
const slowFor = time.Minute

// isSlow says whether a recipient was throttled to the end of late.
func (p *Pusher) isSlow(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, ok := p.slow[id]
	return ok && p.clock.Now().Sub(since) < slowFor
}

// setSlow notes how a recipient's last frame ended. What is older than slowFor is forgotten.
func (p *Pusher) setSlow(id string, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slow {
		delete(p.slow, id)
		return
	}
	now := p.clock.Now()
	maps.DeleteFunc(p.slow, func(_ string, since time.Time) bool { return now.Sub(since) >= slowFor })
	p.slow[id] = now
}

// New returns a Pusher with at most concurrency posts under way.
func New(poster Poster, concurrency int, clock backoff.Clock) *Pusher {
	return &Pusher{poster: poster, clock: clock, concurrency: concurrency, pace: newPace(concurrency), slow: map[string]time.Time{}}
}

// Push posts every delivery, each recipient at its own speed, and returns how each one's frames ended. Frames behind one that
// failed are posted all the same: the client sees the gap in the numbers and asks. Frames behind Gone or Expired end likewise
// without an attempt.
func (p *Pusher) Push(ctx context.Context, deliveries []Delivery) []Counts {
	var hung atomic.Int64 // posts of this push
	results := make([]Counts, len(deliveries))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(p.concurrency, len(deliveries)) {
		workers.Go(func() {
			for i := range next {
				results[i] = p.pushOne(ctx, deliveries[i], &hung)
			}
		})
	}
	for i := range deliveries {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// Counts are the frames of one delivery by outcome.
type Counts [outcomes]int

func (p *Pusher) pushOne(ctx context.Context, d Delivery, hung *atomic.Int64) (counts Counts) {
	try := attempts{timeout: AttemptTimeout, most: policy.Tries}
	wasSlow := p.isSlow(d.ConnectionID)
	if wasSlow {
		try.most = 1
	}
	for i, frame := range d.Frames {
		if hung.Load() >= int64(p.concurrency) {
			try.timeout = StalledTimeout // as many have vanished as are posted to at a time: the others must not wait for more of them
		}
		outcome, stalled := p.post(ctx, d.Recipient, frame, try)
		switch {
		case outcome == Gone || outcome == Expired:
			counts[outcome] += len(d.Frames) - i
			return counts
		case stalled:
			hung.Add(1)
			try.timeout = StalledTimeout
		case outcome == ThrottledOut:
			try.most = 1
			p.setSlow(d.ConnectionID, true)
		case outcome == Delivered && wasSlow:
			p.setSlow(d.ConnectionID, false)
		}
		counts[outcome]++
	}
	return counts
}

// Replay posts a delivery until the first frame that is not delivered. It returns how many were, and how the last one ended.
func (p *Pusher) Replay(ctx context.Context, d Delivery) (delivered int, last Outcome) {
	for i, frame := range d.Frames {
		if last, _ = p.post(ctx, d.Recipient, frame, attempts{timeout: AttemptTimeout, most: policy.Tries}); last != Delivered {
			return i, last
		}
	}
	return len(d.Frames), Delivered
}

// attempts bound those of one frame.
type attempts struct {
	timeout time.Duration // of each
	most    int
}

// post makes the attempts of one frame.
func (p *Pusher) post(ctx context.Context, to Recipient, frame Frame, allowed attempts) (outcome Outcome, stalled bool) {
	for try := 0; ; try++ {
		turn := p.pace.begin()
		if !p.clock.Now().Before(to.ValidUntil) {
			p.pace.end(false)
			return Expired, false
		}
		attempt, cancel := context.WithTimeout(ctx, allowed.timeout)
		err := p.poster.Post(attempt, to.ConnectionID, frame)
		hung := attempt.Err() != nil
		cancel()
		switch {
		case err == nil:
			p.pace.end(true)
			return Delivered, false
		case errors.Is(err, ErrGone):
			p.pace.end(true)
			return Gone, false
		case errors.Is(err, ErrThrottled):
			p.pace.throttled(turn, to.ConnectionID)
			outcome = ThrottledOut
		default:
			p.pace.end(false)
			outcome = Failed
			if hung {
				return Failed, true
			}
		}
		if !errors.Is(err, backoff.ErrTransient) || try+1 >= allowed.most {
			return outcome, false
		}
		if p.clock.Sleep(ctx, policy.Delay(try, p.clock.Random())) != nil {
			return outcome, false
		}
	}
}
