package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

// fixture is the bootstrap that all tests run, built once from testdata/fixture.
var fixture string

func TestMain(m *testing.M) {
	if os.Getenv("LAMBDA_TEST_STACK") != "" {
		stackToKill()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambda")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	fixture = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", fixture, "./testdata/fixture")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the fixture: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if leaked := leakedGoroutines(); code == 0 && leaked != "" {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s", leaked)
		return 1
	}
	return code
}

// leakedGoroutines waits for the goroutines of ended tests to end and returns the stacks of those that do not.
func leakedGoroutines() string {
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		left = nil
		for _, stack := range strings.Split(string(buf), "\n\n")[1:] { // the first is this one
			if strings.Contains(stack, "local/internal/lambda") || strings.Contains(stack, "net/http") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n\n")
}

// A stack is a Runtime behind a server, a Client of it, and its log.
type stack struct {
	*testing.T
	*Runtime
	client *Client
	url    string
	log    *logBook
}

// options change a function or the Config before the stack starts.
type option func(*Config)

func with(change func(*template.Function)) option {
	return func(cfg *Config) {
		for i := range cfg.Functions {
			change(&cfg.Functions[i])
		}
	}
}

func variable(name, value string) option {
	return with(func(fn *template.Function) { fn.Environment[name] = value })
}

func timeout(d time.Duration) option {
	return with(func(fn *template.Function) { fn.Timeout = d })
}

// start runs a stack of one function, PingFunction with the name ping, from the fixture.
func start(t *testing.T, options ...option) *stack {
	t.Helper()
	s := &stack{T: t, log: &logBook{}}
	cfg := Config{
		Functions: []template.Function{{
			ID:          "PingFunction",
			Name:        "ping",
			Runtime:     "provided.al2023",
			Handler:     "bootstrap",
			Timeout:     time.Minute,
			MemoryMB:    128,
			Environment: map[string]string{"STAGE": "local"},
			LogFormat:   "JSON",
		}},
		Region: "eu-west-1",
		Dir:    t.TempDir(),
		Log:    s.log.add,
	}
	for _, o := range options {
		o(&cfg)
	}
	for _, fn := range cfg.Functions {
		install(t, cfg.Dir, fn.ID)
	}
	s.Runtime = New(cfg)
	server := httptest.NewServer(s.Runtime)
	s.url = server.URL
	s.client = NewClient(server.URL, server.Client())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		server.Close()
	})
	return s
}

// install puts the fixture where a Runtime looks for a function's bootstrap.
func install(t testing.TB, dir, id string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, id), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fixture, filepath.Join(dir, id, "bootstrap")); err != nil {
		t.Fatal(err)
	}
}

// invoke calls ping and fails the test where it is not invoked.
func (s *stack) invoke(event string) Result {
	s.Helper()
	result, err := s.client.Invoke(s.Context(), "ping", []byte(event))
	if err != nil {
		s.Fatalf("Invoke(%s) = %v", event, err)
	}
	return result
}

// An answer is what the fixture answers when nothing else was asked of it.
type answer struct {
	PID       int    `json:"pid"`
	Text      string `json:"text"`
	RequestID string `json:"requestId"`
	ARN       string `json:"arn"`
	Client    string `json:"client"`
	Trace     string `json:"trace"`
	Remaining int64  `json:"remaining"` // milliseconds
}

func (s *stack) answer(event string) answer {
	s.Helper()
	result := s.invoke(event)
	var a answer
	if err := json.Unmarshal(result.Payload, &a); err != nil || result.FunctionError != "" {
		s.Fatalf("Invoke(%s) = %s, %q", event, result.Payload, result.FunctionError)
	}
	return a
}

// settle waits until n processes are idle and none does anything else.
func (s *stack) settle(n int) {
	s.Helper()
	f := s.byName["ping"]
	eventually(s.T, fmt.Sprintf("%d idle processes", n), func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.idle) == n && len(f.processes) == n
	})
}

// running waits until n invocations run in processes, and waiting more are in line.
func (s *stack) running(n, waiting int) {
	s.Helper()
	f := s.byName["ping"]
	eventually(s.T, fmt.Sprintf("%d running, %d in line", n, waiting), func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.admitted == n+waiting && len(f.waiting) == waiting
	})
}

// A gate holds the functions that were called with its event until it is opened.
type gate struct {
	*testing.T
	file string
}

func newGate(t *testing.T) gate { return gate{t, filepath.Join(t.TempDir(), "open")} }

func (g gate) event() string { return fmt.Sprintf(`{"do":"wait","text":%q}`, g.file) }

func (g gate) open() {
	g.Helper()
	if err := os.WriteFile(g.file, nil, 0o644); err != nil {
		g.Error(err)
	}
}

// A failure is Lambda's error object.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// post sends one raw request to the Invoke API.
func (s *stack) post(path, body string, header ...string) (*http.Response, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		s.Fatal(err)
	}
	return resp, b.String()
}

// A logBook keeps Lines.
type logBook struct {
	mu    sync.Mutex
	lines []Line
}

func (b *logBook) add(line Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (b *logBook) all() []Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Line(nil), b.lines...)
}

// wait returns the first line that matches, however long it takes to come.
func (b *logBook) wait(t *testing.T, what string, match func(Line) bool) Line {
	t.Helper()
	var found Line
	eventually(t, "a line: "+what, func() bool {
		for _, line := range b.all() {
			if match(line) {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

func (b *logBook) message(t *testing.T, message string) Line {
	t.Helper()
	return b.wait(t, message, func(l Line) bool { return l.Message == message })
}

func (b *logBook) has(message string) bool {
	return slices.ContainsFunc(b.all(), func(l Line) bool { return l.Message == message })
}

// eventually polls until ok, for as long as a loaded machine may need.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("still waiting for %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// alive says whether a process runs. A zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return exec.Command("kill", "-0", fmt.Sprint(pid)).Run() == nil && runtime.GOOS != "linux"
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
