package simulation_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// counts show that what a run is for really occurred.
type counts struct {
	faults, deeds map[string]int

	seeds, steps                                                      int
	invocations, timeouts, sweeps, pings                              int
	published, numbered, refused, deadLetters, redriven, deduplicated int
	redeliveries, headMoved, conflicts                                int
	posts, gone, delivered, held, dropped                             int
	authenticated, recovered, notRecovered, more, resyncs, unhealed   int
	heals, renewals, rotated, dormant                                 int
}

func newCounts() counts { return counts{faults: map[string]int{}, deeds: map[string]int{}} }

// table names the figures.
func (c counts) table() map[string]int {
	return map[string]int{
		"seeds": c.seeds, "steps": c.steps, "function calls": c.invocations, "time-outs": c.timeouts, "sweeps": c.sweeps, "pings": c.pings,
		"events published": c.published, "events numbered": c.numbered, "refusals": c.refused, "dead letters": c.deadLetters, "redriven": c.redriven,
		"deduplicated by the queue": c.deduplicated, "redeliveries": c.redeliveries, "head moved under a commit": c.headMoved,
		"conflicts with a transaction in flight": c.conflicts, "posts": c.posts, "posts answered 410": c.gone, "events delivered": c.delivered,
		"events held": c.held, "events dropped as seen": c.dropped, "authentications": c.authenticated, "recovered": c.recovered,
		"not recovered": c.notRecovered, "recovered in part": c.more, "resyncs": c.resyncs, "unhealed": c.unhealed, "pings behind the head": c.heals,
		"renewals": c.renewals, "rotations": c.rotated, "replaced or forbidden": c.dormant,
	}
}

func (c *counts) add(o counts) {
	for kind, n := range o.faults {
		c.faults[kind] += n
	}
	for deed, n := range o.deeds {
		c.deeds[deed] += n
	}
	for _, f := range []struct {
		total *int
		n     int
	}{
		{&c.seeds, o.seeds}, {&c.steps, o.steps}, {&c.invocations, o.invocations}, {&c.timeouts, o.timeouts}, {&c.sweeps, o.sweeps}, {&c.pings, o.pings},
		{&c.published, o.published}, {&c.numbered, o.numbered}, {&c.refused, o.refused}, {&c.deadLetters, o.deadLetters}, {&c.redriven, o.redriven},
		{&c.deduplicated, o.deduplicated}, {&c.redeliveries, o.redeliveries}, {&c.headMoved, o.headMoved}, {&c.conflicts, o.conflicts},
		{&c.posts, o.posts}, {&c.gone, o.gone}, {&c.delivered, o.delivered}, {&c.held, o.held}, {&c.dropped, o.dropped},
		{&c.authenticated, o.authenticated}, {&c.recovered, o.recovered}, {&c.notRecovered, o.notRecovered}, {&c.more, o.more},
		{&c.resyncs, o.resyncs}, {&c.unhealed, o.unhealed}, {&c.heals, o.heals}, {&c.renewals, o.renewals}, {&c.rotated, o.rotated}, {&c.dormant, o.dormant},
	} {
		*f.total += f.n
	}
}

func (c counts) String() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		n     map[string]int
	}{{"figures", c.table()}, {"faults", c.faults}, {"what clients did", c.deeds}} {
		fmt.Fprintf(&b, "%s:", part.title)
		for _, name := range slices.Sorted(maps.Keys(part.n)) {
			fmt.Fprintf(&b, " %s %d,", name, part.n[name])
		}
		b.WriteString("\n")
	}
	return b.String()
}
