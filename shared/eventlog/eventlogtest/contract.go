// Package eventlogtest is the contract of a log's storage, as tests, and a storage in memory that passes it.
package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/eventlog"
)

// Storage is what a log needs of its tables.
type Storage interface {
	Head(ctx context.Context, tenantID string) (int64, error)
	CreateHead(ctx context.Context, tenantID string, first int64) error
	Commit(ctx context.Context, tenantID string, head int64, entries []eventlog.Numbered) error
	Record(ctx context.Context, tenantID string, sequence int64) (eventlog.Record, error)
	Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]eventlog.Record, error)
	NumberOf(ctx context.Context, tenantID, eventID string) (int64, error)
}

var (
	_ Storage = (*Memory)(nil)
	_ Storage = (*eventlog.Store)(nil)
)

// Retention is how long the storage that Run opens must keep events.
const Retention = 24 * time.Hour

const first = 1_700_000_000_000

// entries numbers from..to, whose envelope is 10 bytes.
func entries(from, to int64) []eventlog.Numbered {
	var list []eventlog.Numbered
	for n := from; n <= to; n++ {
		list = append(list, eventlog.Numbered{Record: record(n), EventID: fmt.Sprintf("e%d", n-first)})
	}
	return list
}

func record(n int64) eventlog.Record {
	return eventlog.Record{Sequence: n, Envelope: fmt.Appendf(nil, `{"n":%4d}`, n-first)}
}

func records(from, to int64) []eventlog.Record {
	var list []eventlog.Record
	for n := from; n <= to; n++ {
		list = append(list, record(n))
	}
	return list
}

