package main

// clientSteps are what the client does by itself.
func (m *model) clientSteps(s *state, emit func(step, state)) {
	cl := &s.client
	opened, place := 0, -1
	for i := range s.conns {
		switch s.conns[i].socket {
		case open:
			opened++
		case unused:
			if place < 0 {
				place = i
			}
		}
	}
	if place >= 0 && (opened == 0 || opened == 1 && s.left.Handovers > 0 && cl.told != 0) {
		after := *s
		k := natural
		if opened > 0 {
			k = choice
			after.left.Handovers--
		}
		after.conns[place] = conn{socket: open, record: true}
		emit(step{k, "client", -1, "opens connection", place}, after)
	}
	if s.left.Switches > 0 {
		after := *s
		after.left.Switches--
		after.client.wants = 1 - cl.wants
		after.client.told = 0 // it authenticates anew, at first on the connection it has
		emit(step{choice, "client", -1, "wants to be of tenant " + name(int(after.client.wants)), -1}, after)
	}
	pinged := false
	for i := range s.conns {
		c := &s.conns[i]
		if c.socket != open {
			continue
		}
		told := cl.told.has(i)
		if c.auth.at == 0 && !told {
			m.sendAuth(s, i, cl.pos != 0 && cl.tenant == cl.wants, natural, "authenticates on connection", emit)
		}
		if c.auth.at == 0 && told && s.left.Renewals > 0 {
			renewed := *s
			renewed.left.Renewals--
			m.sendAuth(&renewed, i, false, choice, "renews without a position on connection", emit)
			m.sendAuth(&renewed, i, true, choice, "renews with its position on connection", emit)
		}
		if told && c.ping.at == 0 && cl.pos != 0 {
			behind := cl.pos < cl.known
			switch {
			case behind && !pinged && s.noPing():
				m.sendPing(s, i, natural, emit)
			case s.left.Pings > 0:
				after := *s
				after.left.Pings--
				m.sendPing(&after, i, choice, emit)
			}
			pinged = true
		}
	}
}

// noPing: one ping for a gap at a time.
func (s *state) noPing() bool {
	for i := range s.conns {
		if s.conns[i].socket == open && s.conns[i].ping.at != 0 {
			return false
		}
	}
	return true
}

func (m *model) sendAuth(s *state, i int, positioned bool, k kind, what string, emit func(step, state)) {
	after := *s
	x := call{at: 1, tenant: s.client.wants + 1, positioned: positioned}
	if positioned {
		x.position = s.client.pos
	}
	for other := range s.conns {
		if other != i && s.client.told.has(other) && !s.client.told.has(i) {
			x.replaces = uint8(other) + 1
		}
	}
	after.conns[i].auth = x
	emit(step{k, "client", -1, what, i}, after)
}

func (m *model) sendPing(s *state, i int, k kind, emit func(step, state)) {
	after := *s
	after.conns[i].ping = call{at: 1, positioned: true, position: s.client.pos}
	emit(step{k, "client", -1, "pings with position " + digits(s.client.pos) + " on connection", i}, after)
}

// receiveSteps: what was posted arrives in any order.
func (m *model) receiveSteps(s *state, i int, emit func(step, state)) {
	for wire := s.conns[i].wire; wire != 0; wire &= wire - 1 {
		n := wire.first()
		after := *s
		after.conns[i].wire &^= only(n)
		after.receive(m, n)
		emit(step{natural, "client", -1, "receives " + digits(n) + " on connection", i}, after)
	}
}

// receive is protocol.md, "Sequence and position".
func (s *state) receive(m *model, n uint8) {
	cl := &s.client
	cl.known = max(cl.known, n)
	switch {
	case cl.pos == 0 || n > cl.pos+1 && !m.Broken.HandsOnEarly:
		cl.held |= only(n)
	case n > cl.pos:
		s.handOn(n)
		s.handOnHeld()
	}
}

// handOn hands an event to the application.
func (s *state) handOn(n uint8) {
	cl := &s.client
	if n != cl.seen+1 {
		s.breaks(outOfOrder)
	}
	cl.pos, cl.seen = n, n
}

func (s *state) handOnHeld() {
	cl := &s.client
	for cl.held.has(cl.pos + 1) {
		s.handOn(cl.pos + 1)
	}
	cl.held &^= between(0, cl.pos)
}

// load: the application loads its state, which holds what was numbered by now.
func (s *state) load(head uint8) {
	cl := &s.client
	if head < cl.pos {
		s.breaks(movedBack)
	}
	cl.pos, cl.known, cl.seen = head, head, head
	cl.epoch = s.logs[cl.tenant].epoch
	s.handOnHeld()
}

// answer is what the client does with one.
func (m *model) answer(s *state, i int, isAuth bool) {
	cl := &s.client
	x := callOf(s, i, isAuth)
	a := *x
	*x = call{}
	switch a.refused {
	case noRecord: // the server closes
		s.closeSocket(i)
		return
	case forbidden: // a new connection for the new tenant
		s.closeSocket(i)
		*cl = client{tenant: cl.wants, wants: cl.wants}
		return
	case unauthorized:
		cl.told &^= 1 << i
		return
	case notPosted:
		return
	}
	if a.tenant != cl.wants+1 {
		return // an answer to what it wanted before
	}
	if isAuth && cl.tenant != cl.wants {
		*cl = client{tenant: cl.wants, wants: cl.wants}
	}
	cl.known = max(cl.known, a.head)
	if isAuth {
		cl.told |= 1 << i
	}
	switch {
	case isAuth && !a.positioned && cl.pos == 0:
		s.load(a.head)
	case isAuth && !a.positioned && m.Broken.RenewalMovesPosition:
		cl.pos = max(cl.pos, a.head)
	case a.positioned && !a.recovered && (a.position == cl.pos || cl.pos == 0 || m.Broken.FalseMovesAnyPosition):
		s.load(a.head)
	case a.positioned && a.recovered && m.Broken.RecoveredMovesPosition:
		cl.pos = max(cl.pos, a.head)
	}
}
