package lambda

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/internal/template"
)

func TestFunctionLearnsItsInvocation(t *testing.T) {
	t.Parallel()
	s := start(t)
	result := s.invoke(`{"text":"hi"}`)
	var got answer
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatalf("payload %s: %v", result.Payload, err)
	}
	if uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !uuid.MatchString(got.RequestID) {
		t.Errorf("request id %q is no UUID of version 4", got.RequestID)
	}
	if got.RequestID != result.RequestID {
		t.Errorf("function saw request %q, the caller %q", got.RequestID, result.RequestID)
	}
	if want := "arn:aws:lambda:eu-west-1:123456789012:function:ping"; got.ARN != want {
		t.Errorf("ARN = %q, want %q", got.ARN, want)
	}
	if got.Text != "hi" {
		t.Errorf("text = %q, want hi", got.Text)
	}
	if got.Remainding <= 30_000 || got.Remainding > 60_000 {
		t.Errorf("%d ms left of a minute", got.Remainding)
	}
	if !strings.HasPrefix(got.Trace, "Root=1-") {
		t.Errorf("trace id = %q", got.Trace)
	}
}

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

func (b *logBook) has(message string) bool {
	return slices.ContainsFunc(b.all(), func(l Line) bool { return l.Message == message })
}

func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []option
		event   string
		want    failure // {id} stands for the request id
		keeps   bool    // the process lives on
	}{
		{name: "an error is the function's answer", event: `{"do":"error"}`, want: failure{"errorString", "boom"}, keeps: true},
		{name: "an event that does not fit is the function's error", event: `{"n":"x"}`, want: failure{"UnmarshalTypeError", "json: cannot unmarshal string into Go struct field request.n of type int"}, keeps: true},
		{name: "a panic ends the process", event: `{"do":"panic"}`, want: failure{"string", "ouch"}},
		{name: "a panic of another goroutine is an exit", event: `{"do":"panic aside"}`, want: failure{"Runtime.ExitError", "RequestId: {id} Error: Runtime exited with error: exit status 2"}},
		{name: "an exit is a failure", event: `{"do":"exit","n":1}`, want: failure{"Runtime.ExitError", "RequestId: {id} Error: Runtime exited with error: exit status 1"}},
		{name: "an exit without an error is a failure", event: `{"do":"exit"}`, want: failure{"Runtime.ExitError", "RequestId: {id} Error: Runtime exited without providing a reason"}},
		{name: "a function that hangs is killed at its time-out", options: []option{timeout(2 * time.Second)}, event: `{"do":"hang"}`, want: failure{"Sandbox.Timedout", "RequestId: {id} Error: Task timed out after 2.00 seconds"}},
		{name: "a function that spins is killed at its time-out", options: []option{timeout(2 * time.Second)}, event: `{"do":"spin"}`, want: failure{"Sandbox.Timedout", "RequestId: {id} Error: Task timed out after 2.00 seconds"}},
		{name: "an answer over 6 MB is refused", event: `{"do":"big","n":6291555}`, want: failure{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}},
		{name: "an answer far over 6 MB is refused", event: `{"do":"big","n":30000000}`, want: failure{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.options...)
			before := s.answer(`{}`).PID
			s.settle(1)
			result := s.invoke(tt.event)
			var got failure
			if err := json.Unmarshal(result.Payload, &got); err != nil {
				t.Fatalf("payload %s: %v", result.Payload, err)
			}
			tt.want.Message = strings.ReplaceAll(tt.want.Message, "{id}", result.RequestID)
			if got != tt.want || result.FunctionError != "Unhandled" {
				t.Errorf("got %+v with %q, want %+v with Unhandled", got, result.FunctionError, tt.want)
			}
			if tt.keeps {
				s.settle(1)
			}
			if after := s.answer(`{}`).PID; (after == before) != tt.keeps {
				t.Errorf("process %d answers after %d, want the same: %v", after, before, tt.keeps)
			}
			if !tt.keeps {
				eventually(t, "the process to end", func() bool { return !alive(before) })
			}
		})
	}
}

func TestLargestAnswerArrives(t *testing.T) {
	t.Parallel()
	s := start(t)
	if got := s.invoke(`{"do":"big","n":6291554}`); len(got.Payload) != maxResponse || got.FunctionError != "" {
		t.Errorf("%d bytes with FunctionError %q, want %d bytes", len(got.Payload), got.FunctionError, maxResponse)
	}
}

