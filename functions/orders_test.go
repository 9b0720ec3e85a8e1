package functions_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// An explorer runs actors in every order of their steps. It must run inside a synctest bubble: that is how it knows that every
// actor has come to its next step, has ended, or sleeps.
type explorer struct {
	mu      sync.Mutex
	waiting []*step
	running int

	// The schedule is the choice made at each point of the run; options is how many there were. The next run differs in the last
	// choice that still can: depth first through all of them.
	schedule, options []int
	depth             int
	history           []string
}

type step struct {
	actor, name string
	release     chan struct{}
}

type actorKey struct{}

// step is where an actor waits for its turn. It is the Before of the memory stores and stands before each post.
func (e *explorer) step(ctx context.Context, name string) error {
	actor, ok := ctx.Value(actorKey{}).(string)
	if !ok {
		return nil // preparation and the final look, outside the schedule
	}
	s := &step{actor: actor, name: name, release: make(chan struct{})}
	e.mu.Lock()
	e.waiting = append(e.waiting, s)
	e.mu.Unlock()
	<-s.release
	return nil
}

// run runs the actors once, in the order of the present schedule.
func (e *explorer) run(ctx context.Context, actors map[string]func(context.Context)) {
	e.depth, e.history, e.running = 0, nil, len(actors)
	for name, actor := range actors {
		go func() {
			actor(context.WithValue(ctx, actorKey{}, name))
			e.mu.Lock()
			e.running--
			e.mu.Unlock()
		}()
	}
	for e.turn() {
	}
}

// turn lets one waiting actor make its step. It returns false when all have ended.
func (e *explorer) turn() bool {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		if e.running > 0 { // all that still run are asleep
			e.mu.Unlock()
			time.Sleep(time.Millisecond)
			e.mu.Lock()
		}
		return e.running > 0
	}
	slices.SortFunc(e.waiting, func(a, b *step) int { return strings.Compare(a.actor+a.name, b.actor+b.name) })
	if e.depth == len(e.schedule) {
		e.schedule, e.options = append(e.schedule, 0), append(e.options, len(e.waiting))
	}
	next := e.schedule[e.depth]
	e.depth++
	s := e.waiting[next]
	e.waiting = slices.Delete(e.waiting, next, next+1)
	e.history = append(e.history, s.actor+": "+s.name)
	close(s.release)
	return true
}

// next moves on to the next schedule. It returns false when there is none.
func (e *explorer) next() bool {
	for len(e.schedule) > 0 {
		last := len(e.schedule) - 1
		e.schedule[last]++
		if e.schedule[last] < e.options[last] {
			return true
		}
		e.schedule, e.options = e.schedule[:last], e.options[:last]
	}
	return false
}

// explore runs every order. world makes a fresh set of actors and the check that holds after them. It returns how many orders
// there were, and the first that broke the check.
func explore(ctx context.Context, world func(e *explorer) (actors map[string]func(context.Context), check func() error)) (orders int, broken error) {
	e := &explorer{}
	for {
		actors, check := world(e)
		e.run(ctx, actors)
		orders++
		if err := check(); err != nil && broken == nil {
			broken = fmt.Errorf("%w, in the order\n\t%s", err, strings.Join(e.history, "\n\t"))
		}
		if !e.next() {
			return orders, broken
		}
	}
}
