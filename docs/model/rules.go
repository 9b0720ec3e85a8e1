package main

// A rule is what must hold. The first rules are checked in every step, the last ones in every quiescent state.
type rule uint8

const (
	holds rule = iota
	oneNumber
	numberOnce
	contiguous
	foreign
	afterValidUntil
	leftUnnumbered
	leftUnposted
	dishonest
	needlessLoad
	outOfOrder
	movedBack
	orphan
	neitherNor
	vanished
	behind
	oldLog
)

var ruleTexts = map[rule]string{
	oneNumber:       "an event has two numbers",
	numberOnce:      "a number was given to two events",
	contiguous:      "the log has a hole below its head",
	foreign:         "an event was posted to a connection of another tenant",
	afterValidUntil: "a post began after the connection's token had run out",
	leftUnnumbered:  "a message left the queue, and its event is neither numbered nor a dead letter",
	leftUnposted:    "a message left the queue before its event was posted to every connection that was a member and still is",
	dishonest:       "recovered: true, and not all of it was posted",
	needlessLoad:    "recovered: false, though all of it is in the log",
	outOfOrder:      "the application was handed an event and lacks the one before, or has it already",
	movedBack:       "the application was told to load a state older than the one it has",
	orphan:          "$disconnect is done, and a record of the connection is left",
	neitherNor:      "an event is neither in the replay nor in a push",
	vanished:        "an event entered the queue, and is neither in the log nor a dead letter",
	behind:          "all is quiet, the client has pinged, and it lacks an event",
	oldLog:          "all is quiet, the client has pinged, and still follows a log that is lost",
}

func (r rule) String() string { return ruleTexts[r] }

// breaks notes the first rule that a step broke.
func (s *state) breaks(r rule) {
	if s.broken == holds {
		s.broken = r
	}
}

// checkLog holds a log to its numbers after a commit.
func (s *state) checkLog(m *model, l *tenantLog) {
	var seen few
	for n := m.begin(l) + 1; n <= l.head; n++ {
		switch e := int(l.event[n]) - 1; {
		case e < 0:
			s.breaks(contiguous)
		case seen.has(e):
			s.breaks(oneNumber)
		default:
			seen |= 1 << e
		}
	}
}

// checkLeaving holds a message that leaves the queue to the rule that it is numbered, and posted to whoever was and is a member.
func (s *state) checkLeaving(m *model, event int) {
	t := m.TenantOf[event]
	l := &s.logs[t]
	if l.epoch > 0 {
		return // the log it was numbered in may be lost
	}
	n := l.numberOf(event)
	if n == 0 {
		s.breaks(leftUnnumbered)
		return
	}
	for i := range s.conns {
		c := &s.conns[i]
		if l.members[n].has(i) && c.shard[t] != 0 && c.valid() && !c.attempted.has(n) && !l.expired.has(n) {
			s.breaks(leftUnposted)
		}
	}
}

// checkOrphans: once $disconnect has run and no auth is under way, nothing is left of the connection.
func (s *state) checkOrphans() {
	for i := range s.conns {
		c := &s.conns[i]
		if c.socket == closed && c.disconnect == disconnectDone && c.auth.at == 0 && (c.record || c.shard != [maxTenants]uint8{}) {
			s.breaks(orphan)
		}
	}
}

// checkQuiet holds a state in which nothing is under way to what must be done by then.
func (s *state) checkQuiet(m *model) {
	for e := range m.Events {
		l := &s.logs[m.TenantOf[e]]
		if !s.unsent.has(e) && l.numberOf(e) == 0 && !s.dead.has(e) && l.epoch == 0 {
			s.breaks(vanished)
		}
	}
	for i := range s.conns {
		c := &s.conns[i]
		if c.socket != open || !c.told || !c.valid() || c.tenant == 0 {
			continue
		}
		l := &s.logs[c.tenant-1]
		for n := c.from + 1; n <= l.head && l.epoch == 0; n++ {
			if e := int(l.event[n]) - 1; e >= 0 && !c.attempted.has(n) && !s.dead.has(e) {
				s.breaks(neitherNor)
			}
		}
	}
}

// checkHealed holds a quiet state, after one more ping, to what a client may rely on.
func (s *state) checkHealed() {
	l := &s.logs[s.client.tenant]
	switch {
	case s.client.pos == 0:
		s.breaks(behind)
	case s.client.epoch != l.epoch:
		s.breaks(oldLog)
	case s.client.seen != l.head:
		s.breaks(behind)
	}
}
