package simulation_test

import (
	"encoding/json"
	"time"

	"github.com/purposepath/realtime/shared/event"
)

// fromTheFuture is the ref of a ping with a position that the client has not reached.
const fromTheFuture = "from the future"

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
		if a.Ref == fromTheFuture {
			return // its position may have become the client's by now: no client that follows the protocol sends one
		}
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
