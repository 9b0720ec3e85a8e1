// Package simulation_test shows by random search that no event is lost, doubled, reordered or shown to another tenant: the real
// handlers, stores and push over simulated services, with every fault these are known for, from one seed.
//
// A seed decides everything: what the clients do, which faults strike, how long each call takes and who goes first. The invariants
// (truth_test.go, run_test.go, subscriber_test.go) are held in the step that could break them. A seed that breaks one is run
// again with its history, shrunk to the fewest clients, events, actions and faults that still break something, and printed with the
// flags that replay it.
package simulation_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds = flag.Int("seeds", 150, "how many seeds TestSimulation runs")
	from  = flag.Uint64("from", 1, "the first of them")
	seed  = flag.Uint64("seed", 0, "one seed for TestSeed to replay, with its history")
	just  = flag.String("only", "", "the choices of that seed that take part, as a shrunk run prints them (file:NAME reads them from a file)")
	mute  = flag.Bool("count-failures", false, "TestSimulation prints how many seeds fail and the first of them, and shrinks nothing")
)

// A failure is a seed that broke an invariant.
type failure struct {
	seed uint64
	outcome
}

// inBubble runs one seed.
func inBubble(t *testing.T, seed uint64, only map[string]bool, record bool) (o outcome) {
	synctest.Test(t, func(*testing.T) { o = run(seed, only, record) })
	return o
}

// search runs seeds on every core. It stops early when there are enough failures.
func search(t *testing.T, first uint64, n, enough int) (counts, []failure) {
	var mu sync.Mutex
	total, failures := newCounts(), []failure{}
	next := first
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next-1 < first+uint64(n) && len(failures) < enough
	}
	t.Run("search", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("core", i), func(t *testing.T) {
				t.Parallel()
				for {
					seed, ok := take()
					if !ok {
						return
					}
					o := inBubble(t, seed, nil, false)
					mu.Lock()
					total.add(o.counts)
					if o.broken != nil {
						failures = append(failures, failure{seed, o})
					}
					mu.Unlock()
				}
			})
		}
	})
	slices.SortFunc(failures, func(a, b failure) int { return int(int64(a.seed - b.seed)) })
	return total, failures
}

func TestSimulation(t *testing.T) {
	if *mute {
		total, failures := search(t, *from, *seeds, *seeds)
		for _, f := range failures[:min(1, len(failures))] {
			fmt.Printf("first: seed %d: %v\n", f.seed, f.broken)
		}
		fmt.Printf("failures: %d of %d\n", len(failures), total.seeds)
		return
	}
	began := time.Now()
	total, failures := search(t, *from, *seeds, 1)
	t.Logf("%v\n%s", time.Since(began).Round(time.Second), total)
	if len(failures) > 0 {
		explain(t, failures[0])
		return
	}
	const many, verySeldom = 100, 1000 // seeds, from which on every kind of fault and deed must have occurred, and every figure
	if total.seeds < many {
		return
	}
	for kind := range faultKinds() {
		if total.faults[kind] == 0 {
			t.Errorf("in %d seeds there was never: %s", total.seeds, kind)
		}
	}
	for deed := range deeds() {
		if total.deeds[deed] == 0 {
			t.Errorf("in %d seeds no client ever %s", total.seeds, deed)
		}
	}
	for name, n := range total.table() {
		if n == 0 && total.seeds >= verySeldom {
			t.Errorf("in %d seeds there was never: %s", total.seeds, name)
		}
	}
}

// TestSeed replays one seed.
func TestSeed(t *testing.T) {
	if *seed == 0 {
		t.Skip("replays a seed: -seed N, and -only for a shrunk one")
	}
	var only map[string]bool
	if *just != "" {
		list := *just
		if name, ok := strings.CutPrefix(list, "file:"); ok {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			list = strings.TrimSpace(string(data))
		}
		only = map[string]bool{}
		for choice := range strings.SplitSeq(list, "|") {
			only[choice] = true
		}
	}
	o := inBubble(t, *seed, only, true)
	t.Logf("seed %d\n%s", *seed, strings.Join(o.history, "\n"))
	if o.broken != nil {
		t.Error(o.broken)
	}
}

// TestASeedIsOneHistory holds the simulation to its own promise.
func TestASeedIsOneHistory(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 12; seed++ {
		first := inBubble(t, seed, nil, true)
		for range 2 {
			again := inBubble(t, seed, nil, true)
			if err := sameHistory(first.history, again.history); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

func sameHistory(a, b []string) error {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("line %d:\n%s\n%s", i, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		return errors.New("one history is longer")
	}
	return nil
}

// explain shrinks a failing seed and prints what is left of it.
func explain(t *testing.T, f failure) {
	kept := shrink(f.choices, func(only map[string]bool) bool { return inBubble(t, f.seed, only, false).broken != nil })
	only := map[string]bool{}
	for _, choice := range kept {
		only[choice] = true
	}
	o := inBubble(t, f.seed, only, true)
	t.Errorf("seed %d: %v\nshrunk from %d choices to %d: %v\n%s\n\nreplay the seed:\n  go test ./conformance/simulation -run TestSeed -v -seed %d\nand the shrunk one:\n"+
		"  go test ./conformance/simulation -run TestSeed -v -seed %d -only '%s'",
		f.seed, f.broken, len(f.choices), len(kept), o.broken, strings.Join(o.history, "\n"), f.seed, f.seed, strings.Join(kept, "|"))
}

// shrink leaves out choices as long as the run still fails: whole kinds first, then ever smaller parts.
func shrink(choices []string, fails func(map[string]bool) bool) []string {
	kept := slices.Compact(slices.Sorted(slices.Values(choices)))
	try := func(candidate []string) bool {
		only := map[string]bool{}
		for _, choice := range candidate {
			only[choice] = true
		}
		if !fails(only) {
			return false
		}
		kept = candidate
		return true
	}
	kinds := map[string]bool{}
	for _, choice := range kept {
		kind, _, _ := strings.Cut(choice, " @ ")
		kinds[kind] = true
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		try(slices.DeleteFunc(slices.Clone(kept), func(choice string) bool { return strings.HasPrefix(choice, kind) }))
	}
	for size := max(1, len(kept)/2); ; size /= 2 {
		for i := 0; i < len(kept); {
			if !try(slices.Delete(slices.Clone(kept), i, min(i+size, len(kept)))) {
				i += size
			}
		}
		if size <= 1 {
			return kept
		}
	}
}

func TestShrink(t *testing.T) {
	t.Parallel()
	all := []string{}
	for i := range 50 {
		all = append(all, fmt.Sprintf("fault %d @ %d", i%5, i))
	}
	runs := 0
	kept := shrink(all, func(only map[string]bool) bool {
		runs++
		return only[all[7]] && only[all[31]]
	})
	if len(kept) != 2 || !slices.Contains(kept, all[7]) || !slices.Contains(kept, all[31]) {
		t.Errorf("kept %q, want the two that matter", kept)
	}
	if runs > 60 {
		t.Errorf("%d runs", runs)
	}
}
