package simulation_test

import (
	"encoding/json"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
)

// The truth is what really happened, kept beside the system and never seen by it. The invariants are held to it, each in the step that
// could break it.
type truth struct {
	retention time.Duration
	tenants   map[string]*trueLog
	sockets   map[string]*trueConnection
}

// A trueLog is what was committed of one tenant.
type trueLog struct {
	first  int64
	events []trueEvent // the one with number first+1 stands first
	number map[string]int64
}

type trueEvent struct {
	id        string
	committed time.Time // when the transaction was carried out
	complete  time.Time // when head and record were visible
}

// head is the number of the last event of which everything was visible at a time.
func (l *trueLog) head(at time.Time) int64 {
	head := l.first
	for _, e := range l.events {
		if e.complete.After(at) {
			break
		}
		head++
	}
	return head
}

func (l *trueLog) event(sequence int64) (trueEvent, bool) {
	i := sequence - l.first - 1
	if i < 0 || i >= int64(len(l.events)) {
		return trueEvent{}, false
	}
	return l.events[i], true
}

// A trueConnection is what was recorded of a connection, and what was posted to it.
type trueConnection struct {
	tenantID, userID string
	recorded         time.Time // when its last transaction of auth was all visible; zero: there was none
	until            time.Time // the end of the token it authenticated with last
	validUntil       time.Time // the latest end of a token it authenticated with
	attempts         map[int64]int
	accepted         map[int64]bool // posts that the gateway took
}

func newTruth(retention time.Duration) truth {
	return truth{retention: retention, tenants: map[string]*trueLog{}, sockets: map[string]*trueConnection{}}
}

func (t *truth) connection(id string) *trueConnection {
	c, ok := t.sockets[id]
	if !ok {
		c = &trueConnection{attempts: map[int64]int{}, accepted: map[int64]bool{}}
		t.sockets[id] = c
	}
	return c
}

// opened: a tenant's head was made, or was there.
func (t *truth) opened(w *world, tenantID string, head int64) {
	if _, ok := t.tenants[tenantID]; ok {
		return
	}
	t.tenants[tenantID] = &trueLog{first: head, number: map[string]int64{}}
	if now := time.Now().UnixMilli(); head > now || head < w.began.UnixMilli() {
		w.fail("the log of %s begins at %d, not at the time in milliseconds (%d)", tenantID, head, now)
	}
}

// authenticated: a transaction of auth was carried out, and is all visible when complete.
func (t *truth) authenticated(w *world, inv *invocation, old connection.Connection, m connection.Member, complete time.Time) {
	c := t.connection(m.ConnectionID)
	w.counts.authenticated++
	if old.ID == "" {
		w.fail("%s became a member without a record of its connection", m.ConnectionID)
	}
	if c.tenantID != "" && (c.tenantID != m.TenantID || c.userID != m.UserID) {
		w.fail("connection %s of %s/%s became one of %s/%s", m.ConnectionID, c.tenantID, c.userID, m.TenantID, m.UserID)
	}
	c.tenantID, c.userID, c.recorded, c.until = m.TenantID, m.UserID, complete, m.ValidUntil
	if inv.recorded.IsZero() { // the same write may land again, late
		inv.recorded = complete
	}
	if m.ValidUntil.After(c.validUntil) {
		c.validUntil = m.ValidUntil
	}
	s := w.gateway.sockets[m.ConnectionID]
	switch {
	case s == nil:
		w.fail("%s became a member and never was a socket", m.ConnectionID)
	case !s.tokens[tokenOf(m)]:
		w.fail("%s became a member of %s/%s until %s, by no token that its client sent", m.ConnectionID, m.TenantID, m.UserID, m.ValidUntil.Sub(w.began))
	case !s.connectedAt.Truncate(time.Millisecond).Equal(m.ConnectedAt):
		w.fail("%s was recorded as connected at %v, not %v", m.ConnectionID, m.ConnectedAt.Sub(w.began), s.connectedAt.Sub(w.began))
	}
}

// listed: a reader was shown a member.
func (t *truth) listed(w *world, m connection.Member) {
	c := t.connection(m.ConnectionID)
	now := time.Now()
	if !now.Before(c.validUntil) || !now.Before(m.ConnectedAt.Add(connection.MaxLife)) {
		w.fail("member %s outlives its bound", m.ConnectionID)
	}
}

// committed: a transaction of the pusher was carried out; its head and records are visible when complete.
func (t *truth) committed(w *world, inv *invocation, tenantID string, head int64, entries []eventlog.Numbered, complete time.Time) {
	l := t.tenants[tenantID]
	if l == nil {
		w.fail("events of %s were numbered before its head was made", tenantID)
		return
	}
	for i, e := range entries {
		next := l.first + int64(len(l.events)) + 1
		if e.Sequence != next || head+int64(i)+1 != next {
			w.fail("the log of %s is not contiguous: %s got number %+d, the next is %+d", tenantID, e.EventID, e.Sequence-l.first, next-l.first)
		}
		if other, twice := l.number[e.EventID]; twice {
			w.fail("event %s of %s has two numbers: %+d and %+d", e.EventID, tenantID, other-l.first, e.Sequence-l.first)
		}
		var envelope event.Envelope
		if err := json.Unmarshal(e.Envelope, &envelope); err != nil || envelope.Sequence != e.Sequence || envelope.EventID != e.EventID || envelope.TenantID != tenantID {
			w.fail("number %+d of %s holds another event: %s", e.Sequence-l.first, tenantID, e.Envelope)
		}
		w.queue.inOrder(inv, tenantID, e.EventID)
		l.number[e.EventID] = e.Sequence
		l.events = append(l.events, trueEvent{e.EventID, time.Now(), complete})
		w.counts.numbered++
	}
}

