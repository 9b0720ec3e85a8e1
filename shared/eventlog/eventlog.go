// Package eventlog is each tenant's ordered log: it numbers events, keeps them, and says what was missed since a position.
//
// Guarantees:
//   - Numbers of a tenant are contiguous. A log begins at the Unix time in milliseconds, so that one that began anew can't be
//     taken for the old one.
//   - A number is given in the same transaction that stores the event under it, and an event id has one number, however often
//     and by however many writers it is appended.
//   - What [Log.Recover] calls recovered has no hole.
//   - All reads are strongly consistent.
//
// The caller owes two orders, without which an event can fall between a replay and a push (docs/PROTOCOL.md, "Recovery has no
// gap"): append, then read the members; become a member, then read the head, then recover.
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
)

// IDRetention is how long an event id keeps its number: longer than any redelivery (the queue keeps a message 24 h, Lambda and
// EventBridge an hour each before it).
const IDRetention = 48 * time.Hour

// MaxBatch is the most entries of one append: one transaction of 2·k + 1 actions (DynamoDB allows 100), as large as the queue's
// batches.
const MaxBatch = 10

// ErrNotFound: the tenant has no head, or the log does not (any more) hold the number or id.
var ErrNotFound = errors.New("not in the log")

// ErrInvalid: an entry can't be stored as it is: it has no envelope, or the table refuses it.
var ErrInvalid = errors.New("invalid entry")

// A Record is one event of a log.
type Record struct {
	Sequence int64
	Envelope []byte // the complete frame, number included
}

// An Entry is an event to append.
type Entry struct {
	EventID  string
	Envelope func(sequence int64) ([]byte, error) // the frame under the number it is given
}

// A Conflict is why a commit was refused: nothing of it was written.
type Conflict struct {
	Head  int64            // the head as it is; 0 when it is the expected one
	Known map[string]Known // event ids that already have a number
}

// A Known is the number an event id already has.
type Known struct {
	Sequence int64
	Expired  bool // it was stored so long ago that its record has expired
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("head is %d, %d ids have numbers", c.Head, len(c.Known))
}

// A Numbered is an entry under the number it is to have.
type Numbered struct {
	Record
	EventID string
}

// storage is the log's access to its tables: single steps, each atomic, none of them repeated by itself.
type storage interface {
	// Head returns the number of the tenant's last event, or ErrNotFound.
	Head(ctx context.Context, tenantID string) (int64, error)
	// CreateHead makes the head first, if there is none.
	CreateHead(ctx context.Context, tenantID string, first int64) error
	// Commit moves the head from its expected number over the entries, which follow it without a hole, and stores each with its
	// id, all or nothing. It returns a *Conflict when the head is another or an id is known.
	Commit(ctx context.Context, tenantID string, head int64, entries []Numbered) error
	// Record returns one record, or ErrNotFound.
	Record(ctx context.Context, tenantID string, sequence int64) (Record, error)
	// Range returns the records after one number through another, in order and up to the first hole: nobody may look past one, and
	// what lies behind may be any number of expired records. At most maxRecords, and no further one after maxBytes of envelopes.
	Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]Record, error)
	// NumberOf returns the number of an event id, or ErrNotFound.
	NumberOf(ctx context.Context, tenantID, eventID string) (int64, error)
}

// A Log appends and recovers over a storage.
type Log struct {
	storage
	clock backoff.Clock
}

// New returns a log over a [Store] or an eventlogtest.Memory.
func New(s storage, clock backoff.Clock) *Log { return &Log{storage: s, clock: clock} }

// OpenHead returns the number of the tenant's last event and makes a head where there is none.
func (l *Log) OpenHead(ctx context.Context, tenantID string) (int64, error) {
	head, err := l.Head(ctx, tenantID)
	if !errors.Is(err, ErrNotFound) {
		return head, err
	}
	err = commitPolicy.Retry(ctx, l.clock, func() error { return l.CreateHead(ctx, tenantID, l.clock.Now().UnixMilli()) })
	if err != nil {
		return 0, err
	}
	return l.Head(ctx, tenantID)
}
