package main

// connSteps are what happens to a connection beside its messages.
func (m *model) connSteps(s *state, i int, emit func(step, state)) {
	c := &s.conns[i]
	say := func(k kind, what string) step { return step{k, "connection", i, what, -1} }
	if c.socket == open && s.left.Drops > 0 {
		after := *s
		after.left.Drops--
		after.closeSocket(i)
		emit(say(fault, "is dropped"), after)
	}
	if c.socket == open && c.valid() && s.left.Lapses > 0 {
		after := *s
		after.left.Lapses--
		after.conns[i].lapsed = c.gen
		after.forgetMember(i)
		emit(say(fault, "outlives its token"), after)
	}
	switch c.disconnect {
	case disconnectDue:
		after := *s
		d := &after.conns[i]
		d.record = false
		d.disconnect = disconnectHalf
		if c.tenant == 0 || !c.record {
			d.disconnect = disconnectDone
		}
		emit(say(natural, "is deleted by $disconnect"), after)
	case disconnectHalf:
		after := *s
		d := &after.conns[i]
		d.shard[c.tenant-1] = 0
		d.disconnect = disconnectDone
		emit(say(natural, "loses its member by $disconnect"), after)
	case disconnectLost:
		if c.record || c.shard != [maxTenants]uint8{} {
			after := *s
			d := &after.conns[i]
			d.record, d.shard = false, [maxTenants]uint8{}
			emit(say(natural, "is deleted by the table's time to live"), after)
		}
	}
	if (c.disconnect == disconnectDue || c.disconnect == disconnectHalf) && s.left.Undelivered > 0 {
		after := *s
		after.left.Undelivered--
		after.conns[i].disconnect = disconnectLost
		emit(say(fault, "never sees the end of its $disconnect"), after)
	}
}

// forgetMember: the connection is not held to have been a member all the time.
func (s *state) forgetMember(i int) {
	for t := range s.logs {
		for n := range s.logs[t].members {
			s.logs[t].members[n] &^= 1 << i
		}
	}
}

func (s *state) closeSocket(i int) {
	c := &s.conns[i]
	if c.socket != open {
		return
	}
	c.socket, c.wire, c.disconnect, c.told, c.from = closed, 0, disconnectDue, false, 0
	s.client.told &^= 1 << i
}

// callSteps are those of one auth or ping.
func (m *model) callSteps(s *state, i int, isAuth bool, emit func(step, state)) {
	was := callOf(s, i, isAuth)
	if was.at == 0 {
		return
	}
	program, who := m.pingProgram(), "ping"
	if isAuth {
		program, who = m.authProgram(), "auth"
	}
	c := &s.conns[i]
	if int(was.at) > len(program) { // answered
		if c.socket == open {
			after := *s
			m.answer(&after, i, isAuth)
			emit(step{natural, "client", -1, "receives " + was.says(who) + " on connection", i}, after)
		} else {
			after := *s
			*callOf(&after, i, isAuth) = call{}
			emit(step{natural, "the answer", -1, "finds no connection", i}, after)
		}
		return
	}
	o := program[was.at-1]
	after := *s
	x := callOf(&after, i, isAuth)
	on := func(text string) step { return step{natural, who, -1, text + " on connection", i} }
	x.at++
	if s.left.Crashes > 0 {
		dead := *s
		dead.left.Crashes--
		*callOf(&dead, i, isAuth) = call{}
		emit(step{fault, who, -1, "dies on connection", i}, dead)
	}
	refuse := func(why uint8) {
		*x = call{at: uint8(len(program)) + 1, tenant: was.tenant, refused: why}
	}
	switch o {
	case opRecord:
		m.record(&after, i, x, refuse)
	case opGet:
		switch {
		case !c.record:
			refuse(noRecord)
		case c.tenant == 0 || !c.valid():
			refuse(unauthorized)
		default:
			x.tenant = c.tenant
		}
	case opHead:
		l := &after.logs[was.tenant-1]
		if l.head == 0 && !isAuth {
			refuse(unauthorized)
			break
		}
		after.openHead(m, int(was.tenant)-1)
		x.head = l.seen
		if m.Broken.AuthHeadEventually && isAuth && l.seen > m.begin(l) {
			stale := after
			callOf(&stale, i, isAuth).head--
			emit(on("reads an old head"), stale)
		}
	case opLog:
		m.readLog(&after.logs[was.tenant-1], &after, x)
	case opPost:
		m.replayOne(s, i, isAuth, &after, x, emit)
		return
	case opClose:
		old := &after.conns[was.replaces-1]
		old.record = false
		old.shard[was.tenant-1] = 0
		after.closeSocket(int(was.replaces) - 1)
		x.replaces = 0
	case opAnswer:
		all := between(was.position, was.head)
		if was.positioned && was.recovered && !was.more && all&^was.posted != 0 {
			after.breaks(dishonest)
		}
		if isAuth && c.socket == open {
			d := &after.conns[i]
			d.told, d.from = true, was.head
		}
		x.posted = 0
	}
	x.skip(program)
	emit(on(opNames[o]), after)
}

