package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/internal/template"
)

func TestIdleProcessIsUsedAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.answer(`{}`).PID
	for range 5 {
		s.settle(1)
		if pid := s.answer(`{}`).PID; pid != first {
			t.Fatalf("process %d answered, want %d again", pid, first)
		}
	}
}

func TestLastUsedProcessIsUsedFirst(t *testing.T) {
	t.Parallel()
	s := start(t)
	pids := s.together(3)
	s.settle(3)
	last := s.answer(`{}`).PID
	if !slices.Contains(pids, last) {
		t.Fatalf("process %d is none of %v", last, pids)
	}
	for range 5 {
		s.settle(3)
		if pid := s.answer(`{}`).PID; pid != last {
			t.Fatalf("process %d answered, want %d, which answered last", pid, last)
		}
	}
}

// together makes n invocations run at the same time and returns their processes.
func (s *stack) together(n int) []int {
	s.Helper()
	g := newGate(s.T)
	pids := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { pids[i] = s.answer(g.event()).PID })
	}
	s.running(n, 0)
	g.open()
	wg.Wait()
	return pids
}

func TestTenProcessesShareABurst(t *testing.T) {
	t.Parallel()
	s := start(t)
	g := newGate(t)
	pids := make(chan int, 50)
	for range cap(pids) {
		go func() { pids <- s.answer(g.event()).PID }()
	}
	s.running(10, 40)
	g.open()
	processes := make(map[int]bool)
	for range cap(pids) {
		processes[<-pids] = true
	}
	if len(processes) != 10 {
		t.Errorf("50 invocations at a time ran in %d processes, want 10", len(processes))
	}
}

func TestInvocationsWaitInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, func(cfg *Config) { cfg.MaxProcesses = 1 })
	g := newGate(t)
	var wg sync.WaitGroup
	wg.Go(func() { s.invoke(g.event()) })
	s.running(1, 0)
	var want []string
	for i := range 5 {
		text := fmt.Sprintf("call %d", i)
		want = append(want, text)
		wg.Go(func() { s.invoke(fmt.Sprintf(`{"do":"slog","text":%q}`, text)) })
		s.running(1, i+1)
	}
	g.open()
	wg.Wait()
	s.log.message(t, "call 4")
	var got []string
	for _, line := range s.log.all() {
		if strings.HasPrefix(line.Message, "call ") {
			got = append(got, line.Message)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// A process that has answered needs a moment to ask for more: nobody starts another for that.
func TestProcessThatComesBackIsAwaited(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := start(t, variable("FIXTURE_RUNTIME", "own"), variable("FIXTURE_FILE", g.file))
	s.returnTime = time.Minute
	pid := string(s.invoke(`"dawdle"`).Payload)
	next := make(chan Result)
	go func() { next <- s.invoke(`"pid"`) }()
	s.running(0, 1)
	g.open()
	if got := <-next; string(got.Payload) != pid {
		t.Errorf("process %s answered, want %s, which was about to come back", got.Payload, pid)
	}
	s.settle(1)
}

// A process that answers and then hangs holds up the next invocation for a moment only.
func TestHangAfterTheAnswerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_RUNTIME", "own"), timeout(time.Hour))
	if got := s.invoke(`"answer and hang"`); string(got.Payload) != `"answered"` {
		t.Errorf("payload = %s, want the answer", got.Payload)
	}
	if got := s.invoke(`"next"`); string(got.Payload) != `"next"` {
		t.Errorf("payload = %s, want that of the next process", got.Payload)
	}
}

func TestCallerThatLeavesItsPlaceInLine(t *testing.T) {
	t.Parallel()
	s := start(t, func(cfg *Config) { cfg.MaxProcesses = 1 })
	g := newGate(t)
	var wg sync.WaitGroup
	wg.Go(func() { s.invoke(g.event()) })
	s.running(1, 0)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.client.Invoke(ctx, "ping", []byte(`{"do":"slog","text":"never"}`))
		left <- err
	}()
	s.running(1, 1)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke = %v, want context.Canceled", err)
	}
	s.running(1, 0)
	g.open()
	wg.Wait()
	s.answer(`{"do":"slog","text":"after"}`)
	s.log.message(t, "after")
	if s.log.has("never") {
		t.Error("the function ran although its caller had left before")
	}
}

func TestInvocationOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	s := start(t)
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.client.Invoke(ctx, "ping", []byte(g.event()))
		left <- err
	}()
	s.running(1, 0)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke = %v, want context.Canceled", err)
	}
	s.running(1, 0) // still
	g.open()
	s.settle(1)
	s.running(0, 0)
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []option
		limit   func(*stack)
		reason  string
	}{
		{
			name:    "reserved concurrency",
			options: []option{with(func(fn *template.Function) { fn.ReservedConcurrency = 2 })},
			reason:  "ReservedFunctionConcurrentInvocationLimitExceeded",
		},
		{
			name:   "the account's concurrency",
			limit:  func(s *stack) { s.unreserved = 2 },
			reason: "ConcurrentInvocationLimitExceeded",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.options...)
			if tt.limit != nil {
				tt.limit(s)
			}
			g := newGate(t)
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() { s.invoke(g.event()) })
			}
			s.running(2, 0)
			_, err := s.client.Invoke(t.Context(), "ping", nil)
			refused, ok := errors.AsType[*Error](err)
			if !ok || refused.Status != 429 || refused.Code != "TooManyRequestsException" || refused.Message != "Rate Exceeded." || !refused.Retryable() {
				t.Errorf("a third one: %v, want 429 TooManyRequestsException", err)
			}
			if _, body := s.post("/2015-03-31/functions/ping/invocations", "{}"); !strings.Contains(body, `"Reason":"`+tt.reason+`"`) {
				t.Errorf("body = %s, want the reason %s", body, tt.reason)
			}
			g.open()
			wg.Wait()
			s.answer(`{}`) // there is room again
		})
	}
}

// The default limit is AWS's, less what the template reserves.
func TestAccountConcurrency(t *testing.T) {
	t.Parallel()
	s := start(t, with(func(fn *template.Function) { fn.ReservedConcurrency = 100 }))
	if s.unreserved != 900 {
		t.Errorf("unreserved concurrency = %d, want 900", s.unreserved)
	}
}
