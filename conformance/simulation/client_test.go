package simulation_test

import (
	"encoding/json"
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

// A line is one connection as its client sees it.
type line struct {
	id          string
	c           *client
	session     int
	replaces    string
	open, dead  bool
	slow        bool // it reads slowly
	authed      bool
	link        *link
	lastArrival time.Time
	lastSent    time.Time
	early       []event.Envelope // before auth.success
	authRef     string
	sentID      string // the event id in the last auth
	refused     int    // auths in a row
	probe       string // ref of the ping that is not answered
	probed      int    // probes in a row without an answer
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

func (l *line) opened() {
	l.link = l.c.w.gateway.sockets[l.id]
	if l.dead || l.session != l.c.session {
		l.c.w.gateway.left(l.link)
		return
	}
	l.open = true
	l.auth()
	l.watch()
}

// watch pings when nothing was sent for eight minutes.
func (l *line) watch() {
	l.c.later(keepAlive-time.Since(l.lastSent), func() {
		switch {
		case l.dead:
		case time.Since(l.lastSent) >= keepAlive && l.authed:
			l.ping()
			l.watch()
		case time.Since(l.lastSent) >= keepAlive:
			l.abandon("never authenticated")
		default:
			l.watch()
		}
	})
}

// closed: the connection ended.
func (l *line) closed() {
	if l.dead || l.session != l.c.session {
		return
	}
	l.dead, l.open = true, false
	l.c.w.note("%s sees %s closed", l.c.name, l.id)
	l.c.lost(l)
}

// abandon ends the connection from the client's side.
func (l *line) abandon(why string) {
	if l.dead {
		return
	}
	l.c.w.note("%s abandons %s: %s", l.c.name, l.id, why)
	l.dead, l.open = true, false
	if l.link != nil {
		l.c.w.gateway.left(l.link)
	}
	l.c.lost(l)
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

// send sends a message; those of one connection arrive in order.
func (l *line) send(body map[string]any) {
	data, err := json.Marshal(body)
	if err != nil {
		l.c.w.fail("%s: %v", l.id, err)
	}
	l.sendText(string(data))
}

func (l *line) sendText(text string) {
	w := l.c.w
	at := time.Now().Add(l.c.draw(0, 80*time.Millisecond, "send"))
	if !at.After(l.lastArrival) {
		at = l.lastArrival.Add(time.Microsecond)
	}
	l.lastArrival, l.lastSent = at, time.Now()
	w.note("%s sends %s", l.id, text)
	w.after(time.Until(at), func() { w.gateway.message(l.link, text) })
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

// auth authenticates or renews.
func (l *line) auth() {
	c := l.c
	c.freshToken()
	l.authRef, l.sentID = c.ref(), ""
	body := map[string]any{"action": "auth", "token": c.token, "ref": l.authRef}
	if c.positioned && !(c.idsOnly && c.lastID != "") {
		body["lastSequence"] = c.position
	}
	if c.positioned && (c.ids || c.idsOnly) && c.lastID != "" {
		body["lastEventId"], l.sentID = c.lastID, c.lastID
	}
	if c.batch {
		body["accept"] = []string{"batch"}
	}
	if l.replaces != "" && !l.authed {
		body["replaces"] = l.replaces
	}
	l.send(body)
	ref := l.authRef
	c.later(answerTimeout, func() {
		if !l.dead && l.authRef == ref {
			l.abandon("auth is not answered")
		}
	})
}

// ping keeps the connection alive and heals: it carries the position.
func (l *line) ping() {
	c := l.c
	if l.probe != "" {
		return // one outstanding
	}
	ref := c.ref()
	l.probe = ref
	body := map[string]any{"action": "ping", "ref": ref}
	if c.positioned {
		body["lastSequence"] = c.position
	}
	l.send(body)
	c.w.counts.pings++
	c.later(probeTimeout, func() {
		switch {
		case l.dead || l.probe != ref:
		case l.probed > 0:
			l.abandon("two probes are not answered")
		default:
			l.probed++
			l.probe = ""
			l.ping()
		}
	})
}

// received is a frame that arrived.
func (l *line) received(data string) {
	c := l.c
	if l.dead || l.session != c.session {
		return
	}
	var frame struct {
		event.Envelope
		Data      json.RawMessage `json:"data"`
		Message   string          `json:"message"`
		RequestID string          `json:"requestId"`
	}
	if err := json.Unmarshal([]byte(data), &frame); err != nil {
		c.w.fail("%s got a frame it can't read: %s", l.id, data)
		return
	}
	if frame.RequestID != "" && frame.Type == "" {
		l.gatewayError()
		return
	}
	var a answer
	_ = json.Unmarshal(frame.Data, &a) // events have other data
	c.w.note("%s gets %s", l.id, brief([]byte(data)))
	switch frame.Type {
	case event.TypeAuthSuccess:
		l.authenticated(a)
	case event.TypePong:
		l.answered(a)
		if a.Ref == l.probe {
			l.probe, l.probed = "", 0
			c.moreOrHeal(l, a)
		}
	case event.TypeAuthError, event.TypeConnectionError:
		l.refusedWith(frame.Type, a)
	default:
		events := eventsIn([]byte(data))
		if len(events) == 0 {
			c.w.fail("%s got a frame of unknown type: %s", l.id, data)
		}
		for _, e := range events {
			if !l.authed {
				l.early = append(l.early, e)
				continue
			}
			c.event(e)
		}
	}
	c.heal()
}

// gatewayError: a function failed. What was asked is asked again.
func (l *line) gatewayError() {
	c := l.c
	c.w.note("%s gets the gateway's own error", l.id)
	ref := l.authRef
	if ref == "" {
		return // a ping: its probe comes again
	}
	c.later(c.draw(500*time.Millisecond, 3*time.Second, "auth again"), func() {
		if !l.dead && l.authRef == ref {
			l.auth()
		}
	})
}

func (l *line) authenticated(a answer) {
	c := l.c
	if a.TenantID != c.tenantID || a.UserID != c.userID || a.ConnectionID != l.id {
		c.w.fail("%s of %s/%s was authenticated as %s/%s, %s", l.id, c.tenantID, c.userID, a.TenantID, a.UserID, a.ConnectionID)
		return
	}
	if a.Ref != l.authRef {
		return // of an earlier try; what it replayed arrives all the same
	}
	l.authRef, l.refused = "", 0
	l.authed = true
	c.failures = 0
	if c.next == l {
		old := c.current
		c.current, c.next = l, nil
		if old != nil {
			c.w.counts.rotated++
			old.abandon("replaced by " + l.id)
		}
	}
	l.answered(a)
	early := l.early
	l.early = nil
	for _, e := range early {
		c.event(e)
	}
	c.moreOrHeal(l, a)
	c.armRenewal(l)
	c.armRotation(l)
}

// answered applies what an answer says of the log.
func (l *line) answered(a answer) {
	c := l.c
	c.head = max(c.head, a.Sequence)
	switch {
	case !c.positioned:
		c.resync(a.Sequence, "first")
	case a.Recovered == nil || *a.Recovered: // it moves no position: what it replayed may come later
	case a.After != nil && *a.After == c.position, a.After == nil && l.sentID != "" && l.sentID == c.lastID:
		c.resync(a.Sequence, notRecovered)
	}
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

// refusedWith does what the code demands.
func (l *line) refusedWith(kind event.Type, a answer) {
	c := l.c
	if kind == event.TypeAuthError && a.Ref != l.authRef {
		return // of another message on this line
	}
	if a.Ref != "" && a.Ref == l.probe {
		l.probe = ""
	}
	switch event.Code(a.Code) {
	case event.CodeForbidden:
		c.w.counts.dormant++
		c.dormant = true
		l.abandon("forbidden: " + a.Reason)
	case event.CodeUnauthorized, event.CodeInternalError, event.CodeRateLimit:
		if kind == event.TypeConnectionError && event.Code(a.Code) != event.CodeUnauthorized {
			return // a ping: the next one does it
		}
		l.refused++
		ref := c.ref()
		l.authRef = ref
		wait := time.Duration(a.RetryAfterMs) * time.Millisecond
		if l.refused > 1 {
			wait += c.draw(time.Second, 4*time.Second, "refused")
		}
		c.later(wait, func() {
			if !l.dead && l.authRef == ref {
				l.auth()
			}
		})
	}
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

// A subscriber is the application: each event of its tenant once, in order, from where it loaded its state.
type subscriber struct {
	c      *client
	loaded bool
	last   int64
}

func (s *subscriber) resync(sequence int64, why string) {
	w := s.c.w
	if s.loaded && sequence < s.last {
		w.fail("%s loads its state at %d, and was shown %d before", s.c.name, sequence, s.last)
	}
	if l := w.truth.tenants[s.c.tenantID]; why == notRecovered && w.truth.kept(l, s.last, sequence, time.Now().Add(-10*time.Second)) {
		w.fail("%s loads its state at %+d, and all from %+d on could be had", s.c.name, sequence-l.first, s.last-l.first)
	}
	s.loaded, s.last = true, sequence
}

func (s *subscriber) deliver(e event.Envelope) {
	w := s.c.w
	l := w.truth.tenants[e.TenantID]
	switch {
	case e.TenantID != s.c.tenantID:
		w.fail("%s of %s was shown %s of %s", s.c.name, s.c.tenantID, e.EventID, e.TenantID)
	case !s.loaded:
		w.fail("%s was shown %s before it loaded its state", s.c.name, e.EventID)
	case e.Sequence != s.last+1:
		w.fail("%s was shown number %d after %d", s.c.name, e.Sequence, s.last)
	case l == nil || l.number[e.EventID] != e.Sequence:
		w.fail("%s was shown %s as number %d, which is not its own", s.c.name, e.EventID, e.Sequence)
	}
	s.last = e.Sequence
	w.counts.delivered++
}
