package lambda

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
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
	if got.Remaining <= 30_000 || got.Remaining > 60_000 {
		t.Errorf("%d ms left of a minute", got.Remaining)
	}
	if !strings.HasPrefix(got.Trace, "Root=1-") {
		t.Errorf("trace id = %q", got.Trace)
	}
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

// The end of a killed process is seen a moment later: what is called in between must not go to it.
func TestKilledProcessGetsNoMoreWork(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 20 {
		g := newGate(t)
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { s.answer(g.event()) })
		}
		s.running(3, 0)
		g.open()
		calls.Wait()
		s.settle(3)
		if got := s.Kill("ping"); got != 3 {
			t.Fatalf("killed %d processes, want 3", got)
		}
		s.answer(`{}`)
		s.Kill("ping")
		s.settle(0)
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
