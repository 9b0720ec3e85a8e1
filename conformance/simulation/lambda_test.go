package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/purposepath/realtime/shared/push"
)

// A lambda calls functions. A call ends with what the function returns, by a crash between two of its own calls, or by its time-out.
type lambda struct {
	idle    map[string][]*container // by function
	made    int
	running map[string]*invocation
}

// A container is one warm instance: it serves one call at a time and keeps what the function keeps in memory.
type container struct {
	push      *push.Pusher
	throttled int // posts answered 429 so far
}

// An invocation is one call of a function.
type invocation struct {
	name, function string
	client         string // the connection whose message it answers
	began          time.Time
	container      *container

	dead     chan struct{} // closed when it is killed
	cancel   context.CancelFunc
	killed   bool // written and read in turns only
	over     bool
	end      func(any, error)
	recorded time.Time       // when its transaction of auth was all visible
	passed   map[string]bool // tenants whose failing messages the pusher passes over

	mu    sync.Mutex
	calls map[string]int
}

var (
	errKilled   = errors.New("the function was killed")
	errTimedOut = errors.New("the function timed out")
)

type (
	invocationKey struct{}
	detailKey     struct{}
)

// invocationOf is the call that a context belongs to, nil for the simulation's own looks.
func invocationOf(ctx context.Context) *invocation {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	return inv
}

// withDetail says what a call is about, so that calls made at the same time can be told apart.
func withDetail(ctx context.Context, detail string) context.Context {
	return context.WithValue(ctx, detailKey{}, detail)
}

func detailOf(ctx context.Context) string {
	detail, _ := ctx.Value(detailKey{}).(string)
	return detail
}

// call names one call of a service: the invocation, what it is about, and which time.
func (inv *invocation) call(ctx context.Context, step string) string {
	key := inv.name + "/" + detailOf(ctx) + "/" + step
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.calls[key]++
	if n := inv.calls[key]; n > 1 {
		return fmt.Sprint(key, "#", n)
	}
	return key
}

// most429 bounds the 429s of one container: the pace of its posts must not fall so low that they queue for a turn, because who of them
// gets it is not the scheduler's to decide.
const (
	pushConcurrency = 512
	most429         = 5
)

func (w *world) container(function string) *container {
	idle := w.lambda.idle[function]
	w.lambda.made++
	if len(idle) > 0 && w.chance.below(4, fmt.Sprint("cold", w.lambda.made)) > 0 {
		c := idle[len(idle)-1]
		w.lambda.idle[function] = idle[:len(idle)-1]
		return c
	}
	concurrency := pushConcurrency
	if function != "pusher" {
		concurrency = 1
	}
	return &container{push: push.New(w.gateway, concurrency, w.clock())}
}

// invoke calls a function. end gets what it returned, errKilled or errTimedOut.
func (w *world) invoke(function, name string, timeout time.Duration, body func(context.Context, *container) (any, error), end func(any, error)) *invocation {
	if w.lambda.running[name] != nil {
		w.fail("two functions are called %s: the simulation itself is wrong", name)
		return nil
	}
	w.counts.invocations++
	inv := &invocation{
		name: name, function: function, began: time.Now(), container: w.container(function), dead: make(chan struct{}), end: end,
		passed: map[string]bool{}, calls: map[string]int{},
	}
	w.note("%s begins", name)
	ctx, cancel := context.WithDeadline(context.WithValue(context.Background(), invocationKey{}, inv), time.Now().Add(timeout))
	inv.cancel = cancel
	w.lambda.running[name] = inv
	w.alive++
	go func() {
		result, err := body(ctx, inv.container)
		_ = w.await(context.WithoutCancel(ctx), name+" returns", 0)
		w.alive--
		cancel()
		if inv.over {
			return
		}
		inv.over = true
		delete(w.lambda.running, name)
		w.lambda.idle[function] = append(w.lambda.idle[function], inv.container)
		w.note("%s returns", name)
		end(result, err)
	}()
	w.after(timeout-1, func() { // before the context's end: nothing runs after a time-out
		if !inv.over {
			w.counts.timeouts++
			w.note("! %s times out", name)
			w.kill(inv)
			end(nil, errTimedOut)
		}
	})
	return inv
}

// kill ends a function at once; its container is gone with it.
func (w *world) kill(inv *invocation) {
	inv.over, inv.killed = true, true
	delete(w.lambda.running, inv.name)
	close(inv.dead)
	inv.cancel()
}

// crashes draws whether the function dies here.
func (w *world) crashes(inv *invocation, where string) bool {
	if inv.over || !w.strikes(functionCrash, where) {
		return false
	}
	w.kill(inv)
	w.after(w.chance.upTo(time.Second, "crash seen "+where), func() { inv.end(nil, errKilled) })
	return true
}
