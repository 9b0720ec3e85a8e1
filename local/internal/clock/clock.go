// Package clock is the local stack's time: it can run faster than the world's.
//
// Everything that imitates AWS's own timers (idle and lifetime limits, schedules, visibility, retries, token life) asks a
// Clock; functions are separate processes and keep real time. It is built on package time alone, so that inside a
// testing/synctest bubble it needs no second fake.
package clock

import (
	"context"
	"time"
)

// A Clock runs at a constant multiple of real time. The nil Clock is real time.
type Clock struct {
	start time.Time
	speed float64
}

// New returns a clock that now shows the real time and from here runs speed times as fast (1 = real time). Speed must be
// above zero.
func New(speed float64) *Clock {
	if speed <= 0 {
		panic("clock: speed must be above zero")
	}
	return &Clock{start: time.Now(), speed: speed}
}

// Now is the present time of this clock.
func (c *Clock) Now() time.Time {
	now := time.Now()
	if c == nil || c.speed == 1 {
		return now
	}
	return c.start.Add(time.Duration(float64(now.Sub(c.start)) * c.speed))
}

// World is the real time at a moment of this clock: what functions and clients, who keep real time, are to be told.
func (c *Clock) World(moment time.Time) time.Time {
	if c == nil || c.speed == 1 {
		return moment
	}
	return c.start.Add(c.Real(moment.Sub(c.start)))
}

// Real turns a duration on this clock into one of real time, for deadlines that the operating system keeps.
func (c *Clock) Real(d time.Duration) time.Duration {
	if c == nil || c.speed == 1 {
		return d
	}
	return time.Duration(float64(d) / c.speed)
}

// AfterFunc calls f in its own goroutine once d has passed on this clock. Stop and Reset (in real time) are the timer's.
func (c *Clock) AfterFunc(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(c.Real(d), f)
}

// Sleep returns nil once d has passed on this clock, or the context's error if that ends first.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(c.Real(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
