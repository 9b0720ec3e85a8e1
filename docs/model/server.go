package main

import "slices"

// queueSteps: domain services put events, the broadcaster sends them, the queue hands them out.
func (m *model) queueSteps(s *state, emit func(step, state)) {
	place := -1
	for i := range s.queue {
		if s.queue[i].status == free {
			place = i
			break
		}
	}
	if place >= 0 {
		var sent few // tenants whose next event is offered: events of one tenant are alike
		for e := range m.Events {
			t := m.TenantOf[e]
			switch {
			case s.unsent.has(e) && !sent.has(t):
				sent |= 1 << t
				after := *s
				after.unsent &^= 1 << e
				after.queue[place] = message{event: uint8(e) + 1, status: waiting}
				emit(step{natural, "broadcaster", -1, "sends event", e}, after)
			case !s.unsent.has(e) && s.left.Repeats > 0:
				after := *s
				after.left.Repeats--
				after.queue[place] = message{event: uint8(e) + 1, status: waiting}
				emit(step{fault, "broadcaster", -1, "sends once more event", e}, after)
			}
		}
	}
	for p := range m.Pushers {
		if s.pushers[p].at == 0 {
			m.handOut(s, p, emit)
			break // idle pushers are alike
		}
	}
}

// handOut gives a tenant's next messages to a pusher. A tenant whose messages are under way gets no other.
func (m *model) handOut(s *state, p int, emit func(step, state)) {
	for t := range maxTenants {
		var ready []int
		busy := false
		for i := range s.queue {
			q := &s.queue[i]
			if q.event == 0 || m.TenantOf[q.event-1] != t {
				continue
			}
			busy = busy || q.status >= flying
			if q.status == waiting {
				ready = append(ready, i)
			}
		}
		if busy && !m.Unordered || len(ready) == 0 {
			continue
		}
		for from := range ready {
			if from > 0 && !m.Unordered {
				break
			}
			for n := 1; n <= min(m.Batch, len(ready)-from); n++ {
				after := *s
				pu := &after.pushers[p]
				*pu = pusher{at: 1, tenant: uint8(t)}
				for _, i := range slices.Backward(ready[from : from+n]) {
					q := &after.queue[i]
					event := few(1) << (q.event - 1)
					if q.received == m.Receives {
						after.dead |= event
						after.leave(i)
						continue
					}
					q.received++
					q.status = flying + uint8(p)
					pu.batch |= event
				}
				if pu.batch == 0 {
					*pu = pusher{}
				}
				emit(step{natural, "queue", -1, "hands messages of tenant " + name(t) + " to pusher", p}, after)
			}
		}
	}
}

func name(t int) string { return string(rune('A' + t)) }

// leave takes a message out of the queue; those behind move up.
func (s *state) leave(i int) {
	copy(s.queue[i:], s.queue[i+1:])
	s.queue[len(s.queue)-1] = message{}
}

// pusherSteps are those of one invocation.
func (m *model) pusherSteps(s *state, p int, emit func(step, state)) {
	pu := &s.pushers[p]
	if pu.at == 0 {
		return
	}
	program := m.pusherProgram()
	o := program[pu.at-1]
	say := func(k kind, what string, b int) step { return step{k, "pusher", p, what, b} }
	done := func(k kind, what string, b int, after state) {
		q := &after.pushers[p]
		q.at++
		if int(q.at) <= len(program) && program[q.at-1] == opPost && (q.members == 0 || q.records == 0) {
			q.members, q.records, q.gens = 0, 0, [maxConns]uint8{}
			q.at++ // nothing to post
		}
		if int(q.at) > len(program) {
			*q = pusher{}
		}
		emit(say(k, what, b), after)
	}
	l := &s.logs[pu.tenant]
	switch o {
	case opHead:
		after := *s
		after.openHead(m, int(pu.tenant))
		after.pushers[p].head = after.logs[pu.tenant].seen
		done(natural, opNames[o], int(after.pushers[p].head), after)
	case opCommit:
		m.commit(s, p, done, emit)
	case opSettle:
		hidden, head := pu.wrote, pu.wrote
		if !m.Broken.KnownButInvisibleSkipped {
			hidden |= pu.known
		}
		if !m.Broken.KnownHeadNotAwaited {
			head |= pu.known
		}
		if hidden&^l.visible&^l.expired != 0 || head&^between(0, l.seen) != 0 {
			break // it waits, or gives up: then its messages come back, as after a crash
		}
		after := *s
		q := &after.pushers[p]
		q.records |= pu.known & l.visible
		q.known, q.wrote, q.head = 0, 0, 0
		done(natural, opNames[o], -1, after)
	case opMembers:
		m.readMembers(s, p, done, emit)
	case opPost:
		m.pushOne(s, p, done, emit)
	case opLeave:
		after := *s
		after.leaveAll(m, p)
		after.pushers[p].batch = 0
		done(natural, opNames[o], -1, after)
	}
	if s.left.Crashes > 0 {
		after := *s
		after.left.Crashes--
		after.comeBack(m, p)
		after.pushers[p] = pusher{}
		emit(say(fault, "dies or fails; its messages come back", -1), after)
	}
	if s.left.Zombies > 0 && s.isFlying(p) {
		after := *s
		after.left.Zombies--
		after.comeBack(m, p)
		emit(say(fault, "is late; its messages come back while it runs", -1), after)
	}
}

