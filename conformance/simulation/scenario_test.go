package simulation_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
)

// quietTokenLife is the life of tokens after the faults have ended: nothing runs out while the world settles.
const quietTokenLife = 90 * time.Minute

// How long a world has to come to rest: the queue's last redelivery, Lambda's last retry, and the ping that finds a last lost event.
const settling = 25 * time.Minute

// A scenario is what a seed decides before anything happens.
type scenario struct {
	length         time.Duration // of the part with faults
	retention      time.Duration
	tokenLife      time.Duration
	maxConnections int
	latency        time.Duration // of a call, at most
	wakeUp         time.Duration // of the queue's poller, at most
	limits         eventlog.Limits
	tenants        []string
	events         int
	actions        int             // of each client
	bursts         []time.Duration // when events come
	dense          bool            // everything happens within a second or two
}

// tenantNames have what could be taken for a separator of keys.
func tenantNames() []string { return []string{"acme", "acme#1", "ac%23me/ü"} }

// plan draws the scenario and the rates of the faults.
func (w *world) plan() {
	c := w.chance
	s := &w.scenario
	s.tenants = tenantNames()[:c.from(1, 3, "tenants")]
	s.maxConnections = []int{20, 20, 3, 2}[c.below(4, "limit")]
	s.limits = eventlog.Limits{Records: []int{100, 5, 2}[c.below(3, "records")], Bytes: []int{512 << 10, 2048}[c.below(2, "bytes")]}
	s.events = c.from(2, 20, "events")
	s.actions = c.from(0, 5, "actions")
	s.length = c.between(time.Minute, 5*time.Minute, "length")
	s.latency = []time.Duration{5 * time.Millisecond, 30 * time.Millisecond, 200 * time.Millisecond}[c.below(3, "latency")]
	s.wakeUp = []time.Duration{30 * time.Millisecond, 700 * time.Millisecond}[c.below(2, "wake-up")]
	s.retention = 24 * time.Hour
	s.tokenLife = c.between(40*time.Second, 10*time.Minute, "token life")
	if c.below(6, "long") == 0 { // rotations, and positions that have expired
		s.length, s.retention, s.tokenLife = c.between(150*time.Minute, 4*time.Hour, "long length"), time.Hour, c.between(20*time.Minute, time.Hour, "long life")
	}
	s.dense = c.below(3, "dense") == 0
	bursts := c.from(1, 6, "bursts")
	if s.dense {
		bursts = 1
	}
	for i := range bursts {
		s.bursts = append(s.bursts, c.between(0, s.length, fmt.Sprint("burst", i)))
	}
	w.rates = map[string]float64{}
	if c.below(10, "faultless") == 0 {
		return
	}
	for kind, most := range faultKinds() {
		if c.below(2, "use "+kind) == 0 {
			w.rates[kind] = most * c.share("rate "+kind)
		}
	}
}

// latency is how long a call takes.
func (w *world) latency(call string) time.Duration {
	return w.chance.between(0, w.scenario.latency, "latency "+call)
}

// moment is when something happens: any time, or just when events come, which is when it matters.
func (w *world) moment(what string) time.Duration {
	c, s := w.chance, &w.scenario
	if s.dense {
		return s.bursts[0] + c.between(0, 1200*time.Millisecond, "offset of "+what)
	}
	if c.below(3, "any time for "+what) == 0 {
		return c.between(0, s.length, "time of "+what)
	}
	burst := s.bursts[c.below(len(s.bursts), "burst for "+what)]
	return max(0, burst+c.between(-500*time.Millisecond, 1500*time.Millisecond, "offset of "+what))
}

