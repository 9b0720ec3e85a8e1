package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}

// fanOut measures how long an event takes to all n connections of its tenant, one event at a time.
func (t *trial) fanOut(ctx context.Context, n int) error {
	n = min(n, t.sizes.crowd)
	a, err := t.audience(ctx, n)
	if err != nil {
		return err
	}
	domain := &producer{stack: t.stack}
	var each, last latencies
	count, used, err := t.sample(ctx, t.sizes.samples, func(ctx context.Context) error {
		id, e := domain.event(a.tenant)
		began := time.Now()
		if err := domain.put(ctx, e); err != nil {
			return err
		}
		slowest := time.Duration(0)
		for got := 0; got < n; {
			f, err := a.receive(ctx)
			if err != nil {
				return err
			}
			if f.eventID != id {
				continue // the event before this one, a second time: delivery is at least once
			}
			took := f.at.Sub(began)
			each, slowest = append(each, took), max(slowest, took)
			got++
		}
		last = append(last, slowest)
		return nil
	})
	if err != nil {
		return err
	}
	each, last = each[len(each)-n*count:], last[len(last)-count:]
	row := connections(n)
	t.report.addPercentiles(titleEvent, row, "each ", each)
	t.report.addPercentiles(titleEvent, row, "the last ", last)
	t.report.add(titleEvent, row, "events a run", float64(count))
	t.report.addUsage(titleCPU, "event to "+row, used, count)
	t.report.addUsage(titleDelivery, "event to "+row, used, count*n)
	return nil
}

// putters is how many callers put a burst.
const putters = 4

// burst measures how long many events at once take, spread over some tenants of one connection each.
func (t *trial) burst(ctx context.Context, tenants int) error {
	audiences := make([]*audience, tenants)
	for i := range audiences {
		a, err := gather(ctx, t.stack, fmt.Sprintf("burst-%d-of-%d", i, tenants), 1)
		if err != nil {
			return err
		}
		defer a.leave()
		audiences[i] = a
	}
	domain := &producer{stack: t.stack}
	var batches [][]entry
	missing := make([]map[string]bool, tenants) // event ids of each tenant
	for i := range t.sizes.burst {
		if i%maxEntries == 0 {
			batches = append(batches, nil)
		}
		tenant := i % tenants
		if i < tenants {
			missing[tenant] = map[string]bool{}
		}
		id, e := domain.event(audiences[tenant].tenant)
		missing[tenant][id] = true
		last := &batches[len(batches)-1]
		*last = append(*last, e)
	}

	before := t.stack.census()
	began := time.Now()
	accepted, err := domain.putAll(ctx, batches)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	delivered := time.Duration(0)
	group, ctx := errgroup.WithContext(ctx)
	for i, a := range audiences {
		group.Go(func() error {
			for len(missing[i]) > 0 {
				f, err := a.receive(ctx)
				if err != nil {
					return fmt.Errorf("%d events of %s are missing: %w", len(missing[i]), a.tenant, err)
				}
				delete(missing[i], f.eventID)
				mu.Lock()
				delivered = max(delivered, f.at.Sub(began))
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	row := fmt.Sprintf("%d events, tenants: %d", t.sizes.burst, tenants)
	t.report.add(titleBurst, row, "accepted after, ms", milliseconds(accepted))
	t.report.add(titleBurst, row, "delivered after, ms", milliseconds(delivered))
	t.report.add(titleBurst, row, "events a second", float64(t.sizes.burst)/delivered.Seconds())
	t.report.addUsage(titleCPU, "event of a burst, "+row, t.stack.census().since(before), t.sizes.burst)
	return nil
}

// putAll puts all batches, by a few callers at a time, and says after what time all were accepted.
func (p *producer) putAll(ctx context.Context, batches [][]entry) (time.Duration, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(putters)
	for _, batch := range batches {
		group.Go(func() error { return p.put(ctx, batch...) })
	}
	err := group.Wait()
	return time.Since(began), err
}
