// Command model searches a model of the protocol: every order in which its steps can happen, within bounds. It says in how many states the
// rules held, or shows the shortest way to one in which a rule is broken.
//
// What is modelled is the design, not the code: docs/PROTOCOL.md and the steps of broadcaster, pusher, auth, ping and $disconnect, with their
// crashes and repeats. README.md says what is left out, and what was found.
package main

import "math/bits"

// The size of a state. What a scenario allows lies within.
const (
	maxTenants  = 2
	maxConns    = 2
	maxPushers  = 2
	maxEvents   = 4
	maxMessages = 4
	maxNumbers  = 12 // numbers of a log are below it
	shards      = 2  // of a tenant's members
)

// A log begins at firstBegin, one that was lost and begins anew at laterBegin: above every number given before.
const (
	firstBegin = 1
	laterBegin = 8
)

// set is a set of numbers of a log.
type set uint16

func (s set) has(n uint8) bool { return s&(1<<n) != 0 }
func only(n uint8) set         { return 1 << n }
func (s set) first() uint8     { return uint8(bits.TrailingZeros16(uint16(s))) }
func (s set) len() int         { return bits.OnesCount16(uint16(s)) }

// between is the set of the numbers after one through another.
func between(after, through uint8) set {
	if through <= after {
		return 0
	}
	return (1<<(through+1) - 1) &^ (1<<(after+1) - 1)
}

// few is a set of events, connections or shards.
type few uint8

func (f few) has(i int) bool { return f&(1<<i) != 0 }

// A state is everything at one moment. It is comparable, holds no pointer, and what no longer matters in it is zero, so that equal
// situations are equal states.
type state struct {
	logs    [maxTenants]tenantLog
	queue   [maxMessages]message
	pushers [maxPushers]pusher
	conns   [maxConns]conn
	client  client
	unsent  few // events that no domain service has put yet
	dead    few // events among the dead letters
	left    bounds
	broken  rule // what the last step broke
}

// A tenantLog is a tenant's head and records. Conditions of writes see what is committed, reads see what is visible.
type tenantLog struct {
	head    uint8             // committed; 0: there is none
	seen    uint8             // visible
	event   [maxNumbers]uint8 // 1 + the event under each number
	visible set
	expired set
	epoch   uint8           // how often it was lost
	members [maxNumbers]few // checked only: who was a valid member when the number was given
}

func (l *tenantLog) numberOf(event int) uint8 {
	for n := range l.event {
		if int(l.event[n]) == event+1 {
			return uint8(n)
		}
	}
	return 0
}

// stored is the set of numbers given.
func (l *tenantLog) stored() (s set) {
	for n, e := range l.event {
		if e != 0 {
			s |= only(uint8(n))
		}
	}
	return s
}

// begin is the number the log began at.
func (m *model) begin(l *tenantLog) uint8 {
	if l.epoch > 0 && !m.Broken.LogBeginsAtZero {
		return laterBegin
	}
	return firstBegin
}

// A message of the tenant queue. Its place is its order.
type message struct {
	event    uint8 // 1 + the event; 0: no message
	status   uint8 // free, waiting, or flying + the pusher that has it
	received uint8
}

const (
	free = iota
	waiting
	flying
)

// A pusher is one invocation.
type pusher struct {
	at      uint8 // 1 + the place in the program; 0: none runs
	tenant  uint8
	batch   few // events
	head    uint8
	known   set // numbers that events of the batch had before
	records set // to post
	wrote   set
	shards  few // read
	members few
	gens    [maxConns]uint8 // of the members' tokens
	conn    uint8           // that is posted to now
	todo    set             // for it
}

// A conn is a connection: the socket, its records, and what is under way on it.
type conn struct {
	socket     uint8
	record     bool
	tenant     uint8             // 1 + the record's
	shard      [maxTenants]uint8 // 1 + the member's shard for each tenant; 0: no member
	gen        uint8             // how many tokens it has had; each is valid longer than the one before
	lapsed     uint8             // the newest that has run out
	disconnect uint8
	wire       set // events posted, not yet received: in any order
	auth, ping call

	// Checked only.
	attempted set   // a post of them was attempted, or they came too late for its token
	told      bool  // it was answered auth.success
	from      uint8 // the head of its last auth.success
}

const (
	unused = iota
	open
	closed
)

// The stages of $disconnect.
const (
	noDisconnect = iota
	disconnectDue
	disconnectHalf // the connection is deleted, its member not yet
	disconnectDone
	disconnectLost
)

func (c *conn) valid() bool { return c.gen > c.lapsed }

// A call is one auth or ping.
type call struct {
	at         uint8 // 1 + the place in the program; 0: none
	tenant     uint8 // 1 + the token's
	positioned bool
	replaces   uint8 // 1 + the connection
	position   uint8
	head       uint8
	recovered  bool
	more       bool
	refused    uint8
	todo       set // to post
	posted     set
}

// Why a call is refused.
const (
	accepted = iota
	unauthorized
	noRecord
	forbidden
	notPosted
)

// A client follows the protocol.
type client struct {
	tenant uint8 // of the position
	wants  uint8 // the tenant it is to follow
	pos    uint8 // 0: none
	known  uint8
	held   set
	told   few // connections on which it got auth.success

	// Checked only.
	seen  uint8 // the last number the application was handed, or loaded
	epoch uint8 // of the log that it followed
}

// bounds is what may still happen.
type bounds struct {
	Crashes     uint8 // of a function, anywhere
	Zombies     uint8 // a pusher's messages come back while it still runs
	Repeats     uint8 // an event is put into the queue once more
	Vanish      uint8 // a post is answered 200 and does not arrive, or fails
	Drops       uint8 // of the socket
	Undelivered uint8 // $disconnect that is not called, or dies
	Lapses      uint8 // a token runs out
	Renewals    uint8
	Pings       uint8 // without need
	Handovers   uint8
	Switches    uint8 // to the other tenant
	Expiries    uint8 // the oldest record expires
	Losses      uint8 // a log is lost
}
