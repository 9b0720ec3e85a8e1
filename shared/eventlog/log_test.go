package eventlog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
)

// A faulty storage calls before its real one; an error of before is the call's answer, and the call is not made.
type faulty struct {
	eventlogtest.Storage
	before func(call string) error
}

func (f faulty) Commit(ctx context.Context, tenantID string, head int64, entries []eventlog.Numbered) error {
	if err := f.before("commit"); err != nil {
		return err
	}
	return f.Storage.Commit(ctx, tenantID, head, entries)
}

func (f faulty) Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]eventlog.Record, error) {
	if err := f.before("range"); err != nil {
		return nil, err
	}
	return f.Storage.Range(ctx, tenantID, after, through, maxRecords, maxBytes)
}

func entry(id string) eventlog.Entry {
	return eventlog.Entry{EventID: id, Envelope: func(sequence int64) ([]byte, error) {
		return json.Marshal([]any{id, sequence})
	}}
}

func entries(ids ...string) []eventlog.Entry {
	list := make([]eventlog.Entry, len(ids))
	for i, id := range ids {
		list[i] = entry(id)
	}
	return list
}

// show prints records as "id@offset from the log's first number".
func show(t *testing.T, records []eventlog.Record, first int64) []string {
	t.Helper()
	list := []string{}
	for _, r := range records {
		var envelope [2]any
		if err := json.Unmarshal(r.Envelope, &envelope); err != nil {
			t.Fatal(err)
		}
		if int64(envelope[1].(float64)) != r.Sequence {
			t.Errorf("record %d holds the envelope of %v", r.Sequence, envelope[1])
		}
		list = append(list, fmt.Sprintf("%s@%d", envelope[0], r.Sequence-first))
	}
	return list
}

func newLog(before func(call string) error) (*eventlog.Log, eventlogtest.Storage) {
	memory := eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
	clock := backoff.RealClock()
	clock.Random = func() float64 { return 0.5 }
	return eventlog.New(faulty{memory, before}, clock), memory
}

func well(string) error { return nil }

func TestALogBeginsAtTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, _ := newLog(well)
		for range 2 {
			head, err := log.OpenHead(t.Context(), "acme")
			if err != nil || head != time.Now().UnixMilli() {
				t.Errorf("OpenHead = %d, %v, want the time in milliseconds", head, err)
			}
		}
	})
}