// Run holds a storage to the contract. open returns an empty one that keeps events for Retention and reads the time from now.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Storage) {
	type clock struct{ now time.Time }
	run := func(name string, test func(t *testing.T, s Storage, c *clock)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
			s := open(t, func() time.Time { return c.now })
			must(t, s.CreateHead(t.Context(), "acme", first))
			test(t, s, c)
		})
	}
	head := func(t *testing.T, s Storage, tenantID string) int64 {
		t.Helper()
		n, err := s.Head(t.Context(), tenantID)
		must(t, err)
		return n
	}

	run("a tenant without a head has none", func(t *testing.T, s Storage, _ *clock) {
		_, err := s.Head(t.Context(), "new")
		isErr(t, err, eventlog.ErrNotFound)
		_, err = s.Record(t.Context(), "new", first)
		isErr(t, err, eventlog.ErrNotFound)
		_, err = s.NumberOf(t.Context(), "new", "e1")
		isErr(t, err, eventlog.ErrNotFound)
	})

	run("a head is made once", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.CreateHead(t.Context(), "acme", first+500))
		equal(t, "head", int64(first), head(t, s, "acme"))
	})

	run("a commit stores records and ids and moves the head", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+10)))
		equal(t, "head", int64(first+10), head(t, s, "acme"))
		got, err := s.Record(t.Context(), "acme", first+3)
		must(t, err)
		equal(t, "record", record(first+3), got)
		number, err := s.NumberOf(t.Context(), "acme", "e3")
		must(t, err)
		equal(t, "number", int64(first+3), number)
		all, err := s.Range(t.Context(), "acme", first, first+10, 100, 1<<20)
		must(t, err)
		equal(t, "range", records(first+1, first+10), all)
	})

	run("a commit from another head is refused, tells the head and writes nothing", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+2)))
		err := s.Commit(t.Context(), "acme", first, []eventlog.Numbered{{Record: record(first + 1), EventID: "other"}})
		equal(t, "conflict", eventlog.Conflict{Head: first + 2, Known: map[string]eventlog.Known{}}, conflict(t, err))
		_, err = s.NumberOf(t.Context(), "acme", "other")
		isErr(t, err, eventlog.ErrNotFound)
		equal(t, "head", int64(first+2), head(t, s, "acme"))
	})

	run("a commit of a known id is refused, tells its number and writes nothing", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+2)))
		again := []eventlog.Numbered{
			{Record: record(first + 3), EventID: "new"}, {Record: record(first + 4), EventID: "e2"}, {Record: record(first + 5), EventID: "e1"},
		}
		err := s.Commit(t.Context(), "acme", first+2, again)
		equal(t, "conflict", eventlog.Conflict{Known: map[string]eventlog.Known{"e1": {Sequence: first + 1}, "e2": {Sequence: first + 2}}}, conflict(t, err))
		_, err = s.NumberOf(t.Context(), "acme", "new")
		isErr(t, err, eventlog.ErrNotFound)
		equal(t, "head", int64(first+2), head(t, s, "acme"))
	})

	run("another head and a known id are told together", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+2)))
		err := s.Commit(t.Context(), "acme", first, entries(first+1, first+3))
		want := eventlog.Conflict{Head: first + 2, Known: map[string]eventlog.Known{"e1": {Sequence: first + 1}, "e2": {Sequence: first + 2}}}
		equal(t, "conflict", want, conflict(t, err))
	})

	run("the same id is another event in another tenant", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.CreateHead(t.Context(), "rival", first))
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+1)))
		_, err := s.NumberOf(t.Context(), "rival", "e1")
		isErr(t, err, eventlog.ErrNotFound)
		must(t, s.Commit(t.Context(), "rival", first, entries(first+1, first+1)))
		got, err := s.Range(t.Context(), "rival", first, first+10, 100, 1<<20)
		must(t, err)
		equal(t, "the rival's log", records(first+1, first+1), got)
	})

	run("a range is bounded by both ends, by count and by bytes", func(t *testing.T, s Storage, _ *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+10)))
		for _, tt := range []struct {
			after, through       int64
			maxRecords, maxBytes int
			wantFrom, wantTo     int64
		}{
			{0, 9, 100, 1 << 20, 1, 9},
			{4, 8, 100, 1 << 20, 5, 8},
			{4, 99, 3, 1 << 20, 5, 7},
			{0, 10, 100, 25, 1, 3}, // the third passes 25 bytes
			{0, 10, 100, 1, 1, 1},
			{10, 10, 100, 1 << 20, 1, 0},
			{-5, 2, 100, 1 << 20, 1, 0}, // before the log: a hole at once
			{-first, 2, 100, 1 << 20, 1, 0},
		} {
			got, err := s.Range(t.Context(), "acme", first+tt.after, first+tt.through, tt.maxRecords, tt.maxBytes)
			must(t, err)
			equal(t, fmt.Sprintf("range %+v", tt), records(first+tt.wantFrom, first+tt.wantTo), got)
		}
	})

	run("a range larger than a page of the table is whole", func(t *testing.T, s Storage, _ *clock) {
		var list []eventlog.Numbered
		for n := int64(first); n < first+60; n += 10 {
			list = list[:0]
			for i := n + 1; i <= n+10; i++ {
				list = append(list, eventlog.Numbered{Record: eventlog.Record{Sequence: i, Envelope: []byte(strings.Repeat("x", 32_000))}, EventID: fmt.Sprint(i)})
			}
			must(t, s.Commit(t.Context(), "acme", n, list))
		}
		got, err := s.Range(t.Context(), "acme", first, first+60, 100, 10<<20)
		must(t, err)
		equal(t, "records", 60, len(got))
	})

	run("a record is gone from the moment it expires, and its id is kept longer", func(t *testing.T, s Storage, c *clock) {
		must(t, s.Commit(t.Context(), "acme", first, entries(first+1, first+1)))
		c.now = c.now.Add(Retention - time.Second)
		must(t, s.Commit(t.Context(), "acme", first+1, entries(first+2, first+2)))
		got, err := s.Range(t.Context(), "acme", first, first+2, 100, 1<<20)
		must(t, err)
		equal(t, "range just before", records(first+1, first+2), got)
		c.now = c.now.Add(time.Second)
		got, err = s.Range(t.Context(), "acme", first, first+2, 100, 1<<20)
		must(t, err)
		equal(t, "range up to the hole", records(first+2, first+1), got)
		got, err = s.Range(t.Context(), "acme", first+1, first+2, 100, 1<<20)
		must(t, err)
		equal(t, "range behind the hole", records(first+2, first+2), got)
		_, err = s.Record(t.Context(), "acme", first+1)
		isErr(t, err, eventlog.ErrNotFound)
		err = s.Commit(t.Context(), "acme", first+2, []eventlog.Numbered{{Record: record(first + 3), EventID: "e1"}})
		equal(t, "conflict", eventlog.Conflict{Known: map[string]eventlog.Known{"e1": {Sequence: first + 1, Expired: true}}}, conflict(t, err))
	})

	run("an entry the table can't hold is invalid and leaves the others unwritten", func(t *testing.T, s Storage, _ *clock) {
		list := append(entries(first+1, first+1), eventlog.Numbered{
			Record: eventlog.Record{Sequence: first + 2, Envelope: []byte(strings.Repeat("x", 401<<10))}, EventID: "large",
		})
		isErr(t, s.Commit(t.Context(), "acme", first, list), eventlog.ErrInvalid)
		equal(t, "head", int64(first), head(t, s, "acme"))
		_, err := s.NumberOf(t.Context(), "acme", "e1")
		isErr(t, err, eventlog.ErrNotFound)
	})

	run("of writers at the same moment one wins and the others are told", func(t *testing.T, s Storage, _ *clock) {
		const writers = 8
		won := make(chan bool, writers)
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				err := s.Commit(t.Context(), "acme", first, []eventlog.Numbered{{Record: record(first + 1), EventID: fmt.Sprint("w", i)}})
				var c *eventlog.Conflict
				if err != nil && !errors.As(err, &c) {
					t.Error(err)
				}
				won <- err == nil
			})
		}
		all.Wait()
		close(won)
		winners := 0
		for w := range won {
			if w {
				winners++
			}
		}
		equal(t, "winners", 1, winners)
		equal(t, "head", int64(first+1), head(t, s, "acme"))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func isErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error = %v, want %v", err, want)
	}
}

func conflict(t *testing.T, err error) eventlog.Conflict {
	t.Helper()
	var c *eventlog.Conflict
	if !errors.As(err, &c) {
		t.Fatalf("error = %v, want a conflict", err)
	}
	return *c
}
