package simulation_test

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
)

// A world is one run: the real handlers over simulated services, and their clients. It lives in a synctest bubble, whose clock is the
// virtual time.
//
// One goroutine is at work at a time. A function's call of a service is a turn: it waits for its latency and then for the scheduler, acts,
// and runs on to its next call. Everything else (frames that arrive, timers of clients, the queue's poller) is an appointment that the
// scheduler keeps itself. So everything but the handlers' own goroutines between two calls has one order, which the seed alone decides.
type world struct {
	chance     chance
	only       map[string]bool // the choices that take part, nil for all
	rates      map[string]float64
	quiet      bool // no more faults
	quietSince time.Time
	began      time.Time
	choices    []string // those that took part
	counts     counts
	broken     error // the first invariant that did not hold

	recording bool
	history   []string

	mu     sync.Mutex
	ready  []*turn
	wake   chan struct{} // something became ready
	agenda agenda
	kept   int           // appointments made so far
	steps  atomic.Uint64 // turns and appointments so far
	alive  int           // functions that have not returned

	scenario scenario
	truth    truth
	tables   *tables
	gateway  *gateway
	queue    *tenantQueue
	bus      *bus
	lambda   *lambda
	clients  []*client
}

// A turn is a goroutine that waits to go on.
type turn struct {
	key     string
	release chan struct{}
}

// await lets a function wait until d has passed and it is its turn. The error is the context's; a function that was killed gets one for
// everything it tries, so that it unwinds without effect.
func (w *world) await(ctx context.Context, key string, d time.Duration) error {
	inv := invocationOf(ctx)
	timer := time.NewTimer(d)
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-inv.dead:
	}
	timer.Stop()
	t := &turn{key: key, release: make(chan struct{})}
	w.mu.Lock()
	w.ready = append(w.ready, t)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	<-t.release
	if inv.killed {
		return errKilled
	}
	return ctx.Err()
}

// An appointment is something that happens at a time.
type appointment struct {
	at    time.Time
	order int
	do    func()
}

type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].order, a[j].order)) < 0
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return x
}

// after makes an appointment.
func (w *world) after(d time.Duration, do func()) {
	w.kept++
	heap.Push(&w.agenda, appointment{time.Now().Add(d), w.kept, do})
}

// runUntil is the scheduler: it gives turns and keeps appointments until the time has come, or an invariant is broken.
func (w *world) runUntil(end time.Time) {
	for w.broken == nil {
		synctest.Wait()
		now := time.Now()
		switch {
		case w.giveTurn():
		case len(w.agenda) > 0 && !w.agenda[0].at.After(now):
			w.step()
			heap.Pop(&w.agenda).(appointment).do()
		case !now.Before(end):
			return
		default:
			next := end
			if len(w.agenda) > 0 && w.agenda[0].at.Before(end) {
				next = w.agenda[0].at
			}
			timer := time.NewTimer(next.Sub(now))
			select {
			case <-w.wake:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
}

// maxSteps is far beyond any run: a world that goes round in circles ends.
const maxSteps = 200_000

func (w *world) step() {
	if w.steps.Add(1) > maxSteps {
		w.fail("the run does not end: %d steps", maxSteps)
	}
}

// giveTurn lets one of those go on that wait for it. It returns false when there is none.
func (w *world) giveTurn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ready) == 0 {
		return false
	}
	w.step()
	slices.SortFunc(w.ready, func(a, b *turn) int { return strings.Compare(a.key, b.key) })
	i := 0
	if len(w.ready) > 1 {
		i = w.chance.below(len(w.ready), fmt.Sprint("turn", w.steps.Load()))
	}
	t := w.ready[i]
	w.ready = slices.Delete(w.ready, i, i+1)
	close(t.release)
	return true
}

// unwind ends every function that still runs: the bubble can't end before them.
func (w *world) unwind() {
	for _, inv := range w.lambda.running {
		w.kill(inv)
	}
	for w.alive > 0 {
		synctest.Wait()
		if !w.giveTurn() {
			<-w.wake // what sleeps wakes by itself
		}
	}
	synctest.Wait()
}

// fail notes that an invariant does not hold. The first one ends the run.
func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
		w.note("BROKEN: %v", w.broken)
	}
}

// note writes a line of the history.
func (w *world) note(format string, args ...any) {
	if w.recording {
		w.history = append(w.history, fmt.Sprintf("%12.3fs  ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
	}
}

// clock is the functions' time and chance.
func (w *world) clock() backoff.Clock {
	return backoff.Clock{
		Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			return w.await(ctx, invocationOf(ctx).name+"/"+detailOf(ctx)+"/sleep", d)
		},
		// The same for all that run between two steps: who asks first is not decided.
		Random: func() float64 { return w.chance.share(fmt.Sprint("random", w.steps.Load())) },
	}
}
