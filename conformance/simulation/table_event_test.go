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
	if err == nil && inv != nil && t.inFlight(tenantID) && t.w.strikes(tableEarly, inv.name+"/"+tenantID+"/commit") {
		return errNoAnswer
	}
	if err == nil {
		all := time.Time{}
		for _, h := range t.hiddenEvents[tenantID] {
			all = latest(all, h.all)
		}
		err = t.visible(ctx, all)
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
		if errors.As(err, &conflict) {
			w.counts.headMoved += min(1, int(conflict.Head))
			for id := range conflict.Known {
				t.show(tenantID, id) // its item was read
			}
		}
		return err
	}
	now := time.Now()
	where := fmt.Sprint("commit of ", tenantID, " ", entries[0].EventID, " at ", w.steps.Load())
	t.hiddenEvents[tenantID] = slices.DeleteFunc(t.hiddenEvents[tenantID], func(h hiddenTransaction) bool { return !now.Before(h.all) })
	complete := now
	for _, h := range t.hiddenEvents[tenantID] {
		complete = latest(complete, h.complete)
	}
	if w.strikes(tableOneByOne, where) {
		h := hiddenTransaction{old: before, complete: complete, records: map[int64]time.Time{}, ids: map[string]time.Time{}}
		longest := 100 * time.Millisecond
		if w.chance.below(2, "slowly "+where) == 0 {
			longest = time.Second
		}
		shown := func(what string) time.Time { return now.Add(w.chance.between(0, longest, what+" of "+where)) }
		h.head = shown("head")
		h.complete = latest(h.complete, h.head)
		for i, e := range entries {
			h.records[e.Sequence], h.ids[e.EventID] = shown(fmt.Sprint("record ", i)), shown("id "+e.EventID)
			h.complete = latest(h.complete, h.records[e.Sequence])
			h.all = latest(h.all, h.ids[e.EventID])
		}
		h.all = latest(h.all, h.complete)
		t.hiddenEvents[tenantID] = append(t.hiddenEvents[tenantID], h)
		complete = h.complete
	}
	w.truth.committed(w, inv, tenantID, before, entries, complete)
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// named is when the number of an event can be looked up by its id.
func (t *tables) named(tenantID, eventID string) time.Time {
	named := time.Time{}
	for _, h := range t.hiddenEvents[tenantID] {
		named = latest(named, h.ids[eventID])
	}
	return named
}

// show makes the id of an event visible.
func (t *tables) show(tenantID, eventID string) {
	for _, h := range t.hiddenEvents[tenantID] {
		delete(h.ids, eventID)
	}
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
	if err == nil && time.Now().Before(t.named(tenantID, eventID)) {
		return 0, fmt.Errorf("number of %s: %w", eventID, eventlog.ErrNotFound)
	}
	return sequence, err
}
