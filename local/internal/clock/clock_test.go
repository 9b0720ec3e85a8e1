package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
)

func TestFastClockReachesTwoHoursInTwelveSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(600)
		began := c.Now()
		fired := make(chan time.Duration, 1)
		c.AfterFunc(2*time.Hour, func() { fired <- c.Now().Sub(began) })
		realBegan := time.Now()
		if got := <-fired; got != 2*time.Hour {
			t.Errorf("fired after %v on the clock, want 2h", got)
		}
		if got := c.World(c.Now()); !got.Equal(time.Now()) {
			t.Errorf("World(Now) = %v, want %v", got, time.Now())
		}
		if got := time.Since(realBegan); got != 12*time.Second {
			t.Errorf("fired after %v of real time, want 12s", got)
		}
	})
}

func TestNilClockIsRealTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c *clock.Clock
		if got := c.Now(); !got.Equal(time.Now()) {
			t.Errorf("Now = %v, want %v", got, time.Now())
		}
		began := time.Now()
		if err := c.Sleep(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("Sleep = %v after %v, want nil after 1m", err, time.Since(began))
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := clock.New(1).Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sleep = %v, want deadline exceeded", err)
		}
	})
}
