package queue

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/purposepath/realtime/local/internal/template"
)

// TestFIFOProperties drives a FIFO queue with dead letters through arbitrary calls by several consumers and holds it to
// what a FIFO queue promises: never two receivers of one group at a time, the order of a group also across redeliveries,
// nothing lost, nothing given out too often, and everything in the end deleted or a dead letter.
func TestFIFOProperties(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Embedding hides t.Deadline, which may not be called in a bubble.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) { fifoHistory(t, rt) })
	})
}

func ordinal(body string) int {
	n, _ := strconv.Atoi(body[1:])
	return n
}

// held is what a consumer has in its hands.
type held struct {
	delivery
	until time.Time
}

func fifoHistory(t *testing.T, rt *rapid.T) {
	const visibility, most = 10 * time.Second, 3
	def := redriven(fifo("Q"), "Dead", most)
	def.VisibilityTimeout = visibility
	s := open(t, Config{Queues: []template.Queue{def, fifo("Dead")}})
	defer s.Close()
	q, dead := s.byName["Q"], s.byName["Dead"]

	groups := rapid.SampledFrom([]string{"a", "b", "c"})
	var inHand []held
	pending := map[string][]string{} // by group: bodies that are neither deleted nor dead letters, in order
	given := map[string]int{}        // by body: receives
	var gone []string
	dying := map[string][]string{} // by group: bodies that must be dead letters, in order
	sentCount := 0

	holding := func() []held {
		now := time.Now()
		inHand = slices.DeleteFunc(inHand, func(h held) bool { return !h.until.After(now) })
		return inHand
	}
	receive := func(n int) {
		busy := map[string]bool{}
		for _, h := range holding() {
			busy[h.GroupID] = true
		}
		batch, err := q.receive(t.Context(), reception{messages: n, visibility: visibility})
		if err != nil || len(batch) > n {
			rt.Fatalf("receive(%d) gave %d, %v", n, len(batch), err)
		}
		now := time.Now()
		seen := map[string]int{}
		for _, d := range batch {
			if busy[d.GroupID] {
				rt.Fatalf("%s was given out while its group is in flight", d.Body)
			}
			// What the queue skipped must have been received too often.
			for given[pending[d.GroupID][seen[d.GroupID]]] == most {
				body := pending[d.GroupID][seen[d.GroupID]]
				dying[d.GroupID] = append(dying[d.GroupID], body)
				pending[d.GroupID] = slices.Delete(pending[d.GroupID], seen[d.GroupID], seen[d.GroupID]+1)
			}
			if want := pending[d.GroupID][seen[d.GroupID]]; d.Body != want {
				rt.Fatalf("group %s gave %s, want %s", d.GroupID, d.Body, want)
			}
			seen[d.GroupID]++
			given[d.Body]++
			if d.receives != given[d.Body] {
				rt.Fatalf("%s says receive %d, want %d", d.Body, d.receives, given[d.Body])
			}
			inHand = append(inHand, held{d, now.Add(visibility)})
		}
	}
	remove := func(h held) {
		i := slices.Index(pending[h.GroupID], h.Body)
		pending[h.GroupID] = slices.Delete(pending[h.GroupID], i, i+1)
		gone = append(gone, h.Body)
		inHand = slices.DeleteFunc(inHand, func(other held) bool { return other.handle == h.handle })
	}

	rt.Repeat(map[string]func(*rapid.T){
		"send": func(rt *rapid.T) {
			g := groups.Draw(rt, "group")
			body := fmt.Sprintf("%s%d", g, sentCount)
			sentCount++
			s.mustSend(t, "Q", Message{Body: body, GroupID: g})
			pending[g] = append(pending[g], body)
		},
		"receive": func(rt *rapid.T) { receive(rapid.IntRange(1, 10).Draw(rt, "most")) },
		"delete": func(rt *rapid.T) {
			if len(holding()) == 0 {
				rt.Skip()
			}
			h := rapid.SampledFrom(inHand).Draw(rt, "which")
			if err := q.delete(h.handle); err != nil {
				rt.Fatalf("delete %s: %v", h.Body, err)
			}
			remove(h)
		},
		"hide": func(rt *rapid.T) {
			if len(holding()) == 0 {
				rt.Skip()
			}
			i := rapid.IntRange(0, len(inHand)-1).Draw(rt, "which")
			d := time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second
			if err := q.hide(inHand[i].handle, d); err != nil {
				rt.Fatalf("hide %s: %v", inHand[i].Body, err)
			}
			inHand[i].until = time.Now().Add(d)
		},
		"wait": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(1, 12).Draw(rt, "seconds")) * time.Second)
		},
		"": func(rt *rapid.T) {
			visible, hidden, _ := q.counts()
			waits, _, _ := dead.counts()
			if visible+hidden+waits+len(gone) != sentCount {
				rt.Fatalf("%d waiting, %d in flight, %d dead letters, %d deleted; sent %d", visible, hidden, waits, len(gone), sentCount)
			}
			if want := len(holding()); hidden != want {
				rt.Fatalf("%d in flight, want %d", hidden, want)
			}
		},
	})

	// A patient consumer deletes every other message and fails with the rest: all ends in one of two places.
	for round := 0; ; round++ {
		time.Sleep(25 * time.Second)
		receive(10)
		if visible, hidden, _ := q.counts(); visible+hidden == 0 {
			break
		}
		if round > 100*sentCount {
			rt.Fatalf("the queue does not run dry")
		}
		for i, h := range slices.Clone(inHand) {
			if i%2 == 0 {
				if err := q.delete(h.handle); err != nil {
					rt.Fatal(err)
				}
				remove(h)
			}
		}
	}
	for g, rest := range pending {
		dying[g] = append(dying[g], rest...)
	}
	buried := map[string][]string{}
	for batch := s.receiveNow(t, "Dead"); len(batch) > 0; batch = s.receiveNow(t, "Dead") {
		for _, d := range batch {
			if given[d.Body] != most {
				rt.Fatalf("%s is a dead letter after %d receives, want %d", d.Body, given[d.Body], most)
			}
			buried[d.GroupID] = append(buried[d.GroupID], d.Body)
			if err := dead.delete(d.handle); err != nil {
				rt.Fatal(err)
			}
		}
	}
	for _, g := range []string{"a", "b", "c"} {
		want := slices.SortedFunc(slices.Values(dying[g]), func(x, y string) int { return ordinal(x) - ordinal(y) })
		if !slices.Equal(buried[g], want) {
			rt.Fatalf("dead letters of %s: %v, want %v: all, in order", g, buried[g], want)
		}
	}
	if len(q.groups) != 0 || len(q.byID) != 0 || q.bytes != 0 || q.inFlight != 0 || len(q.due) != 0 || q.ready.Len() != 0 {
		rt.Fatalf("the empty queue still holds %d groups, %d messages, %d bytes", len(q.groups), len(q.byID), q.bytes)
	}
}
