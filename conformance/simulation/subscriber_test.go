package simulation_test

import (
	"time"

	"github.com/purposepath/realtime/shared/event"
)

// A subscriber is the application: each event of its tenant once, in order, from where it loaded its state.
type subscriber struct {
	c      *client
	loaded bool
	last   int64
}

func (s *subscriber) resync(sequence int64, why string) {
	w := s.c.w
	if s.loaded && sequence < s.last {
		w.fail("%s loads its state at %d, and was shown %d before", s.c.name, sequence, s.last)
	}
	if l := w.truth.tenants[s.c.tenantID]; why == notRecovered && w.truth.kept(l, s.last, sequence, time.Now().Add(-10*time.Second)) {
		w.fail("%s loads its state at %+d, and all from %+d on could be had", s.c.name, sequence-l.first, s.last-l.first)
	}
	s.loaded, s.last = true, sequence
}

func (s *subscriber) deliver(e event.Envelope) {
	w := s.c.w
	l := w.truth.tenants[e.TenantID]
	switch {
	case e.TenantID != s.c.tenantID:
		w.fail("%s of %s was shown %s of %s", s.c.name, s.c.tenantID, e.EventID, e.TenantID)
	case !s.loaded:
		w.fail("%s was shown %s before it loaded its state", s.c.name, e.EventID)
	case e.Sequence != s.last+1:
		w.fail("%s was shown number %d after %d", s.c.name, e.Sequence, s.last)
	case l == nil || l.number[e.EventID] != e.Sequence:
		w.fail("%s was shown %s as number %d, which is not its own", s.c.name, e.EventID, e.Sequence)
	}
	s.last = e.Sequence
	w.counts.delivered++
}
