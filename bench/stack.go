package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startWithin bounds a start; one whose functions were never built takes a minute of it.
	startWithin = 3 * time.Minute
	// endWithin bounds an orderly end: the stack gives itself five seconds for clients and functions.
	endWithin = 15 * time.Second
	// patience is how long anything that must come is waited for.
	patience = 30 * time.Second
	// keptLines is how many of the stack's last lines an error shows.
	keptLines = 20
)

// build makes the program of the stack.
func build(ctx context.Context, dir string) (program string, err error) {
	if program, err = filepath.Abs(filepath.Join(dir, ".build", "rtlocal")); err != nil {
		return "", fmt.Errorf("build the stack: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./local")
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the stack: %w: %s", err, output)
	}
	return program, nil
}

// A stack is a running rtlocal, in a process of its own.
type stack struct {
	url       string // of all APIs
	socketURL string
	bus       string
	ready     time.Duration // from exec to the line that says so

	cmd    *exec.Cmd
	http   *http.Client
	ended  chan struct{} // closed when its output has ended
	mu     sync.Mutex
	latest []string // lines
}

// launch starts a stack and returns when it is ready.
func launch(ctx context.Context, program, dir string) (*stack, error) {
	s := &stack{
		cmd:   exec.Command(program, "run", "--port", "0"),
		http:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: patience},
		ended: make(chan struct{}),
	}
	s.cmd.Dir = dir
	output, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	s.cmd.Stderr = s.cmd.Stdout
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	address := make(chan string, 1)
	go s.follow(output, address)
	select {
	case s.url = <-address:
		s.ready = time.Since(began)
		err = s.learn(ctx)
	case <-s.ended:
		err = errors.New("it ended")
	case <-time.After(startWithin):
		err = fmt.Errorf("it is not ready after %v", startWithin)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the stack: %w; its last lines:\n%s", err, s.lastLines()), s.end())
	}
	return s, nil
}

// follow reads what the stack prints. The first address of its APIs stands in what it says when it is ready.
func (s *stack) follow(output io.Reader, address chan<- string) {
	defer close(s.ended)
	lines := bufio.NewReader(output)
	found := false
	for {
		line, err := lines.ReadString('\n')
		if after, ok := strings.CutPrefix(strings.TrimSpace(line), "AWS APIs"); ok && !found {
			if fields := strings.Fields(after); len(fields) > 0 {
				found = true
				address <- fields[0]
			}
		}
		s.mu.Lock()
		s.latest = append(s.latest[max(0, len(s.latest)-keptLines+1):], strings.TrimSuffix(line, "\n"))
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *stack) lastLines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.latest, "\n")
}

// learn asks the stack where its socket and its bus are.
func (s *stack) learn(ctx context.Context) error {
	var info struct{ WebSocketURL, EventBus string }
	if err := s.ask(ctx, "/_local/info", nil, &info); err != nil {
		return err
	}
	s.socketURL, s.bus = info.WebSocketURL, info.EventBus
	return nil
}

// token is one of the stack's own issuer.
func (s *stack) token(ctx context.Context, tenant, user string) (string, error) {
	var t struct{ Token string }
	err := s.ask(ctx, "/_local/token", url.Values{"tenant": {tenant}, "user": {user}}, &t)
	return t.Token, err
}

func (s *stack) ask(ctx context.Context, path string, query url.Values, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	return s.do(request, answer)
}

// do sends a request and reads its answer.
func (s *stack) do(request *http.Request, answer any) error {
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, body)
	}
	return json.Unmarshal(body, answer)
}

func (s *stack) census() *census { return takeCensus(s.cmd.Process.Pid) }

// end ends the stack and returns when it and all it started are gone.
func (s *stack) end() error {
	s.http.CloseIdleConnections()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	kill := time.AfterFunc(endWithin, func() { _ = s.cmd.Process.Kill() })
	<-s.ended // the functions hold the pipe too
	err := s.cmd.Wait()
	if !kill.Stop() {
		return fmt.Errorf("the stack did not end within %v and was killed", endWithin)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the stack ended with %s; its last lines:\n%s", exit, s.lastLines())
	}
	return err
}
