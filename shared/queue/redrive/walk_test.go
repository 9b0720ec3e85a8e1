package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var errFault = errors.New("the line broke")

// A fault strikes one call of a memory.
type fault int

const (
	noFault     fault = iota
	beforeCall        // the call does nothing
	afterCall         // the call is done, its answer is lost
	interrupted       // the operator presses Ctrl-C during it
)

// A memory is a dead-letter queue and both ways out of it. The real ones are tested in conformance/; this one can fail at every call.
type memory struct {
	t       *testing.T
	fifo    bool
	faultAt int // which call, from 1
	fault   fault
	stop    context.CancelFunc
	bounce  bool // what is sent comes back at once as another letter
	forget  bool // nothing stays hidden

	mu       sync.Mutex
	calls    int
	letters  []letter
	hidden   map[string]string // receipt by letter
	accepted map[string]int    // by event
	receipts int
	received int
}

// call is one call of AWS.
func (m *memory) call(ctx context.Context, do func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.calls++
	if m.calls == m.faultAt {
		switch m.fault {
		case beforeCall:
			return errFault
		case afterCall:
			do()
			return errFault
		case interrupted:
			m.stop()
		}
	}
	do()
	return nil
}

func (m *memory) receive(ctx context.Context) (page []letter, err error) {
	err = m.call(ctx, func() {
		blocked := map[string]bool{}
		for _, l := range m.letters {
			if _, hidden := m.hidden[l.id]; hidden && m.fifo {
				blocked[l.group] = true
			}
		}
		for _, l := range m.letters {
			if _, hidden := m.hidden[l.id]; hidden || blocked[l.group] || len(page) == pageSize {
				continue
			}
			m.receipts++
			l.receipt = fmt.Sprint(m.receipts)
			if !m.forget {
				m.hidden[l.id] = l.receipt
			}
			page = append(page, l)
		}
		m.received += len(page)
	})
	if err != nil {
		return nil, err
	}
	return page, ctx.Err()
}

func (m *memory) remove(ctx context.Context, letters []letter) (map[string]error, error) {
	err := m.call(ctx, func() {
		for _, l := range letters {
			p, err := newPlan().parcel(l)
			if err != nil || m.accepted[p.key] == 0 {
				m.t.Errorf("letter %s is deleted and was not accepted: %v", l.id, err)
			}
			m.letters = slices.DeleteFunc(m.letters, func(other letter) bool { return other.id == l.id && m.hidden[l.id] == l.receipt })
			delete(m.hidden, l.id)
		}
	})
	return nil, err
}

func (m *memory) release(ctx context.Context, receipts []string) error {
	return m.call(ctx, func() {
		for id, receipt := range m.hidden {
			if slices.Contains(receipts, receipt) {
				delete(m.hidden, id)
			}
		}
	})
}

func (m *memory) send(ctx context.Context, parcels []parcel) []error {
	err := m.call(ctx, func() {
		for _, p := range parcels {
			m.accepted[p.key]++
			if m.bounce {
				i := slices.IndexFunc(m.letters, func(l letter) bool { return l.id == p.letterID })
				back := m.letters[i]
				back.id += "-again"
				m.letters = append(m.letters, back)
			}
		}
	})
	results := make([]error, len(parcels))
	for i := range results {
		if err != nil {
			results[i] = fmt.Errorf("%w: %w", errCall, err)
		}
	}
	return results
}

// wait lets the time pass after which everything is visible again.
func (m *memory) wait() { clear(m.hidden) }

func (m *memory) session(sending bool) *session {
	return &session{
		choice: choice{}, sending: sending, plan: newPlan(), bus: m, tenants: m,
		takes: func(context.Context, busEvent) error { return nil }, show: func(letter, string) error { return nil },
		planned: map[string]bool{}, found: map[string]bool{},
	}
}

// newMemory has 23 letters that can be sent and two that can't.
func newMemory(t *testing.T, fifo bool) *memory {
	m := &memory{t: t, fifo: fifo, hidden: map[string]string{}, accepted: map[string]int{}, stop: func() {}}
	for i := range 25 {
		var l letter
		switch {
		case i == 7 || i == 18:
			l = aged(refused(badDetail), time.Hour)
		case i%5 == 0:
			l = read(message(queuedText(t, "acme", fmt.Sprint("q-", i), now), "reason", "not_storable", "refusedBy", "pusher"))
		default:
			l = aged(refused(strings.Replace(goodDetail, "{", fmt.Sprintf(`{"eventId":"e-%d",`, i), 1)), time.Hour)
		}
		l.id = fmt.Sprint("letter-", i)
		if fifo {
			l.group = fmt.Sprint("tenant-", i%2)
		}
		m.letters = append(m.letters, l)
	}
	return m
}