// people makes the clients and lets each do what its script says.
func (w *world) people() {
	c := w.chance
	n := c.from(1, 5, "clients")
	for i := range n {
		name := fmt.Sprint("c", i+1)
		if !w.chooses("client " + name) {
			continue
		}
		cl := &client{
			w: w, name: name, tenantID: w.scenario.tenants[c.below(len(w.scenario.tenants), "tenant of "+name)],
			userID: []string{"ana", "bo#b"}[c.below(2, "user of "+name)], batch: c.below(2, "batch "+name) == 0,
			ids: c.below(4, "ids "+name) == 0, idsOnly: c.below(6, "ids only "+name) == 0, held: map[int64]event.Envelope{}, away: true,
		}
		cl.subscriber = subscriber{c: cl}
		w.clients = append(w.clients, cl)
		start := w.moment("start of " + name)
		if w.scenario.dense && c.below(3, "early "+name) > 0 {
			start = max(0, start-10*time.Second) // there when it happens
		}
		w.after(start, func() {
			if cl.away && !w.quiet {
				cl.come()
			}
		})
		for k := range w.scenario.actions {
			w.act(cl, fmt.Sprintf("action %s.%d", name, k+1))
		}
	}
}

// chooses says whether something takes part, and notes it as a choice that a shrunk run may leave out.
func (w *world) chooses(choice string) bool {
	if !w.allowed(choice) {
		return false
	}
	w.choices = append(w.choices, choice)
	return true
}

// deeds are what a client may do beside following the protocol, each with a name that is counted.
func deeds() map[string]func(*client, string) {
	return map[string]func(*client, string){
		"drops": func(c *client, _ string) {
			if c.current != nil {
				c.current.abandon("drops")
			}
		},
		"leaves for a while": func(c *client, choice string) {
			c.leave()
			session := c.session
			c.w.after(c.w.chance.between(0, c.w.scenario.length, "back "+choice), func() {
				if c.session == session && c.away {
					c.come()
				}
			})
		},
		"leaves for a moment": func(c *client, choice string) {
			c.leave()
			c.later(c.w.chance.between(time.Second, 10*time.Second, "back "+choice), c.come)
		},
		"rotates":  func(c *client, _ string) { c.rotate() },
		"is shown": func(c *client, _ string) { c.come() },
		"renews early": func(c *client, _ string) {
			if l := c.current; l != nil && l.authed {
				l.auth()
			}
		},
		"gets no token for a while": func(c *client, choice string) {
			c.noToken = true
			c.w.after(c.w.chance.between(0, c.w.scenario.length, "token again "+choice), func() { c.noToken = false })
		},
		"switches tenant": func(c *client, choice string) {
			c.switchTo(c.w.scenario.tenants[c.w.chance.below(len(c.w.scenario.tenants), "to "+choice)])
		},
		"sends another tenant's token": func(c *client, _ string) {
			if l := c.current; l != nil && l.authed {
				l.send(map[string]any{"action": "auth", "ref": "hostile", "token": makeToken("evil", "eve", time.Now().Add(time.Hour).Truncate(time.Second))})
			}
		},
		"names another user's connection": func(c *client, choice string) {
			others := slices.Sorted(maps.Keys(c.w.gateway.sockets))
			if l := c.current; l != nil && l.authed && len(others) > 0 {
				l.send(map[string]any{
					"action": "auth", "ref": "hostile", "token": c.token, "replaces": others[c.w.chance.below(len(others), "victim "+choice)], "lastSequence": c.position,
				})
			}
		},
		"sends bad tokens": func(c *client, _ string) {
			if l := c.current; l != nil && l.open {
				for range 3 {
					l.send(map[string]any{"action": "auth", "ref": "hostile", "token": "forged"})
				}
			}
		},
		"sends positions of its own": func(c *client, choice string) {
			l := c.current
			if l == nil || !l.authed {
				return
			}
			for _, offset := range []int64{-1 << 20, -3} {
				l.send(map[string]any{"action": "ping", "ref": "odd", "lastSequence": c.position + offset})
			}
			l.send(map[string]any{"action": "ping", "ref": fromTheFuture, "lastSequence": c.position + 3})
			l.send(map[string]any{"action": "auth", "ref": "odd", "token": c.token, "lastEventId": "nobody's", "lastSequence": c.position})
			if c.lastID != "" { // two events, or a known and a wrong number
				l.send(map[string]any{"action": "auth", "ref": "odd", "token": c.token, "lastEventId": c.lastID, "lastSequence": c.position - 1})
			}
		},
		"asks again and again": func(c *client, choice string) {
			for i := range 12 {
				c.later(c.w.chance.between(0, 2*time.Second, fmt.Sprint("ask ", i, choice)), func() {
					if l := c.current; l != nil && l.authed {
						l.send(map[string]any{"action": "ping", "ref": "again", "lastSequence": c.position - int64(i%4)})
					}
				})
			}
		},
		"lets its token run out": func(c *client, choice string) {
			l, w := c.current, c.w
			if l == nil || !l.authed {
				return
			}
			c.noToken, l.slow = true, true
			end := time.Until(c.expires)
			before := func(what string) time.Duration {
				return max(0, end-w.chance.between(0, 1500*time.Millisecond, what+" before the end, "+choice))
			}
			for i := range 3 {
				p := &produced{id: fmt.Sprint("end ", i+1, " of ", choice), tenantID: c.tenantID, size: 10}
				w.after(before(p.id), func() {
					if !w.quiet {
						w.bus.events[p.id] = p
						w.bus.publish(p)
					}
				})
			}
			ask := func() {
				if !l.dead {
					l.send(map[string]any{"action": "ping", "ref": "late", "lastSequence": c.position - 3})
				}
			}
			c.later(before("ping"), ask)
			c.later(end+w.chance.between(0, 30*time.Second, "ping after the end, "+choice), ask)
		},
		"says nonsense": func(c *client, _ string) {
			if l := c.current; l != nil && l.open {
				l.sendText(`{"action":"dance"}`)
				l.sendText(`not JSON`)
			}
		},
		"connects and says nothing": func(c *client, _ string) {
			silent := &line{id: c.name + ".silent" + fmt.Sprint(c.refs), c: c, session: -1, dead: true}
			c.refs++
			c.w.gateway.connect(silent)
		},
	}
}

