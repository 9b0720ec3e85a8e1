// Package localtest starts the local stack for Go tests: the real functions behind the imitated AWS, on a free port.
//
//	stack := localtest.Start(t, localtest.Options{})
//	conn, _, err := websocket.Dial(ctx, stack.WebSocketURL, nil)
//
// It needs what `make run` needs: Go, make, and the embedded DynamoDB (`npm ci --prefix local/engine`). The functions are built
// into .build/test, where what is unchanged is not built again.
package localtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/product"
	"github.com/purposepath/realtime/local/internal/stack"
)

// startWithin bounds building and starting, on a machine that is busy with other tests.
const startWithin = 5 * time.Minute

// Options of a stack. The zero Options run the template of the nearest folder above that has one.
type Options struct {
	Dir        string            // holds template.yaml and samconfig.toml
	Parameters map[string]string // of the template, over those of samconfig.toml
	Speed      float64           // of the stack's clock; 0 = 1. Functions keep real time.
}

// A Stack is running until its test ends.
type Stack struct {
	URL          string // of all APIs: an AWS client's endpoint
	WebSocketURL string
	Bus          string // event bus that the template's rules listen to

	stack *stack.Stack
	mu    sync.Mutex
	lines bytes.Buffer
	raw   []Line
}

// A Line is one line of the log as it was written: JSON, metrics among them.
type Line struct {
	Function string // or part of the stack
	Text     string
}

// Start starts a stack and ends it with the test. On failure the test's log has the functions' lines.
func Start(t testing.TB, o Options) *Stack {
	t.Helper()
	s, stop, err := start(t.Context(), o)
	if err != nil {
		t.Fatalf("start the local stack: %v", err)
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("lines of the stack:\n%s", s.Lines())
		}
	})
	return s
}

// StartMain starts a stack for a whole test binary, from TestMain; the caller calls stop.
func StartMain(o Options) (s *Stack, stop func(), err error) { return start(context.Background(), o) }

func start(ctx context.Context, o Options) (*Stack, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = nearest("template.yaml"); err != nil {
			return nil, nil, err
		}
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	s := &Stack{}
	printer := lambda.NewPrinter(writer{s})
	var err error
	s.stack, err = stack.Start(ctx, stack.Config{
		Dir: dir, Overrides: o.Parameters, Address: "127.0.0.1:0", Clock: clock.New(o.Speed),
		Log: func(line lambda.Line) {
			printer.Print(line)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.raw = append(s.raw, Line{line.Function, string(line.Raw)})
		},
		// Not the folder of `make run`, whose functions may be those of another moment.
		BuildDir: filepath.Join(dir, ".build", "test"),
	})
	if err != nil {
		return nil, nil, err
	}
	s.URL, s.WebSocketURL, s.Bus = s.stack.URL, s.stack.WebSocketURL(), s.stack.Bus()
	return s, s.stack.Close, nil
}

func nearest(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}

type writer struct{ s *Stack }

func (w writer) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.lines.Write(p)
}

// Lines are what functions and stack have logged so far, as `make run` prints it.
func (s *Stack) Lines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines.String()
}

// Raw are the lines so far as they were written, metrics included.
func (s *Stack) Raw() []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.raw)
}

// LinesWith are the lines so far that hold all of the parts.
func (s *Stack) LinesWith(parts ...string) []string {
	var found []string
	for line := range strings.Lines(s.Lines()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

// Attach returns a stack that runs already, in another process. It has no lines.
func Attach(ctx context.Context, endpoint string) (*Stack, error) {
	s := &Stack{URL: strings.TrimSuffix(endpoint, "/")}
	var info stack.Info
	if err := s.get(ctx, "/_local/info", &info); err != nil {
		return nil, err
	}
	s.WebSocketURL, s.Bus = info.WebSocketURL, info.EventBus
	return s, nil
}

// Token is a token of the stack's own issuer. A life below zero gives one that ran out so long ago.
func (s *Stack) Token(t testing.TB, tenantID, userID string, life time.Duration) string {
	t.Helper()
	if s.stack != nil {
		token, _, err := s.stack.Issuer.Token(tenantID, userID, life)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	var answer product.Token
	query := url.Values{"tenant": {tenantID}, "user": {userID}, "expires": {life.String()}}
	if err := s.get(context.Background(), "/_local/token?"+query.Encode(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

func (s *Stack) get(ctx context.Context, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// Fault makes the stack fail: a JSON object as POST /_local/faults takes it.
func (s *Stack) Fault(t testing.TB, fault string) {
	t.Helper()
	s.faults(t, http.MethodPost, fault, http.StatusCreated)
}

// NoFaults removes the faults that are left.
func (s *Stack) NoFaults(t testing.TB) {
	t.Helper()
	s.faults(t, http.MethodDelete, "", http.StatusNoContent)
}

func (s *Stack) faults(t testing.TB, method, body string, want int) {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+"/_local/faults", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if said, _ := io.ReadAll(response.Body); response.StatusCode != want {
		t.Fatalf("faults: %s %s", response.Status, said)
	}
}