// finish runs without a fault until nothing more can be sent, and checks that every event arrived and nothing else is gone.
func finish(t *testing.T, m *memory) {
	t.Helper()
	m.faultAt = 0
	for before := -1; before != len(m.letters); {
		before = len(m.letters)
		m.wait()
		if _, err := m.session(true).walk(t.Context(), m); err != nil {
			t.Fatalf("the next run: %v", err)
		}
	}
	if len(m.letters) != 2 || len(m.accepted) != 23 || len(m.hidden) != 0 {
		t.Errorf("%d letters stay, %d events accepted, %d letters hidden; want 2, 23, 0", len(m.letters), len(m.accepted), len(m.hidden))
	}
}

func TestNothingIsLostWhereverItEnds(t *testing.T) {
	t.Parallel()
	runs := 0
	for _, fifo := range []bool{false, true} {
		for _, f := range []fault{noFault, beforeCall, afterCall, interrupted} {
			for at := 1; ; at++ {
				m := newMemory(t, fifo)
				ctx, stop := context.WithCancel(t.Context())
				m.faultAt, m.fault, m.stop = at, f, stop
				_, err := m.session(true).walk(ctx, m)
				stop()
				runs++
				if f == noFault && err != nil {
					t.Fatal(err)
				}
				struck := m.calls >= at
				if struck && (f == beforeCall || f == afterCall) && !errors.Is(err, errFault) {
					t.Errorf("fault at call %d: walk = %v", at, err)
				}
				if f == interrupted && len(m.letters)+len(m.accepted) != 25 {
					t.Errorf("interrupted at call %d: %d events accepted, %d of 25 letters left: a page was not finished", at, len(m.accepted), len(m.letters))
				}
				finish(t, m)
				if !struck || f == noFault {
					break
				}
			}
		}
	}
	t.Logf("%d runs", runs)
}

func TestALookChangesNothing(t *testing.T) {
	t.Parallel()
	for _, fifo := range []bool{false, true} {
		m := newMemory(t, fifo)
		s := m.session(false)
		seen, err := s.walk(t.Context(), m)
		if err != nil || len(m.letters) != 25 || len(m.hidden) != 0 || len(m.accepted) != 0 {
			t.Errorf("%v; %d letters, %d hidden, %d accepted", err, len(m.letters), len(m.hidden), len(m.accepted))
		}
		want, tally := 25, [verdicts]int{ready: 23, stays: 2}
		if fifo { // nothing more of a group is given while some of it is hidden
			want, tally = pageSize, [verdicts]int{ready: 9, stays: 1}
		}
		if seen != want || m.received != want || s.tally != tally {
			t.Errorf("fifo %v: saw %d, received %d, tally %v", fifo, seen, m.received, s.tally)
		}
	}
}

func TestTwoOperatorsAtOnceSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	m := newMemory(t, false)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := m.session(true).walk(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for event, times := range m.accepted {
		if times != 1 {
			t.Errorf("%s was sent %d times", event, times)
		}
	}
	finish(t, m)
}

func TestWhatComesBackAtOnceDoesNotGoRound(t *testing.T) {
	t.Parallel()
	m := newMemory(t, false)
	m.bounce = true
	s := m.session(true)
	if _, err := s.walk(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if s.tally != [verdicts]int{sent: 23, stays: 25} || len(m.letters) != 25 {
		t.Errorf("tally %v, %d letters", s.tally, len(m.letters))
	}
}

func TestLettersThatDoNotStayHiddenDoNotGoRound(t *testing.T) {
	t.Parallel()
	m := newMemory(t, false)
	m.forget = true
	s := m.session(false)
	if seen, err := s.walk(t.Context(), m); err != nil || seen != 10 || s.shown() != 10 {
		t.Errorf("saw %d, showed %d, %v", seen, s.shown(), err)
	}
}

func TestTheChoice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		choice choice
		want   int
	}{
		{"all", choice{}, 25},
		{"a limit within a page", choice{limit: 13}, 13},
		{"a reason", choice{reason: "NOT_storable"}, 5},
		{"a type, in another spelling", choice{eventType: "goal-resumed"}, 25},
		{"another type", choice{eventType: "goal.created"}, 0},
		{"a tenant", choice{tenantID: "acme"}, 25},
		{"another tenant", choice{tenantID: "rival"}, 0},
		{"old ones", choice{olderThan: time.Hour}, 25},
		{"older ones", choice{olderThan: 61 * time.Minute}, 0},
		{"two by their ids", choice{ids: []string{"letter-3", "letter-24"}}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(t, false)
			s := m.session(false)
			s.choice = tt.choice
			if _, err := s.walk(t.Context(), m); err != nil || s.shown() != tt.want {
				t.Errorf("%d letters, %v; want %d", s.shown(), err, tt.want)
			}
			if len(s.found) != len(tt.choice.ids) || s.missing() != nil {
				t.Errorf("found %v", s.found)
			}
		})
	}
}

func TestAReaderThatIsGoneLeavesNothingHidden(t *testing.T) {
	t.Parallel()
	m := newMemory(t, false)
	s := m.session(false)
	s.show = func(letter, string) error { return io.ErrClosedPipe } // redrive | head
	if _, err := s.walk(t.Context(), m); !errors.Is(err, io.ErrClosedPipe) || len(m.hidden) != 0 {
		t.Errorf("walk = %v, %d hidden", err, len(m.hidden))
	}
}
