package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/purposepath/realtime/shared/eventlog"
)

// An eventTable is the log's storage as functions have it.
type eventTable struct{ *tables }

func (t eventTable) Head(ctx context.Context, tenantID string) (int64, error) {
	head, err := t.events.Head(withDetail(ctx, tenantID), tenantID)
	for _, h := range t.hiddenEvents[tenantID] {
		if err == nil && time.Now().Before(h.head) {
			return h.old, nil
		}
	}
	return head, err
}

func (t eventTable) CreateHead(ctx context.Context, tenantID string, first int64) error {
	ctx = withDetail(ctx, tenantID)
	create := func(ctx context.Context) error {
		err := t.events.CreateHead(ctx, tenantID, first)
		if err == nil {
			head, _ := t.events.Head(context.Background(), tenantID)
			t.w.truth.opened(t.w, tenantID, head)
		}
		return err
	}
	return t.write(ctx, "create head", create(ctx), create)
}

func (t eventTable) Commit(ctx context.Context, tenantID string, head int64, entries []eventlog.Numbered) error {
	ctx = withDetail(ctx, tenantID)
	inv := invocationOf(ctx)
	commit := func(ctx context.Context) error { return t.commit(ctx, inv, tenantID, head, entries) }
	err := commit(ctx)
	if err == nil {
		if l := t.w.truth.tenants[tenantID]; l != nil { // nil where a mutation broke the log
			err = t.visible(ctx, l.events[len(l.events)-1].complete)
		}
	}
	return t.write(ctx, "commit", err, commit)
}

func (t eventTable) commit(ctx context.Context, inv *invocation, tenantID string, head int64, entries []eventlog.Numbered) error {
	if err := t.events.Before(ctx, "commit"); err != nil {
		return err
	}
	w := t.w
	for _, e := range entries {
		switch w.bus.fate(e.EventID) {
		case eventInvalid:
			return fmt.Errorf("commit %s: %w", e.EventID, eventlog.ErrInvalid)
		case eventCursed:
			if !w.quiet {
				return errFailed
			}
		}
	}
	look := context.Background()
	before, _ := t.events.Head(look, tenantID)
	if err := t.events.Commit(look, tenantID, head, entries); err != nil {
		var conflict *eventlog.Conflict
		if errors.As(err, &conflict) && conflict.Head != 0 {
			w.counts.headMoved++
		}
		return err
	}
	complete := time.Now()
	where := fmt.Sprint("commit of ", tenantID, " ", entries[0].EventID, " at ", w.steps.Load())
	t.hiddenEvents[tenantID] = slices.DeleteFunc(t.hiddenEvents[tenantID], func(h hiddenTransaction) bool { return !time.Now().Before(h.all) })
	for _, h := range t.hiddenEvents[tenantID] {
		if h.all.After(complete) {
			complete = h.all
		}
	}
	if w.strikes(tableOneByOne, where) {
		h := hiddenTransaction{old: before, records: map[int64]time.Time{}, ids: map[string]time.Time{}}
		shown := func(what string) time.Time {
			at := time.Now().Add(w.chance.between(0, 120*time.Millisecond, what+" of "+where))
			if at.After(h.all) {
				h.all = at
			}
			return at
		}
		h.head = shown("head")
		for _, e := range entries {
			h.records[e.Sequence], h.ids[e.EventID] = shown(fmt.Sprint("record ", e.Sequence-before)), shown("id "+e.EventID)
		}
		t.hiddenEvents[tenantID] = append(t.hiddenEvents[tenantID], h)
		if h.all.After(complete) {
			complete = h.all
		}
	}
	w.truth.committed(w, inv, tenantID, before, entries, complete)
	return nil
}

// hidden says whether a record is stored but not visible yet.
func (t *tables) hidden(tenantID string, sequence int64) bool {
	for _, h := range t.hiddenEvents[tenantID] {
		if time.Now().Before(h.records[sequence]) {
			return true
		}
	}
	return false
}

func (t eventTable) Record(ctx context.Context, tenantID string, sequence int64) (eventlog.Record, error) {
	record, err := t.events.Record(withDetail(ctx, tenantID), tenantID, sequence)
	if err == nil && t.hidden(tenantID, sequence) {
		return eventlog.Record{}, fmt.Errorf("record: %w", eventlog.ErrNotFound)
	}
	return record, err
}

func (t eventTable) Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]eventlog.Record, error) {
	records, err := t.events.Range(withDetail(ctx, tenantID), tenantID, after, through, maxRecords, maxBytes)
	for i, r := range records {
		if t.hidden(tenantID, r.Sequence) {
			return records[:i], err
		}
	}
	return records, err
}

func (t eventTable) NumberOf(ctx context.Context, tenantID, eventID string) (int64, error) {
	sequence, err := t.events.NumberOf(withDetail(ctx, tenantID), tenantID, eventID)
	for _, h := range t.hiddenEvents[tenantID] {
		if err == nil && time.Now().Before(h.ids[eventID]) {
			return 0, fmt.Errorf("number of %s: %w", eventID, eventlog.ErrNotFound)
		}
	}
	return sequence, err
}
