package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// pageTimeout bounds the work on one page, which an interruption does not cut short. Far below visibility.
	pageTimeout = time.Minute
	// releaseTimeout bounds making everything visible again in the end.
	releaseTimeout = 2 * time.Minute
	// maxHeld is how many letters are held back at a time: SQS hides 120,000 of a queue. Source: SQS quotas, "In-flight messages".
	maxHeld = 100_000
	// maxStalePages ends a walk that is given only what it has seen: its letters' time ran out, and they come round again.
	maxStalePages = 3
)

// errInterrupted: the operator ended the program.
var errInterrupted = errors.New("interrupted: what was not sent is in its queue as before; run it again to go on")

// A source gives letters, a page at a time; box is the real one.
type source interface {
	receive(context.Context) ([]letter, error)
	remove(context.Context, []letter) (failed map[string]error, err error)
	release(ctx context.Context, receipts []string) error
}

// An outlet takes parcels, at most a page of them, and says for each why it was not accepted.
type outlet interface {
	send(context.Context, []parcel) []error
}

// A verdict is what becomes of a letter.
type verdict int

const (
	ready   verdict = iota // can be sent, and this is a dry run
	stays                  // can't be sent as it is
	sent                   // accepted and deleted
	dropped                // deleted, because the operator said so
	failed                 // should have been sent or deleted
	verdicts
)

// A session is one run of the program over both queues.
type session struct {
	choice  choice
	plan    plan
	sending bool
	takes   func(context.Context, busEvent) error // is nil if the bus has a rule for it
	bus     outlet
	tenants outlet
	show    func(l letter, what string) error

	planned map[string]bool // events of this run: what comes back at once must not go round for ever
	found   map[string]bool // letters that the operator named
	tally   [verdicts]int
}

func (s *session) shown() (n int) {
	for _, count := range s.tally {
		n += count
	}
	return n
}

// done says that nothing more is wanted.
func (s *session) done() bool {
	return s.choice.limit > 0 && s.shown() >= s.choice.limit || len(s.choice.ids) > 0 && len(s.found) == len(s.choice.ids)
}

// walk goes through one queue. Whatever it does not delete is visible again when it returns, except where the second error says so.
//
// Each page is finished before the next one is received, also after an interruption, so that a letter is gone only if its event was
// accepted. It returns how many different letters it received.
func (s *session) walk(ctx context.Context, from source) (seen int, err error) {
	known, held := map[string]bool{}, map[string]string{} // held: receipts by letter
	defer func() { err = errors.Join(err, release(context.WithoutCancel(ctx), from, held)) }()
	for stale := 0; stale < maxStalePages && len(held) < maxHeld && !s.done(); {
		page, err := from.receive(ctx)
		if ctx.Err() != nil {
			for _, l := range page {
				held[l.id] = l.receipt
			}
			return len(known), errInterrupted
		}
		if err != nil || len(page) == 0 {
			return len(known), err
		}
		stale++
		var picked []letter
		for _, l := range page {
			held[l.id] = l.receipt
			if !known[l.id] {
				known[l.id], stale = true, 0
				if s.choice.takes(l, s.plan.now()) {
					picked = append(picked, l)
				}
			}
		}
		if room := s.choice.limit - s.shown(); s.choice.limit > 0 && len(picked) > room {
			picked = picked[:room]
		}
		if err := s.page(ctx, from, picked, held); err != nil {
			return len(known), err
		}
	}
	return len(known), nil
}

// release makes letters visible again.
func release(ctx context.Context, to source, held map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	receipts := make([]string, 0, len(held))
	for _, receipt := range held {
		receipts = append(receipts, receipt)
	}
	for page := range slices.Chunk(receipts, pageSize) {
		if err := to.release(ctx, page); err != nil {
			return fmt.Errorf("%w (they come back by themselves within %s)", err, brief(visibility))
		}
	}
	return nil
}

// A step is what is to be done with a letter, and then what was done.
type step struct {
	letter  letter
	parcel  parcel
	verdict verdict
	what    string
}

// page decides, acts, and shows what became of each letter. The error says that going on has no sense.
func (s *session) page(ctx context.Context, from source, letters []letter, held map[string]string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageTimeout)
	defer cancel()
	steps := make([]*step, len(letters))
	for i, l := range letters {
		if len(s.choice.ids) > 0 {
			s.found[l.id] = true
		}
		steps[i] = &step{letter: l}
		if err := s.decide(ctx, steps[i]); err != nil {
			return err
		}
	}
	err := s.act(ctx, from, steps, held)
	for _, st := range steps {
		s.tally[st.verdict]++
		err = errors.Join(err, s.show(st.letter, st.what))
	}
	return err
}

func (s *session) decide(ctx context.Context, st *step) error {
	if s.choice.drop {
		st.verdict, st.what = dropped, "dropped"
		return nil
	}
	p, err := s.plan.parcel(st.letter)
	if err == nil && s.planned[p.key] {
		err = errors.New("this event was sent a moment ago, from another letter or from this one that came back: see what became of it")
	}
	if err == nil && p.bus != nil {
		if err = s.takes(ctx, *p.bus); errors.Is(err, errBus) {
			return err
		}
	}
	if err != nil {
		st.verdict, st.what = stays, "stays: "+why(err, st.letter.reason)
		return nil
	}
	s.planned[p.key] = true
	st.parcel, st.verdict = p, ready
	to := "tenant queue"
	if p.bus != nil {
		to = "bus"
	}
	st.what = "would go to the " + to + because(st.letter)
	return nil
}

// act sends what is ready, and deletes what was accepted or is to be dropped.
func (s *session) act(ctx context.Context, from source, steps []*step, held map[string]string) error {
	var stop error
	if s.sending {
		for _, way := range []struct {
			to   outlet
			mine func(parcel) bool
		}{
			{s.bus, func(p parcel) bool { return p.bus != nil }},
			{s.tenants, func(p parcel) bool { return p.queued != nil }},
		} {
			stop = errors.Join(stop, send(ctx, way.to, steps, way.mine))
		}
	}
	var gone []*step
	var letters []letter
	for _, st := range steps {
		if st.verdict == sent || st.verdict == dropped {
			gone, letters = append(gone, st), append(letters, st.letter)
		}
	}
	if len(gone) == 0 {
		return stop
	}
	notDeleted, err := from.remove(ctx, letters)
	for _, st := range gone {
		why := err
		if why == nil {
			why = notDeleted[st.letter.id]
		}
		if why == nil {
			delete(held, st.letter.id)
			continue
		}
		done := "dropped"
		if st.verdict == sent {
			done = "sent (a second time does no harm)"
		}
		st.verdict, st.what = failed, fmt.Sprintf("%s, but not deleted: %v", done, why)
	}
	return errors.Join(stop, err)
}

// send sends the ready ones of one way. The error is that of a call that did not get through: the next one would not either.
func send(ctx context.Context, to outlet, steps []*step, mine func(parcel) bool) error {
	var chosen []*step
	var parcels []parcel
	for _, st := range steps {
		if st.verdict == ready && mine(st.parcel) {
			chosen, parcels = append(chosen, st), append(parcels, st.parcel)
		}
	}
	if len(parcels) == 0 {
		return nil
	}
	var stop error
	for i, err := range to.send(ctx, parcels) {
		if err == nil {
			chosen[i].verdict, chosen[i].what = sent, "sent"
			continue
		}
		chosen[i].verdict, chosen[i].what = failed, "not sent: "+err.Error()
		if errors.Is(err, errCall) {
			stop = err
		}
	}
	return stop
}