func TestFailedStarts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []option
		damage  func(t *testing.T, dir string)
		hangs   bool
		want    failure // {id} stands for the request id, {dir} for the function's folder
		warm    string  // what Warm says
	}{
		{
			name:    "exit before the first call",
			options: []option{variable("FIXTURE_INIT", "exit")},
			want:    failure{"Runtime.ExitError", "RequestId: {id} Error: Runtime exited with error: exit status 3"},
			warm:    "start ping: Runtime exited with error: exit status 3\n  CONNECTIONS_TABLE is not set",
		},
		{
			name:    "never asks for work",
			options: []option{variable("FIXTURE_INIT", "hang")},
			hangs:   true,
			want:    failure{"Sandbox.Timedout", "RequestId: {id} Error: Init timed out after 0.50 seconds"},
			warm:    "start ping: Init timed out after 0.50 seconds\n  waiting for nothing",
		},
		{
			name:    "reports its own error",
			options: []option{variable("FIXTURE_INIT", "report")},
			want:    failure{"Config.Missing", "no config"},
			warm:    "start ping: Runtime exited with error: exit status 1",
		},
		{
			name: "no bootstrap",
			damage: func(t *testing.T, dir string) {
				if err := os.Remove(filepath.Join(dir, "bootstrap")); err != nil {
					t.Fatal(err)
				}
			},
			want: failure{"Runtime.InvalidEntrypoint", "RequestId: {id} Error: fork/exec {dir}/bootstrap: no such file or directory"},
			warm: "start ping: fork/exec {dir}/bootstrap: no such file or directory",
		},
		{
			name: "bootstrap of another system",
			damage: func(t *testing.T, dir string) {
				name := filepath.Join(dir, "bootstrap")
				if err := errors.Join(os.Remove(name), os.WriteFile(name, []byte("\x7fELF of another machine"), 0o755)); err != nil {
					t.Fatal(err)
				}
			},
			want: failure{"Runtime.InvalidEntrypoint", "RequestId: {id} Error: fork/exec {dir}/bootstrap: exec format error: it was built for another system than this one"},
			warm: "start ping: fork/exec {dir}/bootstrap: exec format error: it was built for another system than this one",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.options...)
			dir := filepath.Join(s.cfg.Dir, "PingFunction")
			if tt.damage != nil {
				tt.damage(t, dir)
			}
			if tt.hangs {
				s.initTimeout = 500 * time.Millisecond
			}
			warm := strings.ReplaceAll(tt.warm, "{dir}", dir)
			if err := s.Warm(t.Context()); err == nil || err.Error() != warm {
				t.Errorf("Warm = %v, want %s", err, warm)
			}
			for range 2 { // each invocation tries again
				result := s.invoke(`{}`)
				var got failure
				if err := json.Unmarshal(result.Payload, &got); err != nil {
					t.Fatalf("payload %s: %v", result.Payload, err)
				}
				want := tt.want
				want.Message = strings.NewReplacer("{id}", result.RequestID, "{dir}", dir).Replace(want.Message)
				if got != want || result.FunctionError != "Unhandled" {
					t.Errorf("got %+v with %q, want %+v with Unhandled", got, result.FunctionError, want)
				}
			}
		})
	}
}

func TestOtherRuntimes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, event, payload, functionError string }{
		{name: "a connection for each call", event: `"hello"`, payload: `"hello"`},
		{name: "a stream that breaks is an error", event: `"broken stream"`, payload: `{"errorType":"Stream.Broken"}`, functionError: "Unhandled"},
		{name: "an error that is no object becomes one", event: `"error in words"`, payload: `{"errorType":"Runtime.Unknown","errorMessage":"it went wrong"}`, functionError: "Unhandled"},
		{name: "an answer for another request is refused", event: `"answer for another"`, payload: `400`},
		{name: "asking for more before the answer is refused", event: `"more before the answer"`, payload: `403`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, variable("FIXTURE_RUNTIME", "own"))
			for range 2 {
				got := s.invoke(tt.event)
				if string(got.Payload) != tt.payload || got.FunctionError != tt.functionError {
					t.Errorf("got %s with %q, want %s with %q", got.Payload, got.FunctionError, tt.payload, tt.functionError)
				}
			}
		})
	}
}

func TestSecondAnswerIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_RUNTIME", "own"))
	if got := s.invoke(`"answer twice"`); string(got.Payload) != `"first"` {
		t.Errorf("payload = %s, want the first answer", got.Payload)
	}
	s.log.message(t, "second answer: 400")
}

