package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

const (
	// defaultProcesses is how many processes one function has at most; the package comment says why.
	defaultProcesses = 10
	// accountConcurrency is how many invocations of one account run at a time (AWS's default quota).
	accountConcurrency = 1000
	// initTimeout is how long a process may take until it asks for work (the Init phase of Lambda's execution environment).
	initTimeout = 10 * time.Second
	// returnTime is how long a process that has answered may take to ask for more before another is started in its place. It
	// needs a fraction of a millisecond, a start some ten.
	returnTime = 20 * time.Millisecond
	// closeGrace is how long a process may take to end by itself once its Runtime API is gone. An idle Go function needs
	// milliseconds, and writes its coverage data in that time.
	closeGrace = time.Second
)

// A Config says what a Runtime runs.
type Config struct {
	Functions []template.Function
	Region    string // AWS_REGION of the functions, and the region in their ARNs
	Dir       string // holds <logical id>/bootstrap for each function
	// MaxProcesses is how many processes one function has at most; 0 = 10.
	MaxProcesses int
	// Log takes every line the functions write and the Runtime's own notes about them, from several goroutines at once.
	// nil drops them.
	Log func(Line)
	// Async takes over an invocation of type Event: function is the name of the template's function, payload is Async's to
	// keep. It must not wait for the function. Where it is nil, such invocations are refused.
	Async func(function string, payload []byte)
}

// A Runtime runs the functions of one template and serves the Invoke API for them.
type Runtime struct {
	cfg         Config
	functions   []*function
	byName      map[string]*function // physical names and logical ids
	initTimeout time.Duration
	returnTime  time.Duration

	// running counts the invocations under way of functions without reserved concurrency; unreserved bounds it.
	running    atomic.Int64
	unreserved int64

	// spawn takes process starts to the one thread that makes them: Linux ties a child's parent-death signal to the thread
	// that forked it, not to the process.
	spawn     chan func()
	processes sync.WaitGroup
	closing   sync.Once
}

// New returns a Runtime that runs nothing yet: processes start with the first invocation, or with Warm.
func New(cfg Config) *Runtime {
	if cfg.MaxProcesses <= 0 {
		cfg.MaxProcesses = defaultProcesses
	}
	if cfg.Log == nil {
		cfg.Log = func(Line) {}
	}
	rt := &Runtime{
		cfg:         cfg,
		byName:      make(map[string]*function),
		initTimeout: initTimeout,
		returnTime:  returnTime,
		unreserved:  accountConcurrency,
		spawn:       make(chan func()),
	}
	for _, fn := range cfg.Functions {
		f := newFunction(rt, fn)
		rt.functions = append(rt.functions, f)
		rt.unreserved -= int64(fn.ReservedConcurrency)
		rt.byName[fn.ID] = f
	}
	for _, f := range rt.functions { // a name goes before another function's id
		rt.byName[f.Name] = f
	}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for start := range rt.spawn {
			start()
		}
	}()
	return rt
}

// Warm starts one process of each function that has none and returns when all wait for work. The error names every
// function that could not start, with the last lines it wrote.
func (rt *Runtime) Warm(ctx context.Context) error {
	var started []*process
	for _, f := range rt.functions {
		if p := f.warm(); p != nil {
			started = append(started, p)
		}
	}
	var failed []error
	for _, p := range started {
		select {
		case err := <-p.started:
			if err != nil {
				failed = append(failed, fmt.Errorf("start %s: %w", p.f.Name, err))
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

// Kill kills every process of a function, named as in a call, and returns how many there were. Invocations under way end as those of
// any process that dies; the next one starts a new process.
func (rt *Runtime) Kill(name string) int {
	f := rt.byName[name]
	if f == nil {
		return 0
	}
	f.mu.Lock()
	processes := slices.Collect(maps.Keys(f.processes))
	f.mu.Unlock()
	for _, p := range processes {
		p.kill()
	}
	return len(processes)
}

// Close ends every process and returns when none is left, after about a second at most. Invocations under way are
// answered with a ServiceException.
func (rt *Runtime) Close() error {
	rt.closing.Do(func() {
		var open []*process
		for _, f := range rt.functions {
			open = append(open, f.close()...)
		}
		for _, p := range open {
			p.hangUp()
		}
		kill := time.AfterFunc(closeGrace, func() {
			for _, p := range open {
				p.kill()
			}
		})
		rt.processes.Wait()
		kill.Stop()
		close(rt.spawn)
	})
	return nil
}
