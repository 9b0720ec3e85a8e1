package lambda

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

// A function is one function of the template and the processes that run it: who is idle, who is busy, who waits.
type function struct {
	template.Function
	rt  *Runtime
	arn string
	env []string
	// most processes, and most invocations under way or waiting (0: the account's limit alone)
	processLimit, reserved int

	mu        sync.Mutex
	closed    bool
	processes map[*process]struct{} // all that may still work
	idle      []*process            // the last one is used first
	starting  int                   // processes that have not asked for work yet
	waiting   []*invocation         // the first one is served first
	admitted  int                   // invocations under way or waiting
}

// An invocation is one synchronous call on its way through a function.
type invocation struct {
	id            string
	payload       []byte
	trace         string       // X-Amzn-Trace-Id
	clientContext string       // JSON, "" for none
	tail          *tail        // collects the last 4 KB of the log, nil where nobody asked
	done          chan outcome // takes one without waiting
	finished      bool         // under function.mu: done has its outcome, or nobody waits for one
}

// An outcome is how an invocation ended: its Result, or the Error that kept it from running.
type outcome struct {
	Result
	refused *Error
}

func newFunction(rt *Runtime, fn template.Function) *function {
	f := &function{
		Function:     fn,
		rt:           rt,
		arn:          functionARN(rt.cfg.Region, fn.Name),
		processLimit: rt.cfg.MaxProcesses,
		reserved:     fn.ReservedConcurrency,
		processes:    make(map[*process]struct{}),
	}
	if f.reserved > 0 {
		f.processLimit = min(f.processLimit, f.reserved)
	}
	f.env = environment(fn, rt.cfg.Region, f.dir())
	return f
}

func functionARN(region, name string) string {
	return "arn:" + template.Partition + ":lambda:" + region + ":" + template.AccountID + ":function:" + name
}

// invoke runs inv and returns how it ended. When ctx ends first, an invocation that still waits is dropped; one that runs
// goes on without its caller.
func (f *function) invoke(ctx context.Context, inv *invocation) (Result, error) {
	if err := f.accept(inv); err != nil {
		return Result{}, err
	}
	select {
	case out := <-inv.done:
		if out.refused != nil {
			return Result{}, out.refused
		}
		return out.Result, nil
	case <-ctx.Done():
		f.abandon(inv)
		return Result{}, ctx.Err()
	}
}

// accept gives inv to an idle process or puts it in line.
func (f *function) accept(inv *invocation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.closing()
	}
	if f.reserved > 0 {
		if f.admitted >= f.reserved {
			return f.throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
		}
	} else if f.rt.running.Add(1) > f.rt.unreserved {
		f.rt.running.Add(-1)
		return f.throttled("ConcurrentInvocationLimitExceeded")
	}
	f.admitted++
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.assign(p, inv)
		p.next <- inv
		return nil
	}
	f.waiting = append(f.waiting, inv)
	f.startForWaiting()
	return nil
}

func (f *function) throttled(reason string) error {
	return &Error{Function: f.Name, Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded.", reason: reason}
}

func (f *function) closing() *Error {
	return &Error{Function: f.Name, Status: http.StatusInternalServerError, Code: "ServiceException", Message: "The local stack is closing."}
}

// finish ends inv, once. mu is held.
func (f *function) finish(inv *invocation, out outcome) {
	if inv.finished {
		return
	}
	inv.finished = true
	f.admitted--
	if f.reserved == 0 {
		f.rt.running.Add(-1)
	}
	inv.done <- out
}

// abandon drops inv where it still waits.
func (f *function) abandon(inv *invocation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting, inv); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		f.finish(inv, outcome{})
	}
}