// A runtime that gives up waiting for work and asks again is as good as before.
func TestBrokenWaitLosesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_RUNTIME", "own"), func(cfg *Config) { cfg.MaxProcesses = 1 })
	pid := string(s.invoke(`"leave the line"`).Payload)
	s.log.message(t, "left the line")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if got := s.invoke(`"pid"`); string(got.Payload) != pid {
				t.Errorf("payload = %s, want %s from the same process", got.Payload, pid)
			}
		})
	}
	wg.Wait()
	s.settle(1)
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

// A runtime that gives up waiting for work and never asks again costs a process, not an invocation.
func TestProcessThatLeavesForGood(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_RUNTIME", "own"))
	pid := string(s.invoke(`"leave for good"`).Payload)
	s.log.message(t, "left the line")
	s.settleAway()
	if got := string(s.invoke(`"pid"`).Payload); got == pid {
		t.Errorf("process %s answered, which had left", got)
	}
}

// settleAway waits until the only process is known to wait for work no more.
func (s *stack) settleAway() {
	s.Helper()
	f := s.byName["ping"]
	eventually(s.T, "the process to be away", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for p := range f.processes {
			return p.state == away && len(f.idle) == 0
		}
		return false
	})
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

// An invocation lasts until the process asks for more: one that answers and then hangs is killed at its deadline.
func TestHangAfterTheAnswerEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_RUNTIME", "own"), timeout(2*time.Second))
	s.invoke(`"answer and hang"`)
	s.log.message(t, "Task timed out after 2.00 seconds")
	s.settle(0)
}

// A timer may run off at the moment its invocation ends; what comes next must not pay for it.
func TestDeadlineOfTheLastInvocationKillsNobody(t *testing.T) {
	t.Parallel()
	s := start(t)
	before := s.answer(`{}`).PID
	s.settle(1)
	f := s.byName["ping"]
	f.mu.Lock()
	p := f.idle[0]
	f.mu.Unlock()
	p.expire()
	g := newGate(t)
	after := make(chan int)
	go func() { after <- s.answer(g.event()).PID }()
	s.running(1, 0)
	p.expire()
	g.open()
	if pid := <-after; pid != before {
		t.Errorf("process %d answered, want %d", pid, before)
	}
}

func TestIdleProcessThatDiesCostsNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	pid := s.answer(`{}`).PID
	for range 5 {
		s.settle(1)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.settle(0)
		next := s.answer(`{}`).PID
		if next == pid {
			t.Errorf("process %d answered after its death", pid)
		}
		pid = next
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

func TestEnvironment(t *testing.T) {
	// no t.Parallel: the test sets variables of the host
	t.Setenv("AWS_SESSION_TOKEN", "a real one")
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_ACCESS_KEY_ID", "a real one")
	t.Setenv("GODEBUG", "http2client=0")
	s := start(t, with(func(fn *template.Function) {
		fn.Environment = map[string]string{"TABLE": "Connections", "EMPTY": "", "AWS_REGION": "us-east-1", "LANG": "C.UTF-8"}
		fn.LogLevel = "DEBUG"
	}))
	var list []string
	if err := json.Unmarshal(s.invoke(`{"do":"env"}`).Payload, &list); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
	}
	if !strings.HasPrefix(got["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:") {
		t.Errorf("AWS_LAMBDA_RUNTIME_API = %q", got["AWS_LAMBDA_RUNTIME_API"])
	}
	delete(got, "AWS_LAMBDA_RUNTIME_API")
	delete(got, "_X_AMZN_TRACE_ID") // set by aws-lambda-go
	delete(got, "PWD")              // set by os/exec
	delete(got, "GOCOVERDIR")       // there in a run that measures coverage
	want := map[string]string{
		"TABLE":                           "Connections",
		"EMPTY":                           "",
		"LANG":                            "C.UTF-8",
		"TZ":                              ":UTC",
		"PATH":                            os.Getenv("PATH"),
		"GODEBUG":                         "http2client=0",
		"AWS_REGION":                      "eu-west-1",
		"AWS_DEFAULT_REGION":              "eu-west-1",
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_FUNCTION_NAME":        "ping",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/ping",
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local/[$LATEST]",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"AWS_LAMBDA_LOG_LEVEL":            "DEBUG",
		"LAMBDA_TASK_ROOT":                filepath.Join(s.cfg.Dir, "PingFunction"),
		"_HANDLER":                        "bootstrap",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestWarm(t *testing.T) {
	t.Parallel()
	s := start(t, func(cfg *Config) {
		second := cfg.Functions[0]
		second.ID, second.Name = "AuthFunction", "auth"
		cfg.Functions = append(cfg.Functions, second)
	})
	for range 2 { // the second time there is nothing to do
		if err := s.Warm(t.Context()); err != nil {
			t.Fatalf("Warm = %v", err)
		}
		for _, f := range s.functions {
			f.mu.Lock()
			if len(f.idle) != 1 || len(f.processes) != 1 {
				t.Errorf("%s has %d processes, %d idle, want one of each", f.Name, len(f.processes), len(f.idle))
			}
			f.mu.Unlock()
		}
	}
	s.answer(`{}`)
	if s.log.has("cold start") {
		t.Error("the first invocation was a cold start")
	}
}

func TestColdStartIsNoted(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.answer(`{}`).RequestID
	line := s.log.message(t, "cold start")
	if line.RequestID != id || line.Function != "ping" || line.Level != "INFO" || line.Fields[0].Key != "ms" {
		t.Errorf("line = %+v, want one of %s", line, id)
	}
	var raw map[string]string
	if err := json.Unmarshal(line.Raw, &raw); err != nil || raw["message"] != "cold start" || raw["requestId"] != id || raw["function"] != "ping" || raw["level"] != "INFO" || raw["ms"] == "" {
		t.Errorf("raw = %s", line.Raw)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	s := start(t)
	var child int
	if err := json.Unmarshal(s.invoke(`{"do":"child"}`).Payload, &child); err != nil {
		t.Fatal(err)
	}
	pids := append(s.together(3), child)
	refused := make(chan error)
	go func() {
		_, err := s.client.Invoke(t.Context(), "ping", []byte(`{"do":"hang"}`))
		refused <- err
	}()
	s.running(1, 0)
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v", err)
	}
	if e, ok := errors.AsType[*Error](<-refused); !ok || e.Code != "ServiceException" || e.Status != http.StatusInternalServerError {
		t.Errorf("the invocation under way: %v, want a ServiceException", e)
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d to be gone", pid), func() bool { return !alive(pid) })
	}
	if _, err := s.client.Invoke(t.Context(), "ping", nil); err == nil {
		t.Error("a function was invoked after Close")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again = %v", err)
	}
	for _, line := range s.log.all() {
		if strings.Contains(line.Message, "Runtime exited") || strings.Contains(line.Message, "/invocation/next") {
			t.Errorf("Close was noisy: %s", line.Message)
		}
	}
}

func TestCloseDuringStarts(t *testing.T) {
	t.Parallel()
	s := start(t, variable("FIXTURE_INIT", "hang"))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Warm(t.Context()); err == nil {
			t.Error("Warm = nil for a function that never started")
		}
	})
	eventually(t, "the first start", func() bool {
		f := s.byName["ping"]
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.starting == 1
	})
	for range 5 {
		wg.Go(func() {
			if _, err := s.client.Invoke(t.Context(), "ping", nil); err == nil {
				t.Error("a function was invoked that never started")
			}
		})
	}
	f := s.byName["ping"]
	eventually(t, "five starts", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.starting == 5
	})
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v", err)
	}
	wg.Wait()
}

// stackToKill is the other process of TestKilledStackLeavesNothing: it runs functions until it is killed, and prints their
// processes.
func stackToKill() {
	rt := New(Config{Functions: []template.Function{{ID: "PingFunction", Name: "ping", Timeout: time.Hour}}, Dir: os.Getenv("LAMBDA_TEST_STACK")})
	f := rt.byName["ping"]
	call := func(event string) {
		inv := &invocation{id: newRequestID(), payload: []byte(event), done: make(chan outcome, 1)}
		result, err := f.invoke(context.Background(), inv)
		fmt.Println(string(result.Payload), err)
	}
	if err := rt.Warm(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go call(`{"do":"hang"}`)
	for !f.held() {
		time.Sleep(time.Millisecond)
	}
	call(`{}`) // a second process, idle from now on
	f.mu.Lock()
	for p := range f.processes {
		fmt.Println("process", p.pid)
	}
	f.mu.Unlock()
	fmt.Println("ready")
	select {}
}

// held says whether all processes of the function have work that their code has begun.
func (f *function) held() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.processes {
		if p.state != busy || !p.called {
			return false
		}
	}
	return true
}

func TestKilledStackLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	install(t, dir, "PingFunction")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.CommandContext(t.Context(), self)
	other.Env = append(os.Environ(), "LAMBDA_TEST_STACK="+dir)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "process %d", &pid); err == nil {
			pids = append(pids, pid)
		}
		said = append(said, lines.Text())
	}
	if len(pids) != 2 {
		t.Fatalf("the other stack runs %v, want two processes: %q", pids, said)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("process %d is dead before its stack", pid)
		}
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d to end with its stack", pid), func() bool { return !alive(pid) })
	}
}
