// Package backoff waits between tries: full jitter below a growing cap, on a clock that tests can hold.
//
// It is a leaf. A call that may succeed when repeated unchanged says so by an error that wraps [ErrTransient]; everything
// else ends the tries at once.
package backoff

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// ErrTransient marks an error after which the same call may succeed: throttled, in conflict with another writer, or a
// fault of the service.
var ErrTransient = errors.New("try again")

// A Clock is time and chance as the code that waits sees them.
type Clock struct {
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error // nil after d, or the context's error
	Random func() float64                                   // in [0, 1)
}

// RealClock is the world's time and chance.
func RealClock() Clock {
	return Clock{Now: time.Now, Sleep: sleep, Random: rand.Float64}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A Policy bounds the tries of one call.
type Policy struct {
	Base  time.Duration // the cap of the first wait; it doubles with each
	Cap   time.Duration // no wait is longer
	Tries int           // calls in all, the first included
	Total time.Duration // no wait begins that would end later than this after the first call; 0 = no bound
}

// OneItem is the policy of a write to one item: it conflicts with a transaction over the same item, or is throttled for a moment.
func OneItem() Policy {
	return Policy{Base: 20 * time.Millisecond, Cap: 200 * time.Millisecond, Tries: 6, Total: 2 * time.Second}
}

// Delay is the wait after the given failed try (the first is 0): full jitter, so that those who failed together do not come
// back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
func (p Policy) Delay(try int, random float64) time.Duration {
	ceiling := p.Cap
	if try < 32 && p.Base<<try < p.Cap && p.Base<<try > 0 {
		ceiling = p.Base << try
	}
	return time.Duration(random * float64(ceiling))
}

// Retry calls f until it returns nil, an error that is not transient, or the policy is exhausted; then it returns f's last
// error. It returns early, with that same error, when the context ends.
func (p Policy) Retry(ctx context.Context, clock Clock, f func() error) error {
	began := clock.Now()
	for try := 0; ; try++ {
		err := f()
		if err == nil || !errors.Is(err, ErrTransient) || try+1 >= p.Tries {
			return err
		}
		delay := p.Delay(try, clock.Random())
		if p.Total > 0 && clock.Now().Add(delay).Sub(began) > p.Total {
			return err
		}
		if clock.Sleep(ctx, delay) != nil {
			return err
		}
	}
}