func (s *state) isFlying(p int) bool {
	for i := range s.queue {
		if s.queue[i].status == flying+uint8(p) {
			return true
		}
	}
	return false
}

func (s *state) comeBack(m *model, p int) {
	if m.Broken.FailureUnreported {
		s.leaveAll(m, p)
		return
	}
	for i := range s.queue {
		if q := &s.queue[i]; q.status == flying+uint8(p) {
			q.status = waiting
		}
	}
}

// leaveAll takes out of the queue what a pusher still has of it: what came back meanwhile is not its any more.
func (s *state) leaveAll(m *model, p int) {
	for i := len(s.queue) - 1; i >= 0; i-- {
		if q := s.queue[i]; q.status == flying+uint8(p) {
			s.leave(i)
			s.checkLeaving(m, int(q.event)-1)
		}
	}
}

// openHead makes a head where there is none: one conditional put, visible at once.
func (s *state) openHead(m *model, t int) {
	if l := &s.logs[t]; l.head == 0 {
		l.head = m.begin(l)
		l.seen = l.head
	}
}

// commit is the transaction: the head is still the one that was read, no number and no id is taken.
func (m *model) commit(s *state, p int, done func(kind, string, int, state), emit func(step, state)) {
	pu := &s.pushers[p]
	after := *s
	q, l := &after.pushers[p], &after.logs[pu.tenant]
	if l.head == 0 { // the log was lost since: an error, the messages come back
		after.comeBack(m, p)
		after.pushers[p] = pusher{}
		emit(step{natural, "pusher", p, "finds no head; its messages come back", -1}, after)
		return
	}
	var events few
	var known set
	for e := range m.Events {
		if !pu.batch.has(e) {
			continue
		}
		if n := l.numberOf(e); n != 0 && !m.Broken.IDWithoutCondition {
			known |= only(n)
			continue
		}
		events |= 1 << e
	}
	if m.Broken.KnownNotPosted {
		known = 0
	}
	moved := events != 0 && l.head != pu.head && !m.Broken.HeadWithoutCondition
	if known&^pu.known != 0 || moved {
		q.known |= known
		if moved {
			q.head = l.head
		}
		emit(step{natural, "pusher", p, "is refused: head or ids are others", -1}, after)
		return
	}
	for e := range m.Events {
		if !events.has(e) {
			continue
		}
		q.head++
		n := q.head
		if l.event[n] != 0 {
			after.breaks(numberOnce)
		}
		l.event[n] = uint8(e) + 1
		l.head = n
		q.wrote |= only(n)
		for i := range after.conns {
			if c := &after.conns[i]; c.shard[pu.tenant] != 0 && c.valid() {
				l.members[n] |= 1 << i
			}
		}
	}
	if events == 0 {
		done(natural, "has nothing to number", -1, after)
		return
	}
	q.records |= q.wrote
	after.checkLog(m, l)
	done(natural, opNames[opCommit], int(l.head), after)
}