func TestAppend(t *testing.T) {
	t.Parallel()
	refused := errors.New("table is read-only")
	busy := fmt.Errorf("throttled: %w", backoff.ErrTransient)
	tests := []struct {
		name    string
		stored  [][]string // appended before, without faults
		faults  []error    // of the first commits
		append  []string
		want    []string
		wantErr error
	}{
		{name: "entries are numbered in their order", append: []string{"a", "b", "c"}, want: []string{"a@1", "b@2", "c@3"}},
		{name: "the next append goes on", stored: [][]string{{"a", "b"}}, append: []string{"c"}, want: []string{"c@3"}},
		{name: "a known event keeps its number and is posted again", stored: [][]string{{"a", "b"}}, append: []string{"b"}, want: []string{"b@2"}},
		{name: "known and new ones come back in number order", stored: [][]string{{"a", "b"}}, append: []string{"c", "b", "d", "a"}, want: []string{"a@1", "b@2", "c@3", "d@4"}},
		{name: "throttling is waited out", faults: []error{busy, busy, busy}, append: []string{"a"}, want: []string{"a@1"}},
		{name: "throttling without end is an error", faults: []error{busy, busy, busy, busy, busy, busy, busy, busy, busy}, append: []string{"a"}, wantErr: busy},
		{name: "another error ends the append at once", faults: []error{refused}, append: []string{"a"}, wantErr: refused},
		{name: "nothing to append", append: nil, want: []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var faults []error
				log, _ := newLog(func(string) error {
					if len(faults) == 0 {
						return nil
					}
					err := faults[0]
					faults = faults[1:]
					return err
				})
				first, err := log.OpenHead(t.Context(), "acme")
				if err != nil {
					t.Fatal(err)
				}
				for _, ids := range tt.stored {
					if _, err := log.Append(t.Context(), "acme", entries(ids...)); err != nil {
						t.Fatal(err)
					}
				}
				faults = tt.faults
				got, err := log.Append(t.Context(), "acme", entries(tt.append...))
				if !errors.Is(err, tt.wantErr) {
					t.Fatalf("Append error = %v, want %v", err, tt.wantErr)
				}
				if err != nil {
					return
				}
				if diff := cmp.Diff(tt.want, show(t, got, first)); diff != "" {
					t.Errorf("records to post (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAppendFindsTheHeadMoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log *eventlog.Log
		others := 3
		log, memory := newLog(nil)
		first, err := log.OpenHead(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		rival := eventlog.New(memory, backoff.RealClock())
		log = eventlog.New(faulty{memory, func(string) error {
			if others > 0 { // another writer comes between head and commit
				others--
				_, err := rival.Append(t.Context(), "acme", entries(fmt.Sprint("other", others)))
				return err
			}
			return nil
		}}, backoff.RealClock())
		got, err := log.Append(t.Context(), "acme", entries("a", "b"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a@4", "b@5"}, show(t, got, first)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

func TestAnEventWhoseRecordExpiredIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, _ := newLog(well)
		if _, err := log.Append(t.Context(), "acme", entries("a")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(eventlogtest.Retention) // in the bubble
		got, err := log.Append(t.Context(), "acme", entries("a"))
		if err != nil || len(got) != 0 {
			t.Errorf("Append = %d records, %v, want none", len(got), err)
		}
	})
}

func TestRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, _ := newLog(well)
		first, err := log.OpenHead(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if _, err := log.Append(t.Context(), "acme", entries(fmt.Sprint("e", i+1))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		time.Sleep(eventlogtest.Retention - 3*time.Hour - 30*time.Minute) // e1 and e2 expire
		envelope := len(fmt.Sprintf(`["e1",%d]`, first))
		tests := []struct {
			name   string
			after  int64
			limits eventlog.Limits
			want   []string
			ok     bool
			more   bool
		}{
			{name: "at the head nothing was missed", after: 5, ok: true},
			{name: "what was missed, to the head", after: 2, want: []string{"e3@3", "e4@4", "e5@5"}, ok: true},
			{name: "the last one", after: 4, want: []string{"e5@5"}, ok: true},
			{name: "older than what is kept", after: 1},
			{name: "the log's own beginning has expired", after: 0},
			{name: "before the log began", after: -first},
			{name: "from the future", after: 6},
			{name: "a full page has more", after: 2, limits: eventlog.Limits{Records: 2, Bytes: 1 << 20}, want: []string{"e3@3", "e4@4"}, ok: true, more: true},
			{name: "a page that ends at the head has no more", after: 3, limits: eventlog.Limits{Records: 2, Bytes: 1 << 20}, want: []string{"e4@4", "e5@5"}, ok: true},
			{name: "a page full by bytes has more", after: 2, limits: eventlog.Limits{Records: 100, Bytes: envelope + 1}, want: []string{"e3@3", "e4@4"}, ok: true, more: true},
			{name: "a page holds one event at least", after: 2, limits: eventlog.Limits{Records: 100, Bytes: 1}, want: []string{"e3@3"}, ok: true, more: true},
		}
		for _, tt := range tests {
			if tt.limits == (eventlog.Limits{}) {
				tt.limits = eventlog.Limits{Records: 100, Bytes: 1 << 20}
			}
			if tt.want == nil {
				tt.want = []string{}
			}
			got, err := log.Recover(t.Context(), "acme", first+tt.after, first+5, tt.limits)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if diff := cmp.Diff(tt.want, show(t, got.Records, first)); diff != "" || got.Recovered != tt.ok || got.More != tt.more {
				t.Errorf("%s: recovered %v more %v, want %v %v; records (-want +got):\n%s", tt.name, got.Recovered, got.More, tt.ok, tt.more, diff)
			}
		}
	})
}

// A storage whose transaction has moved the head but shows its records one by one.
type slowlyVisible struct {
	eventlogtest.Storage
	hidden func(sequence int64) bool
}

func (s slowlyVisible) Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]eventlog.Record, error) {
	found, err := s.Storage.Range(ctx, tenantID, after, through, maxRecords, maxBytes)
	for i, r := range found {
		if s.hidden(r.Sequence) {
			return found[:i], err
		}
	}
	return found, err
}

func (s slowlyVisible) Record(ctx context.Context, tenantID string, sequence int64) (eventlog.Record, error) {
	if s.hidden(sequence) {
		return eventlog.Record{}, eventlog.ErrNotFound
	}
	return s.Storage.Record(ctx, tenantID, sequence)
}

// appendAgain appends an event that a writer who died has appended, on a storage that shows all of it only at a moment to come.
func appendAgain(t *testing.T, late func(storage eventlogtest.Storage, old int64, visible time.Time) eventlogtest.Storage) {
	for _, tt := range []struct {
		name      string
		visibleIn time.Duration
		transient bool
	}{
		{name: "visible within 140 ms", visibleIn: 130 * time.Millisecond},
		{name: "not visible: the queue brings it back", visibleIn: time.Hour, transient: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				memory := eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
				died := eventlog.New(memory, backoff.RealClock())
				first, err := died.OpenHead(t.Context(), "acme")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := died.Append(t.Context(), "acme", entries("a")); err != nil {
					t.Fatal(err)
				}
				visible := time.Now().Add(tt.visibleIn)
				log := eventlog.New(late(memory, first, visible), backoff.RealClock())
				got, err := log.Append(t.Context(), "acme", entries("a"))
				if errors.Is(err, backoff.ErrTransient) != tt.transient || (err == nil) == tt.transient {
					t.Fatalf("Append = %v", err)
				}
				if err != nil {
					return
				}
				if time.Now().Before(visible) {
					t.Error("returned before all was visible")
				}
				if diff := cmp.Diff([]string{"a@1"}, show(t, got, first)); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAnEventWhoseIDIsVisibleBeforeItsRecordIsPosted(t *testing.T) {
	t.Parallel()
	appendAgain(t, func(storage eventlogtest.Storage, _ int64, visible time.Time) eventlogtest.Storage {
		return slowlyVisible{storage, func(int64) bool { return time.Now().Before(visible) }}
	})
}

// A storage whose transaction shows the head it has moved last of all.
type slowHead struct {
	eventlogtest.Storage
	head func() (old int64, hidden bool)
}

func (s slowHead) Head(ctx context.Context, tenantID string) (int64, error) {
	if old, hidden := s.head(); hidden {
		return old, nil
	}
	return s.Storage.Head(ctx, tenantID)
}

// Who authenticates after this writer has read the members must find the event below the head.
func TestAnEventIsNotPostedAgainBeforeTheHeadOverItIsVisible(t *testing.T) {
	t.Parallel()
	appendAgain(t, func(storage eventlogtest.Storage, old int64, visible time.Time) eventlogtest.Storage {
		return slowHead{storage, func() (int64, bool) { return old, time.Now().Before(visible) }}
	})
}

func TestAPositionThatCanNotBeHadCostsOneRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
		log := eventlog.New(memory, backoff.RealClock())
		var head int64
		for i := range 40 {
			records, err := log.Append(t.Context(), "acme", entries(fmt.Sprint("e", i)))
			if err != nil {
				t.Fatal(err)
			}
			head = records[0].Sequence
		}
		var steps []string
		memory.Before = func(_ context.Context, step string) error {
			steps = append(steps, step)
			return nil
		}
		got, err := log.Recover(t.Context(), "acme", 0, head, eventlog.Limits{Records: 100, Bytes: 1 << 20})
		if err != nil || got.Recovered || len(got.Records) > 0 {
			t.Errorf("Recover = %+v, %v", got, err)
		}
		if diff := cmp.Diff([]string{"record"}, steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

func TestRecoverWaitsForWhatIsNotVisibleYetAndLooksPastNoHole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		visibleIn time.Duration
		want      []string
		ok        bool
	}{
		{name: "visible within 140 ms", visibleIn: 130 * time.Millisecond, want: []string{"a@1", "b@2", "c@3"}, ok: true},
		{name: "not visible", visibleIn: time.Hour, want: []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				memory := eventlogtest.NewMemory(eventlogtest.Retention, time.Now)
				plain := eventlog.New(memory, backoff.RealClock())
				first, err := plain.OpenHead(t.Context(), "acme")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := plain.Append(t.Context(), "acme", entries("a", "b", "c")); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				log := eventlog.New(slowlyVisible{memory, func(n int64) bool { return n == first+2 && time.Since(began) < tt.visibleIn }}, backoff.RealClock())
				got, err := log.Recover(t.Context(), "acme", first, first+3, eventlog.Limits{Records: 100, Bytes: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, show(t, got.Records, first)); diff != "" || got.Recovered != tt.ok {
					t.Errorf("recovered %v, want %v; records (-want +got):\n%s", got.Recovered, tt.ok, diff)
				}
			})
		})
	}
}