// skip passes over what there is nothing to do for: a step that changes nothing else is none.
func (c *call) skip(program []op) {
	for int(c.at) <= len(program) {
		o := program[c.at-1]
		if o == opPost && c.todo == 0 || o == opLog && !c.positioned || o == opClose && c.replaces == 0 {
			c.at++
			continue
		}
		return
	}
}

func callOf(s *state, i int, isAuth bool) *call {
	if isAuth {
		return &s.conns[i].auth
	}
	return &s.conns[i].ping
}

// record is auth's transaction.
func (m *model) record(s *state, i int, x *call, refuse func(uint8)) {
	c := &s.conns[i]
	switch {
	case !c.record && !m.Broken.AuthWithoutRecord:
		refuse(noRecord)
		return
	case c.record && c.tenant != 0 && c.tenant != x.tenant && !m.Broken.AuthOtherIdentity:
		refuse(forbidden)
		return
	}
	c.record = true
	c.tenant = x.tenant
	c.gen++
	member := &c.shard[x.tenant-1]
	if *member == 0 {
		*member = 1
	} else if m.Broken.MemberMoves {
		*member = 3 - *member
	}
}

// readLog reads what lies after the position, up to the first hole.
func (m *model) readLog(l *tenantLog, s *state, x *call) {
	if !x.positioned {
		return
	}
	head := x.head
	if m.Broken.AuthLogBeforeHead {
		head = max(x.position, maxNumbers-1)
		for head > x.position && !l.visible.has(head) {
			head--
		}
	}
	if x.position >= head {
		x.recovered = x.position == head
		return
	}
	reached := x.position
	for n := x.position + 1; n <= head && x.todo.len() < m.Page; n++ {
		if l.visible.has(n) {
			x.todo |= only(n)
			reached = n
		} else if !m.Broken.LookPastHole {
			break
		}
	}
	full := x.todo.len() == m.Page
	switch {
	case reached == head:
		x.recovered = true
	case full:
		x.recovered, x.more = true, !m.Broken.PartOfReplayIsAll
	default:
		x.todo = 0
		if wanted := between(x.position, head); wanted&^l.visible == 0 {
			s.breaks(needlessLoad)
		}
	}
}

// replayOne posts the next record of a replay. What is replayed ends where a post fails.
func (m *model) replayOne(s *state, i int, isAuth bool, after *state, x *call, emit func(step, state)) {
	program, who := m.pingProgram(), "ping"
	if isAuth {
		program, who = m.authProgram(), "auth"
	}
	c := &after.conns[i]
	n := x.todo.first()
	fails := func(x *call) {
		if x.posted == 0 {
			*x = call{at: uint8(len(program)) + 1, tenant: x.tenant, refused: notPosted}
			return
		}
		x.todo, x.more = 0, !m.Broken.PartOfReplayIsAll
		x.skip(program)
	}
	if c.socket != open || !c.valid() {
		x.at--
		fails(x)
		emit(step{natural, who, -1, "can't post to connection", i}, *after)
		return
	}
	x.at--
	if c.tenant != x.tenant {
		after.breaks(foreign)
	}
	x.todo &^= only(n)
	x.posted |= only(n)
	c.attempted |= only(n)
	if s.left.Vanish > 0 {
		lost := *after
		lost.left.Vanish--
		callOf(&lost, i, isAuth).skip(program)
		emit(step{fault, who, -1, "posts " + digits(n) + ", which vanishes, to connection", i}, lost)
		refused := *s
		refused.left.Vanish--
		fails(callOf(&refused, i, isAuth))
		emit(step{fault, who, -1, "fails to post " + digits(n) + " to connection", i}, refused)
	}
	c.wire |= only(n)
	x.skip(program)
	emit(step{natural, who, -1, "posts " + digits(n) + " to connection", i}, *after)
}

// says is an answer in words.
func (c *call) says(who string) string {
	if c.refused != accepted {
		return who + " refused"
	}
	text := who + " answered, head " + digits(c.head)
	if !c.positioned {
		return text
	}
	text += ", after " + digits(c.position) + ", recovered "
	switch {
	case c.recovered && c.more:
		return text + "in part"
	case c.recovered:
		return text + "all"
	}
	return text + "nothing"
}