// act lets a client do one thing at one time.
func (w *world) act(c *client, choice string) {
	all := deeds()
	names := slices.Sorted(maps.Keys(all))
	deed := names[w.chance.below(len(names), "deed "+choice)]
	if !w.chooses(choice) {
		return
	}
	w.after(w.moment(choice), func() {
		if w.quiet || c.away && deed != "is shown" && deed != "switches tenant" {
			return
		}
		w.note("%s %s", c.name, deed)
		w.counts.deeds[deed]++
		all[deed](c, choice)
	})
}

// producers publish the events: most in bursts, some just when a token of somebody runs out.
func (w *world) producers() {
	c, s := w.chance, w.scenario
	for i := range s.events {
		p := &produced{id: fmt.Sprint("e", i+1), size: 10}
		p.at = w.moment(p.id)
		p.tenantID = s.tenants[c.below(len(s.tenants), "tenant of "+p.id)]
		p.bad = c.below(20, "bad "+p.id) == 0
		if c.below(4, "large "+p.id) == 0 {
			p.size = c.from(500, 3000, "size "+p.id)
		}
		if !w.chooses("event " + p.id) {
			continue
		}
		switch {
		case p.bad:
		case w.strikes(eventInvalid, p.id):
			p.fate = eventInvalid
		case w.strikes(eventCursed, p.id):
			p.fate = eventCursed
		}
		w.bus.events[p.id] = p
		at := p.at
		if n := len(w.clients); n > 0 && c.below(5, "at expiry "+p.id) == 0 {
			w.atExpiry(p, w.clients[c.below(n, "whose expiry "+p.id)], at)
			continue
		}
		w.after(at, func() { w.bus.publish(p); w.bus.foreign(p.id) })
	}
}

// atExpiry publishes when a client's token is about to run out: after the end of a push's first attempts, before that of its last.
func (w *world) atExpiry(p *produced, c *client, at time.Duration) {
	w.after(at, func() {
		wait := time.Until(c.expires) - w.chance.between(0, 2*time.Second, "before expiry "+p.id)
		if left := w.scenario.length - time.Since(w.began); wait < 0 || wait > left {
			wait = 0
		}
		w.after(wait, func() { w.bus.publish(p) })
	})
}