// readMembers reads one shard. The members with a valid token are remembered with the end of it.
func (m *model) readMembers(s *state, p int, done func(kind, string, int, state), emit func(step, state)) {
	pu := &s.pushers[p]
	for shard := range shards {
		if pu.shards.has(shard) {
			continue
		}
		after := *s
		q := &after.pushers[p]
		q.shards |= 1 << shard
		for i := range s.conns {
			c := &s.conns[i]
			if int(c.shard[pu.tenant]) == shard+1 && c.valid() {
				q.members |= 1 << i
				q.gens[i] = c.gen
			}
		}
		if m.Broken.MembersEventually && q.members != pu.members {
			stale := *s
			stale.pushers[p].shards = q.shards
			m.membersRead(&stale, p, shard, done, emit)
		}
		m.membersRead(&after, p, shard, done, emit)
	}
}

func (m *model) membersRead(after *state, p, shard int, done func(kind, string, int, state), emit func(step, state)) {
	q := &after.pushers[p]
	if q.shards != 1<<shards-1 {
		emit(step{natural, "pusher", p, opNames[opMembers], shard}, *after)
		return
	}
	q.shards = 0
	done(natural, opNames[opMembers], shard, *after)
}

// pushOne posts the next record to the next member. Members are served one after the other: what is posted to one of them in which
// order to the others is not seen by anybody, because what is posted arrives at any later time.
func (m *model) pushOne(s *state, p int, done func(kind, string, int, state), emit func(step, state)) {
	after := *s
	q := &after.pushers[p]
	for !q.members.has(int(q.conn)) {
		q.conn++
	}
	if q.todo == 0 {
		q.todo = q.records
	}
	i := int(q.conn)
	n := q.todo.first()
	served := func(k kind, what string, st state, rest set) {
		x := &st.pushers[p]
		if x.todo = rest; rest != 0 {
			emit(step{k, "pusher", p, what, i}, st)
			return
		}
		x.members &^= 1 << i
		x.gens[i], x.conn = 0, 0
		if x.members != 0 {
			emit(step{k, "pusher", p, what, i}, st)
			return
		}
		x.records = 0
		done(k, what, i, st)
	}
	c := &after.conns[i]
	switch {
	case q.gens[i] <= c.lapsed && !m.Broken.ExpiryAtRead:
		c.attempted |= q.todo
		served(natural, "posts no more, the token has run out, to connection", after, 0)
	case c.socket != open:
		c.attempted |= q.todo
		c.record = false
		c.shard[q.tenant] = 0
		served(natural, "is answered 410 and deletes connection", after, 0)
	default:
		c.attempted |= only(n)
		rest := q.todo &^ only(n)
		if !c.valid() {
			after.breaks(afterValidUntil)
		}
		if c.tenant != q.tenant+1 {
			after.breaks(foreign)
		}
		if s.left.Vanish > 0 {
			lost := after
			lost.left.Vanish--
			served(fault, "posts "+digits(n)+", which vanishes, to connection", lost, rest)
		}
		c.wire |= only(n)
		served(natural, "posts "+digits(n)+" to connection", after, rest)
	}
}

func digits(n uint8) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return "1" + string(rune('0'+n-10))
}

// logSteps: items of a transaction become visible one by one, records expire, a log is lost.
func (m *model) logSteps(s *state, emit func(step, state)) {
	for t := range s.logs {
		l := &s.logs[t]
		if l.seen < l.head {
			after := *s
			after.logs[t].seen = l.head
			emit(step{natural, "table", -1, "shows the head of tenant " + name(t) + ":", int(l.head)}, after)
		}
		for hidden := l.stored() &^ l.visible &^ l.expired; hidden != 0; hidden &= hidden - 1 {
			after := *s
			after.logs[t].visible |= only(hidden.first())
			emit(step{natural, "table", -1, "shows the record of tenant " + name(t) + ":", int(hidden.first())}, after)
		}
		if s.left.Expiries > 0 && l.visible != 0 {
			after := *s
			after.left.Expiries--
			oldest := only(l.visible.first())
			after.logs[t].visible &^= oldest
			after.logs[t].expired |= oldest
			emit(step{fault, "table", -1, "lets expire the record of tenant " + name(t) + ":", int(oldest.first())}, after)
		}
		if s.left.Losses > 0 && l.head != 0 {
			after := *s
			after.left.Losses--
			after.logs[t] = tenantLog{epoch: l.epoch + 1}
			for p := range after.pushers { // what is in flight of it shows in no read
				after.pushers[p].wrote, after.pushers[p].known = 0, 0
			}
			emit(step{fault, "table", -1, "loses the log of tenant " + name(t), -1}, after)
		}
	}
}
