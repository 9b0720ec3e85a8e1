package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A scenario is one thing to measure.
type scenario struct {
	name, summary string
	crowded       bool // has many connections
	run           func(context.Context, *trial) error
}

func scenarios() []scenario {
	event := func(n int) scenario {
		return scenario{
			fmt.Sprintf("event-%d", n), fmt.Sprintf("PutEvents to the sockets of %d connections", n), n >= 1000,
			func(ctx context.Context, t *trial) error { return t.fanOut(ctx, n) },
		}
	}
	burst := func(tenants int) scenario {
		return scenario{
			fmt.Sprintf("burst-%d", tenants), fmt.Sprintf("500 events at once, tenants: %d", tenants), false,
			func(ctx context.Context, t *trial) error { return t.burst(ctx, tenants) },
		}
	}
	return []scenario{
		{"start", "exec to ready, and what is resident then", false, func(context.Context, *trial) error { return nil }}, // every stack's start is measured
		{"coldstart", "each function from exec to its first call for work", false, coldStarts},
		{"ping", "ping to pong", false, pings},
		{"connect", "connecting and authenticating", false, connects},
		event(1), event(10), event(100),
		burst(1), burst(10),
		{"memory", "what 1,000 idle connections hold", true, memory}, // before others leave garbage on its stack
		event(1000),
	}
}

// choose returns the named scenarios in the order of the list, or all.
func choose(list []scenario, names []string) ([]scenario, error) {
	if len(names) == 0 {
		return list, nil
	}
	var chosen []scenario
	for _, s := range list {
		if slices.Contains(names, s.name) {
			chosen = append(chosen, s)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(s scenario) bool { return s.name == name }) {
			known := make([]string, len(list))
			for i, s := range list {
				known[i] = s.name
			}
			return nil, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// sizes say how much is measured in one run.
type sizes struct {
	samples  int           // of a latency, at most
	within   time.Duration // in which they are taken; what has begun is ended
	pause    time.Duration // between them: the figure is that of an event alone
	warmUp   int           // what goes before them
	connects int           // of the scenario connect
	crowd    int           // connections at most
	burst    int           // events of a burst
	settle   time.Duration // after which an idle stack is taken for idle
}

func realSizes() sizes {
	return sizes{
		samples: 200, within: 4 * time.Second, pause: 10 * time.Millisecond, warmUp: 10,
		connects: 50, crowd: 1000, burst: 500, settle: time.Second,
	}
}

// A trial is one run on one stack.
type trial struct {
	stack  *stack
	report *report
	sizes  sizes
	crowds map[int]*audience // by their size: a thousand connections are opened once
}

// audience returns n authenticated connections of one tenant, each of a user of its own.
func (t *trial) audience(ctx context.Context, n int) (*audience, error) {
	if a := t.crowds[n]; a != nil {
		return a, nil
	}
	a, err := gather(ctx, t.stack, fmt.Sprintf("audience-%d", n), n)
	if err != nil {
		return nil, fmt.Errorf("open %d connections: %w", n, err)
	}
	t.crowds[n] = a
	return a, nil
}

// leave closes all connections.
func (t *trial) leave() {
	for _, a := range t.crowds {
		a.leave()
	}
}

// sample calls one so many times, or until the time for it is over, and says how often and what CPU time that took. The calls that warm
// up come before and are not counted.
func (t *trial) sample(ctx context.Context, most int, one func(context.Context) error) (count int, used usage, err error) {
	for range t.sizes.warmUp {
		if err := t.pausing(ctx, one); err != nil {
			return 0, usage{}, err
		}
	}
	before := t.stack.census()
	for began := time.Now(); count < most && (count == 0 || time.Since(began) < t.sizes.within); count++ {
		if err := t.pausing(ctx, one); err != nil {
			return 0, usage{}, err
		}
	}
	return count, t.stack.census().since(before), nil
}

// pausing calls one and gives the stack time to end what goes on behind the answer.
func (t *trial) pausing(ctx context.Context, one func(context.Context) error) error {
	if err := one(ctx); err != nil {
		return err
	}
	return sleep(ctx, t.sizes.pause)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