// startForWaiting starts a process for each waiting invocation that none is coming for, within the limit: one that starts,
// or one that has just answered and is about to ask for more. mu is held.
func (f *function) startForWaiting() {
	if f.closed || f.starting >= len(f.waiting) {
		return
	}
	coming := f.starting
	for p := range f.processes {
		if p.state == busy && p.current.finished && time.Since(p.answered) < f.rt.returnTime {
			coming++
		}
	}
	for ; coming < len(f.waiting) && len(f.processes) < f.processLimit; coming++ {
		f.launch(false)
	}
	if f.starting < len(f.waiting) && len(f.processes) < f.processLimit { // should one not come after all
		time.AfterFunc(f.rt.returnTime, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.startForWaiting()
		})
	}
}

// launch starts a process. mu is held.
func (f *function) launch(warmed bool) *process {
	p := newProcess(f, warmed)
	f.processes[p] = struct{}{}
	f.starting++
	f.rt.processes.Add(1)
	go p.run()
	return p
}

// warm starts a process unless there is one.
func (f *function) warm() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || len(f.processes) > 0 {
		return nil
	}
	return f.launch(true)
}

// ready takes p in when it asks for work, and ends its last invocation by that. It returns the invocation that has waited
// longest, or where none waits the channel on which accept will send one: p is idle then. It reports false where p may not
// ask now: it is to end, or it has not answered yet.
func (f *function) ready(p *process) (*invocation, chan *invocation, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || p.killed || p.state == ended || p.state == busy && !p.current.finished {
		return nil, nil, false
	}
	if p.state == starting {
		f.starting--
		p.started <- nil
	}
	f.rest(p) // it may ask again before we see that its last connection has gone
	if len(f.waiting) > 0 {
		inv := f.waiting[0]
		f.waiting = f.waiting[1:]
		f.assign(p, inv)
		return inv, nil, true
	}
	p.state = idle
	p.next = make(chan *invocation, 1)
	f.idle = append(f.idle, p)
	return nil, p.next, true
}

// rest ends the work or the wait of p. mu is held.
func (f *function) rest(p *process) {
	p.timer.Stop()
	p.current = nil
	p.state = away
	f.idle = slices.DeleteFunc(f.idle, func(q *process) bool { return q == p })
}

// assign makes inv the work of p, from now to its deadline. mu is held.
func (f *function) assign(p *process, inv *invocation) {
	p.state = busy
	p.current = inv
	p.deadline = time.Now().Add(f.Timeout)
	p.timer.Reset(f.Timeout)
}

// unpark takes p out of the idle ones because the connection on which it waited for next has gone; p may ask again. An
// invocation that was sent there goes back to the head of the line.
func (f *function) unpark(p *process, next chan *invocation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.next != next { // it has asked again already
		return
	}
	inv := p.untaken()
	if p.state != ended {
		f.rest(p)
	}
	f.giveBack(inv)
}

// giveBack puts an invocation that reached no process back at the head of the line. mu is held.
func (f *function) giveBack(inv *invocation) {
	if inv == nil || inv.finished {
		return
	}
	if f.closed {
		f.finish(inv, outcome{refused: f.closing()})
		return
	}
	f.waiting = slices.Insert(f.waiting, 0, inv)
	f.startForWaiting()
}

// remove takes p out for good. mu is held.
func (f *function) remove(p *process) {
	if p.state == starting {
		f.starting--
	}
	p.state = ended
	p.timer.Stop()
	delete(f.processes, p)
	f.idle = slices.DeleteFunc(f.idle, func(q *process) bool { return q == p })
}

// close refuses what waits and what runs, and returns the processes to end.
func (f *function) close() []*process {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, inv := range f.waiting {
		f.finish(inv, outcome{refused: f.closing()})
	}
	f.waiting = nil
	var open []*process
	for p := range f.processes {
		if p.state == starting {
			p.started <- f.closing()
		}
		if p.current != nil {
			f.finish(p.current, outcome{refused: f.closing()})
		}
		f.remove(p)
		p.quiet.Store(true) // it will say that its Runtime API has gone
		open = append(open, p)
	}
	return open
}
