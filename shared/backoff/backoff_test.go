package backoff_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
)

var errBusy = fmt.Errorf("table busy: %w", backoff.ErrTransient)

func TestDelayIsFullJitterBelowADoublingCap(t *testing.T) {
	t.Parallel()
	p := backoff.Policy{Base: 10 * time.Millisecond, Cap: 250 * time.Millisecond}
	for _, tt := range []struct {
		try    int
		random float64
		want   time.Duration
	}{
		{0, 0, 0},
		{0, 0.5, 5 * time.Millisecond},
		{1, 0.5, 10 * time.Millisecond},
		{4, 0.5, 80 * time.Millisecond},
		{5, 0.5, 125 * time.Millisecond},
		{40, 0.5, 125 * time.Millisecond},
		{1000, 0.5, 125 * time.Millisecond},
	} {
		if got := p.Delay(tt.try, tt.random); got != tt.want {
			t.Errorf("Delay(%d, %v) = %v, want %v", tt.try, tt.random, got, tt.want)
		}
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	fatal := errors.New("refused")
	tests := []struct {
		name   string
		policy backoff.Policy
		errs   []error
		want   error
		calls  int
	}{
		{name: "success needs one call", policy: backoff.Policy{Tries: 3}, errs: []error{nil}, calls: 1},
		{name: "transient errors are tried again", policy: backoff.Policy{Tries: 3}, errs: []error{errBusy, errBusy, nil}, calls: 3},
		{name: "tries end", policy: backoff.Policy{Tries: 2}, errs: []error{errBusy, errBusy, nil}, want: errBusy, calls: 2},
		{name: "another error ends the tries at once", policy: backoff.Policy{Tries: 9}, errs: []error{fatal, nil}, want: fatal, calls: 1},
		{
			name:   "no wait begins that would outlast the total",
			policy: backoff.Policy{Base: time.Second, Cap: time.Second, Tries: 9, Total: 1200 * time.Millisecond},
			errs:   []error{errBusy, errBusy, errBusy, errBusy}, want: errBusy, calls: 3,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				clock := backoff.RealClock()
				clock.Random = func() float64 { return 0.5 }
				calls := 0
				err := tt.policy.Retry(t.Context(), clock, func() error { calls++; return tt.errs[calls-1] })
				if !errors.Is(err, tt.want) || calls != tt.calls {
					t.Errorf("Retry = %v after %d calls, want %v after %d", err, calls, tt.want, tt.calls)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		clock := backoff.RealClock()
		clock.Random = func() float64 { return 0.999 }
		p := backoff.Policy{Base: time.Hour, Cap: time.Hour, Tries: 5}
		began := time.Now()
		if err := p.Retry(ctx, clock, func() error { return errBusy }); !errors.Is(err, errBusy) {
			t.Errorf("Retry = %v, want the last error of the call", err)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
	})
}
