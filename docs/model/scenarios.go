package main

// A size is how much of a scenario is searched.
type size int

const (
	small size = iota // in a test
	large             // in minutes
)

// scenarios are what is searched: each looks at a few faults closely, because all at once are too many states.
func scenarios(of size) []model {
	one := []int{0, 0, 0, 0}
	base := func(name, says string, events, pushers int, b bounds) model {
		return model{Name: name, Says: says, TenantOf: one, Events: events, Pushers: pushers, Batch: 2, Receives: 9, Page: 2, Bounds: b}
	}
	pick := func(s, l bounds) bounds {
		if of == large {
			return l
		}
		return s
	}
	more := func(s, l int) int {
		if of == large {
			return l
		}
		return s
	}
	all := []model{
		base("recovery", "a client drops while events are numbered and posted; a function dies anywhere", more(1, 2), 1,
			bounds{Crashes: 1, Drops: 1}),
		base("redelivery", "two pushers at once on the same messages, events put twice, functions that die", more(1, 2), 2,
			pick(bounds{Zombies: 1, Crashes: 1}, bounds{Zombies: 1, Repeats: 1, Crashes: 1})),
		base("lost posts", "posts vanish or fail, in a push or in a replay; the client pings when it likes", more(1, 3), 1,
			pick(bounds{Vanish: 1, Pings: 1}, bounds{Vanish: 2, Pings: 1})),
		base("disconnect", "$disconnect beside auth and beside pushes, late, dead half-way or never called", 1, 1,
			pick(bounds{Drops: 1, Undelivered: 1}, bounds{Drops: 2, Undelivered: 1, Crashes: 1})),
		base("tokens", "tokens run out and are renewed, with and without a position, beside pushes", more(1, 2), 1,
			pick(bounds{Lapses: 1, Renewals: 1}, bounds{Lapses: 2, Renewals: 2})),
		base("rotation", "the client goes over to its next connection while events come", more(1, 2), 1,
			pick(bounds{Handovers: 1}, bounds{Handovers: 1, Drops: 1})),
		base("retention", "records expire while clients are away and while they are replayed", more(2, 3), 1,
			pick(bounds{Expiries: 1, Pings: 1}, bounds{Expiries: 2, Drops: 1})),
		base("late answers", "answers to auth and ping are under way at once, while records expire", 2, 1,
			pick(bounds{Expiries: 1, Renewals: 1}, bounds{Expiries: 1, Renewals: 1, Pings: 2})),
		base("lost log", "a tenant's log is lost and begins anew", more(1, 2), 1,
			bounds{Losses: 1, Drops: 1}),
		base("dead letters", "messages come back so often that they become dead letters", more(1, 2), 1,
			pick(bounds{Crashes: 2}, bounds{Crashes: 3})),
		base("two tenants", "the client changes to another tenant, at first wrongly on the connection it has", 2, more(1, 2),
			pick(bounds{Switches: 1}, bounds{Switches: 1, Drops: 1})),
		base("no order", "the queue keeps no order and hands a tenant's messages to two pushers at once", more(2, 3), 2,
			bounds{}),
	}
	for i := range all {
		switch m := &all[i]; m.Name {
		case "dead letters":
			m.Receives = 2
		case "two tenants":
			m.TenantOf = []int{0, 1, 0, 1}
		case "no order":
			m.Unordered = true
		case "retention", "late answers":
			m.Page = 1
		}
	}
	return all
}
