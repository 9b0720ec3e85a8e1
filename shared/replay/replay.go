// Package replay posts to one connection what it missed, and says honestly how much that was.
//
// Guarantees:
//   - What [Replayer.Run] calls recovered was posted, all of it or, with more, a first part, before it returned.
//   - What is not recovered was not posted at all.
//   - No post begins at or after the end of the member's token.
//
// The caller owes the order: the connection is recorded as a member, then the head is read, then Run is called with it.
package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
)

// answerReserve is what is kept of the function's time for the answer itself.
const answerReserve = 2 * time.Second

// A Position is where a client stopped.
type Position struct {
	Sequence *int64 // of the last event it has, nil if not given
	EventID  string // of the last event it has, "" if not given
}

// Given says whether the client sent a position at all.
func (p Position) Given() bool { return p.Sequence != nil || p.EventID != "" }

type log interface {
	NumberOf(ctx context.Context, tenantID, eventID string) (int64, error)
	Recover(ctx context.Context, tenantID string, position, head int64, limits eventlog.Limits) (eventlog.Recovery, error)
}

type poster interface {
	Replay(ctx context.Context, d push.Delivery) (delivered int, last push.Outcome)
}

// A Replayer is the log and the way to the connection.
type Replayer struct {
	Log    log
	Push   poster
	Limits eventlog.Limits // of one replay
	Now    func() time.Time
}

// LimitsOf reads the limits of one replay from the environment.
func LimitsOf(env *awsenv.Env) eventlog.Limits {
	return eventlog.Limits{
		Records: env.Int("REPLAY_MAX_EVENTS", 1, 1000),
		Bytes:   env.Int("REPLAY_MAX_BYTES", event.MaxFrameBytes, 4<<20),
	}
}

// ErrNotPosted: there was something to replay, and not even a first part of it could be posted. The outcome tells why.
type ErrNotPosted struct{ Outcome push.Outcome }

func (e ErrNotPosted) Error() string { return fmt.Sprintf("replay: nothing was posted: %s", e.Outcome) }

// A Result is what is said of a replay, and how many events it posted.
type Result struct {
	*event.Recovery
	Events int
}

// Run replays what lies after the position up to the head.
func (r *Replayer) Run(ctx context.Context, to connection.Member, p Position, head int64) (Result, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerReserve))
		defer cancel()
	}
	position, known, err := r.resolve(ctx, to.TenantID, p)
	if err != nil {
		return Result{}, err
	}
	if !known {
		return Result{Recovery: &event.Recovery{After: p.Sequence}}, nil
	}
	found, err := r.Log.Recover(ctx, to.TenantID, position, head, r.Limits)
	if err != nil {
		return Result{}, fmt.Errorf("replay: %w", err)
	}
	answer := Result{Recovery: &event.Recovery{After: &position, Recovered: found.Recovered, More: found.More}}
	if len(found.Records) == 0 {
		return answer, nil
	}
	frames := Frames(r.Now(), found.Records, to.AcceptsBatch)
	delivered, last := r.Push.Replay(ctx, push.Delivery{
		Recipient: push.Recipient{ConnectionID: to.ConnectionID, ValidUntil: to.ValidUntil}, Frames: frames,
	})
	if delivered == 0 {
		return Result{}, ErrNotPosted{last}
	}
	answer.More = answer.More || delivered < len(frames)
	answer.Events = len(found.Records) * delivered / len(frames) // exact when all were posted, and when each is a frame of its own
	return answer, nil
}

// resolve turns a position into a number. One that names two different events, or an event the log does not know, is unknown.
func (r *Replayer) resolve(ctx context.Context, tenantID string, p Position) (sequence int64, known bool, err error) {
	if p.EventID == "" {
		return *p.Sequence, true, nil
	}
	sequence, err = r.Log.NumberOf(ctx, tenantID, p.EventID)
	if errors.Is(err, eventlog.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("replay: %w", err)
	}
	return sequence, p.Sequence == nil || *p.Sequence == sequence, nil
}

// Frames are the records as frames for one kind of connection: batches, or one event each.
func Frames(at time.Time, records []eventlog.Record, batch bool) []push.Frame {
	envelopes := make([][]byte, len(records))
	for i, record := range records {
		envelopes[i] = record.Envelope
	}
	return push.Frames(event.Frames(at, envelopes, batch))
}
