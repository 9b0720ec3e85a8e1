package simulation_test

import (
	"fmt"
	"time"

	"github.com/purposepath/realtime/shared/event"
)

// Times of a client (client.md).
const (
	keepAlive     = 8 * time.Minute
	probeTimeout  = 5 * time.Second
	answerTimeout = 12 * time.Second // of handshake and auth
	rotateAfter   = 100 * time.Minute
	maxUnhealed   = 3
)

// notRecovered is why a client loads its state when the server can't replay.
const notRecovered = "not recovered"

// A client follows the protocol: its state is tenant, position and known head. What it delivers goes to a subscriber, which judges it.
type client struct {
	w            *world
	name, userID string
	tenantID     string
	session      int // a change of tenant begins another
	batch        bool
	ids          bool // keeps event ids beside numbers
	idsOnly      bool // keeps event ids alone, as EventSource does

	position   int64 // of the last event delivered
	positioned bool
	lastID     string // its event id, "" where it has none
	head       int64  // the highest number it has heard of
	held       map[int64]event.Envelope
	subscriber subscriber

	current, next *line // next is the one that takes over
	lines         int
	failures      int // in a row, for the back-off
	away          bool
	dormant       bool // replaced, or forbidden: until its page is looked at
	token         string
	expires       time.Time
	noToken       bool // its issuer gives it no fresh one
	refs          int
	tries         int // pings behind the head without progress
	healing       bool
}

func (c *client) later(d time.Duration, do func()) {
	session := c.session
	c.w.after(d, func() {
		if c.session == session {
			do()
		}
	})
}

// draw is the client's own chance.
func (c *client) draw(least, most time.Duration, why string) time.Duration {
	c.refs++
	return c.w.chance.between(least, most, fmt.Sprint(c.name, " ", why, c.refs))
}

// dial opens a connection.
func (c *client) dial(replaces string) *line {
	c.lines++
	l := &line{id: fmt.Sprintf("%s.%d", c.name, c.lines), c: c, session: c.session, replaces: replaces}
	c.w.note("%s dials %s %s", c.name, l.id, replaces)
	c.later(c.w.delay("dial "+l.id), func() { c.w.gateway.connect(l) })
	c.later(answerTimeout, func() {
		if !l.open && !l.dead {
			l.abandon("no answer to the handshake")
		}
	})
	return l
}

func (c *client) reconnect() {
	if c.away || c.dormant || c.current != nil || c.next != nil {
		return
	}
	ceiling := min(time.Second<<min(c.failures, 5), 30*time.Second)
	c.failures++
	c.later(c.draw(0, ceiling, "back-off"), func() {
		if c.current == nil && c.next == nil && !c.away && !c.dormant {
			c.current = c.dial("")
		}
	})
}

func (c *client) lost(l *line) {
	if c.next == l {
		c.next = nil
	}
	if c.current == l {
		c.current = nil
	}
	c.reconnect()
}

func (c *client) ref() string {
	c.refs++
	return fmt.Sprintf("%s-%d", c.name, c.refs)
}

// freshToken asks the issuer.
func (c *client) freshToken() {
	if c.noToken && c.token != "" {
		return
	}
	life := c.w.scenario.tokenLife
	if c.w.quiet {
		life = quietTokenLife
	}
	c.expires = time.Now().Add(c.draw(life/2, life, "token")).Truncate(time.Second).Add(time.Second)
	c.token = makeToken(c.tenantID, c.userID, c.expires)
}

// resync is the one moment to load state.
func (c *client) resync(sequence int64, why string) {
	c.w.note("%s loads its state at %d: %s", c.name, sequence, why)
	if why != "first" {
		c.w.counts.resyncs++
	}
	c.position, c.positioned, c.lastID, c.tries = sequence, true, "", 0
	c.subscriber.resync(sequence, why)
	c.drain()
}

func (c *client) moreOrHeal(l *line, a answer) {
	if a.More && !l.dead {
		c.later(c.draw(0, 300*time.Millisecond, "more"), func() {
			if !l.dead {
				l.ping()
			}
		})
	}
}

// event takes an event: what was seen is dropped, the next is delivered, what comes early is held.
func (c *client) event(e event.Envelope) {
	c.head = max(c.head, e.Sequence)
	if !c.positioned || e.Sequence > c.position+1 {
		c.held[e.Sequence] = e
		c.w.counts.held++
		return
	}
	if e.Sequence <= c.position {
		c.w.counts.dropped++
		return
	}
	c.deliver(e)
	c.drain()
}

func (c *client) deliver(e event.Envelope) {
	c.position, c.lastID, c.tries = e.Sequence, e.EventID, 0
	c.subscriber.deliver(e)
}

// drain delivers what was held and is next.
func (c *client) drain() {
	for sequence := range c.held {
		if sequence <= c.position {
			delete(c.held, sequence)
		}
	}
	for {
		e, ok := c.held[c.position+1]
		if !ok {
			return
		}
		delete(c.held, e.Sequence)
		c.deliver(e)
	}
}

// heal asks for what is missing, one ping at a time, each after a longer wait.
func (c *client) heal() {
	if c.healing || !c.positioned || c.head <= c.position {
		return
	}
	c.healing = true
	wait := c.draw(time.Second<<c.tries, 5*time.Second<<c.tries, "heal")
	c.later(wait, func() {
		c.healing = false
		switch {
		case c.head <= c.position || c.current == nil || !c.current.authed:
		case c.tries == maxUnhealed:
			c.w.counts.unhealed++
			if c.w.quiet && time.Since(c.w.quietSince) > 3*time.Minute {
				c.w.fail("%s could not heal from %d to %d", c.name, c.position, c.head)
			}
			c.resync(c.head, "unhealed")
		default:
			c.tries++
			c.w.counts.heals++
			c.current.ping()
			c.heal()
		}
	})
}

// armRenewal renews at 80 % of the token's life.
func (c *client) armRenewal(l *line) {
	expires := c.expires
	c.later(time.Until(expires)*8/10, func() {
		if !l.dead && c.expires.Equal(expires) && !c.noToken {
			c.w.counts.renewals++
			l.auth()
		}
	})
}

func (c *client) armRotation(l *line) {
	c.later(rotateAfter+c.draw(0, 15*time.Minute, "rotation"), func() {
		if c.current == l {
			c.rotate()
		}
	})
}

// rotate opens the next connection, which takes over without a gap.
func (c *client) rotate() {
	if c.current != nil && c.current.authed && c.next == nil {
		c.next = c.dial(c.current.id)
	}
}

// leave closes everything; come opens again.
func (c *client) leave() {
	c.away = true
	for _, l := range []*line{c.current, c.next} {
		if l != nil {
			l.abandon("leaves")
		}
	}
}

func (c *client) come() {
	c.away, c.dormant, c.failures = false, false, 0
	c.reconnect()
}

// switchTo begins a session of another tenant.
func (c *client) switchTo(tenantID string) {
	c.leave()
	c.session++
	c.tenantID, c.token = tenantID, ""
	c.position, c.positioned, c.lastID, c.head, c.tries, c.healing = 0, false, "", 0, 0, false
	c.held = map[int64]event.Envelope{}
	c.subscriber = subscriber{c: c}
	c.come()
}