// attempted: a post of events to a connection began.
func (t *truth) attempted(w *world, id string, events []event.Envelope, began time.Time) {
	c := t.connection(id)
	for _, e := range events {
		l := t.tenants[e.TenantID]
		switch {
		case c.tenantID != e.TenantID:
			w.fail("event %s of %s was posted to %s of %q", e.EventID, e.TenantID, id, c.tenantID)
			return
		case !began.Before(c.validUntil):
			w.fail("a post of %s to %s began %v after its validUntil", e.EventID, id, began.Sub(c.validUntil))
		case l == nil || l.number[e.EventID] != e.Sequence:
			w.fail("event %s was posted under number %d, which is not its own", e.EventID, e.Sequence)
		}
		c.attempts[e.Sequence]++
	}
}

// done: a message left the queue as done. Its event must be numbered, and must have been posted once to everybody who was a member
// before it was visible: every later auth reads a head that has it.
func (t *truth) done(w *world, m *queued) {
	if w.bus.dead[m.eventID] > 0 {
		return
	}
	l := t.tenants[m.tenantID]
	sequence, numbered := int64(0), false
	if l != nil {
		sequence, numbered = l.number[m.eventID]
	}
	if !numbered {
		w.fail("event %s left the queue without a number, and is no dead letter", m.eventID)
		return
	}
	e, _ := l.event(sequence)
	now := time.Now()
	if !now.Before(e.committed.Add(t.retention - time.Second)) {
		return // it has expired: whoever lacks it loads its state
	}
	for _, member := range w.tables.membersOf(m.tenantID) {
		c := t.connection(member.ConnectionID)
		if c.recorded.After(e.complete) || c.attempts[sequence] > 0 || !now.Before(member.ValidUntil) || w.gateway.sockets[member.ConnectionID].ended {
			continue
		}
		w.fail("event %s (%+d of %s) left the queue and was never posted to %s, a member since %.3fs", m.eventID, sequence-l.first, m.tenantID,
			member.ConnectionID, c.recorded.Sub(w.began).Seconds())
	}
}

// An answer is the data of auth.success and pong.
type answer struct {
	TenantID, UserID, ConnectionID string
	Sequence                       int64
	After                          *int64
	Recovered                      *bool
	More                           bool
	Code, Reason, Ref              string
	RetryAfterMs                   int64
}

// answered: a function answered a message. What it says of the log and of the posts must be so.
func (t *truth) answered(w *world, inv *invocation, id string, kind string, a answer, position *int64, eventID string) {
	positioned := position != nil || eventID != ""
	if kind != string(event.TypeAuthSuccess) && kind != string(event.TypePong) {
		return
	}
	c := t.connection(id)
	l := t.tenants[c.tenantID]
	if l == nil {
		w.fail("%s was answered before its tenant had a head", id)
		return
	}
	// Whoever was a member when an event became visible is posted to by the pusher; of everything before, the answer must know.
	since := inv.recorded
	if kind == string(event.TypePong) {
		since = inv.began
		if !inv.began.Before(c.validUntil) {
			w.fail("%s was answered a ping %v after its token ran out", id, inv.began.Sub(c.validUntil))
		}
	}
	if known := l.head(since); a.Sequence < known {
		w.fail("%s was answered the head %+d, and %+d was visible before it was a member", id, a.Sequence-l.first, known-l.first)
	}
	if last := l.first + int64(len(l.events)); a.Sequence > last {
		w.fail("%s was answered the head %d, which no event has", id, a.Sequence)
	}
	if !positioned {
		if a.Recovered != nil {
			w.fail("%s sent no position and was answered one", id)
		}
		return
	}
	if a.Recovered == nil {
		w.fail("%s sent a position and was not told whether it recovered", id)
		return
	}
	if position != nil && (a.After == nil || *a.After != *position) {
		w.fail("%s sent the position %d, and the answer does not name it", id, *position)
		return
	}
	if a.After == nil {
		if *a.Recovered {
			w.fail("%s recovered from an unknown position", id)
		}
		return
	}
	if *a.Recovered {
		w.counts.recovered++
		t.honest(w, l, c, id, a)
		return
	}
	w.counts.notRecovered++
	// Not to recover what could be had is no loss, but every client of the tenant would load its state.
	if *a.After > a.Sequence || *a.After < l.first || eventID != "" && (l.number[eventID] != *a.After || w.tables.named(c.tenantID, eventID).After(inv.began)) {
		return
	}
	if t.kept(l, *a.After, a.Sequence, inv.began) {
		w.fail("%s was told that %+d to %+d can't be had, and they can", id, *a.After-l.first, a.Sequence-l.first)
	}
}

// kept says whether every event after a number, up to another, has been visible since a time and has not expired.
func (t *truth) kept(l *trueLog, after, through int64, since time.Time) bool {
	for sequence := after + 1; sequence <= through; sequence++ {
		e, ok := l.event(sequence)
		if !ok || e.complete.After(since) || !time.Now().Before(e.committed.Add(t.retention-time.Second)) {
			return false
		}
	}
	return true
}

// honest: recovered means posted, up to the head or, with more, a first part.
func (t *truth) honest(w *world, l *trueLog, c *trueConnection, id string, a answer) {
	through := a.Sequence
	if a.More {
		through = min(*a.After+1, a.Sequence)
		w.counts.more++
	}
	if *a.After > a.Sequence {
		w.fail("%s recovered from %+d, which lies after the head %+d", id, *a.After-l.first, a.Sequence-l.first)
	}
	for sequence := *a.After + 1; sequence <= through; sequence++ {
		if !c.accepted[sequence] {
			w.fail("%s was told it recovered %+d to %+d, and %+d was not posted before", id, *a.After-l.first, a.Sequence-l.first, sequence-l.first)
			return
		}
	}
}
