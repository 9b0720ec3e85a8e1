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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

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
