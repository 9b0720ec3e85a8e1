package main

import "fmt"

// A model is a scenario: who there is, what may happen, and which rules of the design are broken in it.
type model struct {
	Name      string
	Says      string
	TenantOf  []int // of each event
	Events    int
	Pushers   int
	Batch     int   // messages that a pusher takes at most
	Receives  uint8 // after so many a message becomes a dead letter
	Page      int   // records of one replay
	Unordered bool  // the queue keeps no order
	Bounds    bounds
	Broken    Mutations
}

// The steps of the functions, in the order of their programs.
type op uint8

const (
	opHead op = iota
	opCommit
	opSettle  // the transaction's items are visible, and those of events known before
	opMembers // one shard
	opPost    // one attempt
	opLeave   // the messages leave the queue
	opRecord  // auth: the connection is its tenant's
	opGet     // ping: the connection is read
	opLog
	opClose // of the connection that is replaced
	opAnswer
)

var opNames = [...]string{"reads the head", "commits", "sees its records", "reads members of shard", "posts", "lets the messages leave the queue",
	"records the connection", "reads the connection", "reads the log", "closes the replaced connection", "answers"}

func (m *model) pusherProgram() []op {
	switch {
	case m.Broken.MembersBeforeNumbering:
		return []op{opMembers, opHead, opCommit, opSettle, opPost, opLeave}
	case m.Broken.AckBeforePost:
		return []op{opHead, opCommit, opSettle, opLeave, opMembers, opPost}
	}
	return []op{opHead, opCommit, opSettle, opMembers, opPost, opLeave}
}

func (m *model) authProgram() []op {
	switch {
	case m.Broken.AuthReadsFirst:
		return []op{opHead, opLog, opRecord, opPost, opClose, opAnswer}
	case m.Broken.AuthLogBeforeHead:
		return []op{opRecord, opLog, opHead, opPost, opClose, opAnswer}
	}
	return []op{opRecord, opHead, opLog, opPost, opClose, opAnswer}
}

func (m *model) pingProgram() []op {
	if m.Broken.AuthLogBeforeHead {
		return []op{opGet, opLog, opHead, opPost, opAnswer}
	}
	return []op{opGet, opHead, opLog, opPost, opAnswer}
}

// A kind says whether a step just happens, is the client's choice, or is a fault.
type kind uint8

const (
	natural kind = iota
	choice
	fault
)

// A step is what happened, for the trace.
type step struct {
	kind kind
	who  string
	a    int
	what string
	b    int // -1: none
}

func (s step) String() string {
	text := s.who
	if s.a >= 0 {
		text += fmt.Sprint(" ", s.a)
	}
	text += " " + s.what
	if s.b >= 0 {
		text += fmt.Sprint(" ", s.b)
	}
	if s.kind == fault {
		text += "  [fault]"
	}
	return text
}

// initial is the state before anything happens.
func (m *model) initial() state {
	s := state{left: m.Bounds}
	s.unsent = 1<<m.Events - 1
	return s
}

// next calls emit with every state that can follow, always in the same order.
func (m *model) next(s *state, emit func(step, state)) {
	out := func(st step, after state) {
		after.settle(m)
		emit(st, after)
	}
	m.queueSteps(s, out)
	for i := range m.Pushers {
		m.pusherSteps(s, i, out)
	}
	for i := range s.conns {
		m.connSteps(s, i, out)
		m.callSteps(s, i, true, out)
		m.callSteps(s, i, false, out)
		m.receiveSteps(s, i, out)
	}
	m.logSteps(s, out)
	m.clientSteps(s, out)
}

// settle frees what nothing refers to any more, so that it can be used again, and checks what always holds.
func (s *state) settle(m *model) {
	s.checkOrphans()
	for i := range s.conns {
		c := &s.conns[i]
		if c.socket != closed {
			continue
		}
		c.wire = 0
		if c.record || c.shard != [maxTenants]uint8{} || c.auth.at != 0 || c.ping.at != 0 || c.disconnect != disconnectDone && c.disconnect != disconnectLost {
			continue
		}
		referred := false
		for p := range s.pushers {
			referred = referred || s.pushers[p].members.has(i)
		}
		for other := range s.conns {
			referred = referred || int(s.conns[other].auth.replaces) == i+1
		}
		if referred {
			continue
		}
		*c = conn{}
		s.forgetMember(i)
	}
}
