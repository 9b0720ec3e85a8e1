package conformance_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAnEventReachesEveryConnectionOfItsTenantAndNoOther(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	ana, bob, foreign := newClient(t, stack, tenant, "ana", "[]"), newClient(t, stack, tenant, "bob", `["batch"]`), newClient(t, stack, tenant+"-rival", "ana", "[]")
	anaSocket, bobSocket, foreignSocket := ana.connect(), bob.connect(), foreign.connect()
	domain := newService(t, stack)
	domain.put(tenant, "ours")
	domain.put(tenant+"-rival", "theirs")
	ana.until(anaSocket, 1)
	bob.until(bobSocket, 1)
	foreign.until(foreignSocket, 1)

	got := ana.events[0]
	if got.Type != "goal.resumed" || got.EventID != "ours" || got.TenantID != tenant || got.CorrelationID != "call of ours" || got.Sequence == 0 {
		t.Errorf("envelope = %+v", got)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", got.Timestamp); err != nil || time.Since(at) > time.Hour {
		t.Errorf("timestamp = %q, %v", got.Timestamp, err)
	}
	if diff := cmp.Diff(got, bob.events[0], cmpopts.IgnoreUnexported(message{})); diff != "" {
		t.Errorf("two connections got different events:\n%s", diff)
	}
	if foreign.events[0].EventID != "theirs" {
		t.Errorf("the rival got %q", foreign.events[0].EventID)
	}
}

func TestABurstForOneTenantArrivesInOrderWithoutARetry(t *testing.T) {
	t.Parallel()
	const count = 200
	tenant := tenantOf(t)
	plain, batched := newClient(t, stack, tenant, "ana", "[]"), newClient(t, stack, tenant, "bob", `["batch"]`)
	plainSocket, batchedSocket := plain.connect(), batched.connect()
	ids := names("burst", count)
	newService(t, stack).put(tenant, ids...)
	plain.until(plainSocket, count)
	batched.until(batchedSocket, count)
	for name, c := range map[string]*client{"plain": plain, "batched": batched} {
		inOrder(t, name, c)
		// EventBridge promises no order between events: that of the numbers is the order, and all are there.
		if diff := cmp.Diff(ids, slices.Sorted(slices.Values(c.ids()))); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", name, diff)
		}
		if c.repeats > 0 {
			t.Errorf("%s: %d events came twice", name, c.repeats)
		}
	}
	if batched.batches == 0 {
		t.Error("no batch frame in a burst of 200")
	}
	for _, line := range stack.LinesWith("not delivered", tenant) {
		t.Errorf("a retry: %s", line)
	}
}

// inOrder checks that the numbers of the events are contiguous.
func inOrder(t *testing.T, name string, c *client) {
	t.Helper()
	for i, m := range c.events {
		if want := c.events[0].Sequence + int64(i); m.Sequence != want {
			t.Fatalf("%s: event %d has number %d, want %d", name, i, m.Sequence, want)
		}
	}
}

func TestTheSameEventThreeTimesArrivesOnce(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	domain := newService(t, stack)
	domain.put(tenant, "same", "same")
	c.until(s, 1)
	domain.put(tenant, "same", "other")
	c.until(s, 2)
	if diff := cmp.Diff([]string{"same", "other"}, c.ids()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	inOrder(t, "client", c)
}

func TestAClientThatDropsTenTimesHasEveryEventInOrder(t *testing.T) {
	t.Parallel()
	const count, drops = 1000, 10
	tenant := tenantOf(t)
	w := &edgeWorld{stack: stack, tenant: tenant, client: newClient(t, stack, tenant, "ana", `["batch"]`)}
	w.socket = w.client.connect()
	watcher := newClient(t, stack, tenant, "watcher", "[]").connect()
	ids := names("steady", count)
	var putting sync.WaitGroup
	putting.Go(func() {
		domain := newService(t, stack)
		ticker := time.NewTicker(25 * time.Millisecond)
		defer ticker.Stop()
		for i := 0; i < count; i += 5 {
			<-ticker.C
			domain.put(tenant, ids[i:i+5]...)
		}
	})
	defer putting.Wait()
	first := w.client.position
	for drop := 1; drop <= drops; drop++ {
		for len(w.client.events) < drop*count/(drops+2) {
			w.receive()
		}
		_ = w.socket.conn.CloseNow() // as a lost network does: no close frame
		// Away until more has happened than the client knows of.
		for head := int64(0); head < min(w.client.position+3, first+count); {
			watcher.send(`{"action":"ping"}`)
			head = watcher.nextOf("pong").answer(t).Sequence
		}
		w.socket = w.client.connect()
	}
	w.until(t, ids...)
	inOrder(t, "client", w.client)
	if len(w.client.events) != count || w.client.lost {
		t.Errorf("%d events, lost %v", len(w.client.events), w.client.lost)
	}
}

func TestALongAbsenceIsReplayedInPages(t *testing.T) {
	t.Parallel()
	const count = 250
	for name, accepts := range map[string]string{"one event a frame": "[]", "batches": `["batch"]`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := tenantOf(t)
			c, watcher := newClient(t, stack, tenant, "ana", accepts), newClient(t, stack, tenant, "watcher", "[]")
			s := c.connect()
			w := watcher.connect()
			_ = s.conn.CloseNow()
			ids := names("missed", count)
			newService(t, stack).put(tenant, ids...)
			watcher.until(w, count)
			s = c.connect()
			c.until(s, count)
			if diff := cmp.Diff(watcher.ids(), c.ids()); diff != "" {
				t.Errorf("events (-watched +replayed):\n%s", diff)
			}
			if c.pages < 2 || c.lost {
				t.Errorf("%d pages with more, lost %v; want 2 or more of 100 events", c.pages, c.lost)
			}
			if (c.batches > 0) != (accepts != "[]") {
				t.Errorf("%d batch frames", c.batches)
			}
		})
	}
}

func TestAPositionThatCanNotBeHadIsNotRecoveredAndNothingIsReplayed(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	newService(t, stack).put(tenant, "e1", "e2")
	c.until(s, 2)
	head := c.position
	for name, position := range map[string]int64{"older than what is kept": head - 3, "the beginning of time": 0, "from the future": head + 1} {
		s := dial(t, stack.WebSocketURL)
		s.send(`{"action":"auth","token":%q,"lastSequence":%d}`, c.token, position)
		got := s.nextOf("auth.success").answer(t) // a replayed event before it would have another type
		no := false
		want := answer{After: &position, Recovered: &no, Sequence: head}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(answer{}, "TenantID", "UserID", "ConnectionID", "Accepted")); diff != "" {
			t.Errorf("%s: answer (-want +got):\n%s", name, diff)
		}
		s.send(`{"action":"ping","ref":"after"}`)
		if m := s.next(); m.Type != "pong" {
			t.Errorf("%s: %s %s arrived, want nothing but the pong", name, m.Type, m.EventID)
		}
	}
}
