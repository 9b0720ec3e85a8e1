package lambda

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A state says what a process is doing, as its calls of the Runtime API show it.
type state int

const (
	starting state = iota // has not asked for work yet
	idle                  // waits for work
	busy                  // has work, or has answered and not asked again
	away                  // its connection broke while it waited
	ended                 // gets no more work
)

// A process is one execution environment: a bootstrap process with a Runtime API of its own.
type process struct {
	f      *function
	warmed bool        // started before anybody called
	begun  time.Time   // when it was started
	logs   *logPipe    // nil until it runs
	quiet  atomic.Bool // what it writes from now on is dropped
	// started says once that the process asked for its first work (nil), or why it never did.
	started chan error

	// under f.mu
	state     state
	next      chan *invocation // takes one without waiting: the work of an idle process
	current   *invocation      // the work of a busy process
	answered  time.Time        // when it answered current
	deadline  time.Time        // of current, or of the start
	timer     *time.Timer      // runs expire at the deadline
	api       *http.Server
	pid       int  // 0 while it does not run
	killed    bool // gets no more work, and is to end as soon as it runs
	slowStart bool // it took longer than initTimeout
	initError []byte
	called    bool // it has had work
}

func newProcess(f *function, warmed bool) *process {
	p := &process{
		f:       f,
		warmed:  warmed,
		begun:   time.Now(),
		started: make(chan error, 1),
	}
	p.api = &http.Server{Handler: p.runtimeAPI(), ErrorLog: log.New(io.Discard, "", 0)}
	p.timer = time.AfterFunc(f.rt.initTimeout, p.expire)
	p.deadline = p.begun.Add(f.rt.initTimeout)
	return p
}

func (f *function) dir() string { return filepath.Join(f.rt.cfg.Dir, f.ID) }

// run starts the process, waits for its end and settles what it left.
func (p *process) run() {
	defer p.f.rt.processes.Done()
	cmd, err := p.start()
	if err != nil {
		p.settle(fault{kind: "Runtime.InvalidEntrypoint", cause: err.Error()})
		return
	}
	err = cmd.Wait()
	p.f.mu.Lock()
	p.pid = 0
	p.f.mu.Unlock()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it started and left
	p.logs.close()
	p.hangUp()
	p.settle(fault{kind: "Runtime.ExitError", cause: exitCause(err)})
}

// exitCause says in Lambda's words why a process ended.
func exitCause(err error) string {
	if err == nil {
		return "Runtime exited without providing a reason"
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "Runtime exited with error: " + exit.String()
	}
	return "Runtime exited with error: " + err.Error()
}

// start opens the Runtime API and starts the bootstrap program against it.
func (p *process) start() (*exec.Cmd, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open its Runtime API: %w", err)
	}
	if p.logs, err = newLogPipe(p.emit); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("open its output: %w", err)
	}
	cmd := exec.Command(filepath.Join(p.f.dir(), "bootstrap"))
	cmd.Dir = p.f.dir()
	cmd.Env = append(p.f.env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	cmd.Stdout, cmd.Stderr = p.logs.w, p.logs.w
	cmd.SysProcAttr = processAttributes()

	go p.logs.run()
	go func() { _ = p.api.Serve(listener) }() // ends when hangUp closes it
	result := make(chan error)
	p.f.rt.spawn <- func() { result <- cmd.Start() }
	if err = <-result; err != nil {
		p.logs.close()
		p.hangUp()
		if errors.Is(err, syscall.ENOEXEC) {
			err = fmt.Errorf("%w: it was built for another system than this one", err)
		}
		return nil, err
	}
	p.f.mu.Lock()
	p.pid = cmd.Process.Pid
	killed := p.killed
	p.f.mu.Unlock()
	if killed {
		p.kill()
	}
	return cmd, nil
}

// hangUp takes the Runtime API away: a process that waits there for work ends by itself.
func (p *process) hangUp() { _ = p.api.Close() }

// kill ends the process and all it started. It gets no more work, though its end may take a moment to be seen.
func (p *process) kill() {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.killed = true
	p.f.idle = slices.DeleteFunc(p.f.idle, func(q *process) bool { return q == p })
	if p.pid != 0 {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}

// untaken is the invocation that was sent to a process and not read by it, or nil.
func (p *process) untaken() *invocation {
	select {
	case inv := <-p.next:
		return inv
	default:
		return nil
	}
}

// expire ends a process that has passed its deadline: of its start, or of its invocation, answered or not (an invocation
// lasts until the process asks for the next one).
func (p *process) expire() {
	p.f.mu.Lock()
	inv := p.current
	if p.state != starting && p.state != busy || time.Now().Before(p.deadline) {
		p.f.mu.Unlock()
		return // it came back, and perhaps left again, while the timer ran off
	}
	if p.state == starting {
		p.slowStart = true // settle answers for it
		p.f.mu.Unlock()
		p.kill()
		return
	}
	p.f.remove(p)
	p.f.startForWaiting()
	p.f.mu.Unlock()

	end := fault{kind: "Sandbox.Timedout", cause: fmt.Sprintf("Task timed out after %.2f seconds", p.f.Timeout.Seconds())}
	p.kill()
	p.note("ERROR", inv.id, end.cause)
	p.finish(inv, end.object(inv.id), "Unhandled")
}

// settle answers for what an ended process leaves: its invocation, or the one that waited for its start.
func (p *process) settle(end fault) {
	f := p.f
	f.mu.Lock()
	was, inv := p.state, p.current
	if was == ended { // on our own account: expire or close has answered
		f.mu.Unlock()
		return
	}
	f.remove(p)
	level, requestID, phase := "WARN", "", "idle"
	switch untaken := p.untaken(); {
	case was == starting:
		level, phase = "ERROR", "init"
		if p.slowStart {
			end = fault{kind: "Sandbox.Timedout", cause: fmt.Sprintf("Init timed out after %.2f seconds", f.rt.initTimeout.Seconds())}
		}
		p.started <- errors.New(strings.Join(append([]string{end.cause}, p.lastWords()...), "\n  "))
		if len(f.waiting) > 0 {
			inv, f.waiting = f.waiting[0], f.waiting[1:]
			requestID = inv.id
			payload := p.initError
			if payload == nil {
				payload = end.object(inv.id)
			}
			f.finish(inv, outcome{Result: Result{RequestID: inv.id, Payload: payload, FunctionError: "Unhandled"}})
		}
	case untaken != nil:
		f.giveBack(untaken)
	case inv == nil:
	case inv.finished:
		requestID, phase = inv.id, "answered"
	default:
		level, requestID, phase = "ERROR", inv.id, "invoke"
		f.finish(inv, outcome{Result: Result{RequestID: inv.id, Payload: end.object(inv.id), FunctionError: "Unhandled"}})
	}
	f.startForWaiting()
	f.mu.Unlock()
	p.note(level, requestID, end.cause, Field{"phase", phase})
}

// lastWords are the last lines of a process that could not start.
func (p *process) lastWords() []string {
	if p.logs == nil {
		return nil
	}
	return p.logs.initTail.lines(5)
}

// A fault is an end of an invocation that the function did not choose.
type fault struct {
	kind  string // errorType
	cause string
}

// object is Lambda's error object for the fault.
func (e fault) object(requestID string) []byte {
	return errorObject(e.kind, "RequestId: "+requestID+" Error: "+e.cause)
}
