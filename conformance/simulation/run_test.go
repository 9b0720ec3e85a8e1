package simulation_test

import (
	"context"
	"maps"
	"slices"
	"time"
)

// An outcome is how a run ended.
type outcome struct {
	broken  error
	history []string
	choices []string
	counts  counts
}

// run is one world from its beginning to its end. It must be called in a bubble of its own.
func run(seed uint64, only map[string]bool, record bool) outcome {
	w := &world{chance: chance(seed), only: only, recording: record, began: time.Now(), wake: make(chan struct{}, 1), counts: newCounts()}
	w.lambda = &lambda{idle: map[string][]*container{}, running: map[string]*invocation{}}
	w.plan()
	w.truth = newTruth(w.scenario.retention)
	w.tables = newTables(w, w.scenario.retention)
	w.gateway = &gateway{w: w, sockets: map[string]*link{}}
	w.queue = &tenantQueue{w: w, sent: map[string]time.Time{}, concurrency: 2 + w.chance.below(2, "concurrency")}
	w.bus = &bus{w: w, events: map[string]*produced{}, dead: map[string]int{}}
	w.people()
	w.producers()
	w.sweeps()

	for _, phase := range []struct {
		length time.Duration
		end    func()
	}{{w.scenario.length, w.calm}, {settling, w.settled}, {0, w.everybodyLeaves}, {lifeLimit + 15*time.Minute, w.nothingLeft}} {
		w.runUntil(time.Now().Add(phase.length))
		if w.broken == nil {
			phase.end()
		}
	}
	w.unwind()
	w.counts.steps, w.counts.seeds, w.counts.published = int(w.steps.Load()), 1, len(w.bus.events)
	return outcome{w.broken, w.history, w.choices, w.counts}
}

// sweeps are the schedule: every minute, and at the end, when time is long, every ten.
func (w *world) sweeps() {
	n := 0
	var next func()
	next = func() {
		n++
		w.gateway.sweep(n)
		every := time.Minute
		if w.quiet && time.Since(w.quietSince) > settling {
			every = 10 * time.Minute
		}
		w.after(every, next)
	}
	w.after(w.chance.between(0, time.Minute, "first sweep"), next)
}

// calm ends the faults: whoever is away comes back, and the operator sends the dead letters again.
func (w *world) calm() {
	w.note("no more faults")
	w.quiet, w.quietSince = true, time.Now()
	for _, c := range w.clients {
		c.noToken = false
		if c.away || c.dormant {
			c.come()
		}
	}
	w.after(time.Minute, w.queue.redrive)
}

// settled holds a world at rest to what it promises.
func (w *world) settled() {
	for _, m := range w.queue.messages {
		w.fail("%s is still in the queue after %d receives", m.name, m.receives)
	}
	for _, id := range slices.Sorted(maps.Keys(w.bus.events)) {
		p := w.bus.events[id]
		l := w.truth.tenants[p.tenantID]
		numbered := l != nil && l.number[id] != 0
		if !numbered && w.bus.dead[id] == 0 {
			w.fail("event %s was accepted, and is neither in the log nor a dead letter", id)
		}
		if numbered && p.bad {
			w.fail("event %s breaks the catalogue's rules and was numbered", id)
		}
	}
	w.logsHold()
	for _, c := range w.clients {
		l := w.truth.tenants[c.tenantID]
		switch {
		case c.dormant: // another of the user's connections took its place
		case c.current == nil || !c.current.authed:
			w.fail("%s is not connected at the end", c.name)
		case c.subscriber.last != l.first+int64(len(l.events)):
			w.fail("%s stands at %+d at the end, the log at %+d", c.name, c.subscriber.last-l.first, len(l.events))
		}
	}
}

// logsHold compares the tables with the truth: what has not expired is there, under its number.
func (w *world) logsHold() {
	look := context.Background()
	for _, tenantID := range slices.Sorted(maps.Keys(w.truth.tenants)) {
		l := w.truth.tenants[tenantID]
		head, err := w.tables.events.Head(look, tenantID)
		if err != nil || head != l.first+int64(len(l.events)) {
			w.fail("the head of %s is %+d, %v, and %d events were numbered", tenantID, head-l.first, err, len(l.events))
		}
		for i, e := range l.events {
			sequence := l.first + int64(i) + 1
			if n, err := w.tables.events.NumberOf(look, tenantID, e.id); err != nil || n != sequence {
				w.fail("event %s of %s has number %+d, not %+d (%v)", e.id, tenantID, n-l.first, i+1, err)
			}
			_, err := w.tables.events.Record(look, tenantID, sequence)
			switch age := time.Since(e.committed); {
			case err != nil && age < w.scenario.retention-time.Second:
				w.fail("event %s of %s is not in the log: %v", e.id, tenantID, err)
			case err == nil && age > w.scenario.retention:
				w.fail("event %s of %s outlives its bound by %v", e.id, tenantID, age-w.scenario.retention)
			}
		}
	}
}

// everybodyLeaves, and some unnoticed.
func (w *world) everybodyLeaves() {
	for _, c := range w.clients {
		c.session++ // none of its timers counts any more
		for i, l := range []*line{c.current, c.next} {
			if l != nil && l.link != nil && w.chance.below(2, "unnoticed "+c.name+string(rune('0'+i))) == 0 {
				w.gateway.close(l.link, "everybody leaves")
			}
		}
	}
}

// nothingLeft: no record outlives its connection's bound.
func (w *world) nothingLeft() {
	for id, err := range w.tables.connections.Due(context.Background()) {
		w.fail("the record of %s is left (%v)", id, err)
	}
	for _, tenantID := range slices.Sorted(maps.Keys(w.truth.tenants)) {
		for _, m := range w.tables.membersOf(tenantID) {
			w.fail("member %s of %s is left", m.ConnectionID, tenantID)
		}
	}
	if len(w.gateway.open) > 0 {
		w.fail("%s is still open", w.gateway.open[0].id)
	}
}
