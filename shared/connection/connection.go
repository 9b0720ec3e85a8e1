// Package connection keeps who is connected: one record for each connection, and one for each member of a tenant.
//
// Guarantees of every store of this package (connectiontest.Run holds them to it):
//   - A connection becomes a member only while its own record exists, in one transaction: a disconnect at the same moment
//     leaves no orphan.
//   - A connection belongs to one tenant and user for its whole life.
//   - A member's key depends on nothing but its tenant, user and connection: it never moves, so that a reader of all shards
//     can't miss it half-way.
//   - Reads are strongly consistent, but for [Store.Due], whose index is late by nature: look again before acting on it.
//   - Readers never return what has expired, however late the table's TTL deletes it.
//   - Deletes are idempotent.
//
// Errors that wrap backoff.ErrTransient may succeed when tried again; the stores themselves don't repeat a call.
package connection

import (
	"errors"
	"time"
)

// MaxLife is how long API Gateway lets a connection live ("Connection duration for WebSocket API", 2 h, not adjustable),
// with five minutes of grace for late clocks. Records expire this long after the connection was made.
const MaxLife = 2*time.Hour + 5*time.Minute

// MemberShards is the number of partition keys that a tenant's members are spread over, and DeadlineShards that of the
// deadlines. Constants of the code: a record is found only under the number it was written with.
const (
	MemberShards   = 4
	DeadlineShards = 8
)

var (
	// ErrNotFound: the connection has no record: it never connected here, has gone, or has expired.
	ErrNotFound = errors.New("no such connection")
	// ErrOtherIdentity: the connection already belongs to another tenant or user.
	ErrOtherIdentity = errors.New("connection belongs to another tenant or user")
)

// A Connection is one open socket.
type Connection struct {
	ID          string // API Gateway's opaque connectionId
	ConnectedAt time.Time
	SourceIP    string
	UserAgent   string

	// Set once authenticated.
	TenantID   string
	UserID     string
	ValidUntil time.Time // the token's exp
	// AcceptsBatch: the auth message named "batch" in accept.
	AcceptsBatch bool

	// Deadline is when the sweeper closes the connection: the end of the time to authenticate, then ValidUntil.
	Deadline     time.Time
	AuthAttempts int // failed ones since the last success
}

// Authenticated says whether the connection belongs to a tenant.
func (c Connection) Authenticated() bool { return c.TenantID != "" }

// A Member is a connection as its tenant sees it: what a push needs.
type Member struct {
	TenantID     string
	UserID       string
	ConnectionID string
	ConnectedAt  time.Time // milliseconds: a user's connections of one second have an age too
	ValidUntil   time.Time // no post to it begins at or after this moment
	AcceptsBatch bool
}

func (m Member) expiresAt() time.Time { return m.ConnectedAt.Add(MaxLife) }
