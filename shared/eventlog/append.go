package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
)

// commitPolicy bounds the tries of one append: other writers of the same tenant are rare (a redelivery, a function that was
// thought dead), and the queue brings back what fails.
var commitPolicy = backoff.Policy{Base: 10 * time.Millisecond, Cap: 250 * time.Millisecond, Tries: 8, Total: 5 * time.Second}

// Append numbers the entries in their order and stores them, and returns what must now be posted, in number order. An entry whose
// id already has a number keeps it: what is returned is then the log's own record, because an earlier attempt may have ended
// before it was posted. Of such a one whose record has expired nothing is returned: a client that lacks it is told to load its
// state anew.
//
// At most [MaxBatch] entries, no event id twice. An error that wraps backoff.ErrTransient may succeed later, one that wraps
// ErrInvalid never will: one of the entries is at fault. After any error the entries may or may not have been stored, and
// appending them again is safe.
func (l *Log) Append(ctx context.Context, tenantID string, entries []Entry) ([]Record, error) {
	head, err := l.OpenHead(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	read := head      // as a reader sees it
	var known []int64 // numbers of events that were appended before
	var stored []Record
	err = commitPolicy.Retry(ctx, l.clock, func() error {
		numbered, err := number(entries, head)
		if err != nil || len(numbered) == 0 {
			return err
		}
		err = l.Commit(ctx, tenantID, head, numbered)
		var conflict *Conflict
		if errors.As(err, &conflict) {
			if conflict.Head != 0 {
				head = conflict.Head
			}
			entries = slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool {
				k, ok := conflict.Known[e.EventID]
				if ok && !k.Expired {
					known = append(known, k.Sequence)
				}
				return ok
			})
			return fmt.Errorf("append: %w: %w", backoff.ErrTransient, err)
		}
		if err != nil {
			return err
		}
		for _, n := range numbered {
			stored = append(stored, n.Record)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(known) > 0 && slices.Max(known) > read {
		if err := l.awaitHead(ctx, tenantID, slices.Max(known)); err != nil {
			return nil, err
		}
	}
	for _, sequence := range known {
		record, err := l.awaitRecord(ctx, tenantID, sequence)
		if err != nil {
			return nil, err
		}
		stored = append(stored, record)
	}
	slices.SortFunc(stored, func(a, b Record) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return stored, nil
}

// awaitRecord returns a record that is known to be stored. Right after the transaction of another writer its id may be visible and the
// record not yet: without it the event would be taken for posted, though that writer may have died before it posted.
func (l *Log) awaitRecord(ctx context.Context, tenantID string, sequence int64) (record Record, err error) {
	err = l.await(ctx, fmt.Sprintf("record %d", sequence), func() (err error) {
		record, err = l.Record(ctx, tenantID, sequence)
		return err
	})
	return record, err
}

// awaitHead waits until readers see a head over a number that is known to be stored. Before that, who authenticates after this writer has
// read the members would get the event neither from it nor in a replay.
func (l *Log) awaitHead(ctx context.Context, tenantID string, sequence int64) error {
	return l.await(ctx, fmt.Sprintf("the head over %d", sequence), func() error {
		head, err := l.Head(ctx, tenantID)
		if err == nil && head < sequence {
			err = ErrNotFound
		}
		return err
	})
}

// await looks again while what is known to be stored is ErrNotFound. What stays so is an error that may pass.
func (l *Log) await(ctx context.Context, what string, look func() error) error {
	for try := 0; ; try++ {
		if err := look(); !errors.Is(err, ErrNotFound) {
			return err
		}
		if try == len(visibleAfter) {
			return fmt.Errorf("append: %s is not visible yet: %w", what, backoff.ErrTransient)
		}
		if err := l.clock.Sleep(ctx, visibleAfter[try]); err != nil {
			return err
		}
	}
}

func number(entries []Entry, head int64) ([]Numbered, error) {
	numbered := make([]Numbered, len(entries))
	for i, e := range entries {
		sequence := head + int64(i) + 1
		envelope, err := e.Envelope(sequence)
		if err != nil {
			return nil, fmt.Errorf("append event %s: %w: %w", e.EventID, ErrInvalid, err)
		}
		numbered[i] = Numbered{Record{sequence, envelope}, e.EventID}
	}
	return numbered, nil
}
