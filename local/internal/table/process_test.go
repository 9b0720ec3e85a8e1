package table

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// runStackProcess runs the test binary as a stack with two engines, in a process group of its own as under a terminal.
func runStackProcess(t *testing.T) (stack *exec.Cmd, addresses []string, output *bufio.Reader) {
	t.Helper()
	stack = exec.Command(os.Args[0])
	stack.Env = append(os.Environ(), stackVariable+"=1")
	stack.Stderr = os.Stderr
	stack.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := stack.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stack.Process.Kill()
		_ = stack.Wait()
	})
	output = bufio.NewReader(out)
	line, err := output.ReadString('\n')
	if err != nil {
		t.Fatalf("the stack says %q, %v", line, err)
	}
	for _, raw := range strings.Fields(line) {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			t.Fatalf("the stack says %q", line)
		}
		addresses = append(addresses, u.Host)
	}
	return stack, addresses, output
}

func answers(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func TestEngineEndsWithAKilledStack(t *testing.T) {
	t.Parallel()
	stack, addresses, _ := runStackProcess(t)
	for _, a := range addresses {
		if !answers(a) {
			t.Errorf("engine at %s is not there before the stack is killed", a)
		}
	}
	if err := stack.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if !eventually(func() bool { return !answers(a) }) {
			t.Errorf("engine at %s outlives the killed stack", a)
		}
	}
}

// TestEngineSurvivesCtrlC: a terminal interrupts the stack's whole group; the stack still needs its tables then.
func TestEngineSurvivesCtrlC(t *testing.T) {
	t.Parallel()
	stack, addresses, output := runStackProcess(t)
	if err := syscall.Kill(-stack.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(output)
	if err != nil || string(said) != "alive\nalive\n" {
		t.Errorf("after an interrupt the stack says %q, %v, want both engines alive", said, err)
	}
	for _, a := range addresses {
		if answers(a) {
			t.Errorf("engine at %s is there after Close", a)
		}
	}
}

// TestEngineOutlivesTheThreadThatStartedIt: Linux's parent-death signal would end it with that thread.
func TestEngineOutlivesTheThreadThatStartedIt(t *testing.T) {
	t.Parallel()
	started := make(chan *Engine)
	go func() {
		runtime.LockOSThread() // and end locked: the thread ends with the goroutine
		e, err := Start(context.Background(), Config{EngineDir: engineDir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
		}
		started <- e
	}()
	e := <-started
	if e == nil {
		return
	}
	t.Cleanup(func() { _ = e.Close() })
	for range 20 {
		if res, answer := send(t, serve(t, e), "ListTables", `{}`); res.StatusCode != 200 {
			t.Fatalf("ListTables = %d %s", res.StatusCode, answer)
		}
	}
}

func TestCrashIsToldAndNobodyElseIsAsked(t *testing.T) {
	t.Parallel()
	e := startEngine(t, events)
	address := serve(t, e)
	if res, _ := send(t, address, "ListTables", `{}`); res.StatusCode != 200 {
		t.Fatalf("status %d before the crash", res.StatusCode)
	}
	if e.Err() != nil {
		t.Errorf("Err = %v while it runs, want nil", e.Err())
	}
	if err := e.process.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.Done()
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "the embedded DynamoDB ended: signal: killed") {
		t.Errorf("Err = %v, want the signal", err)
	}
	var asked atomic.Int32
	listener, err := net.Listen("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	stranger := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}}
	stranger.Start()
	t.Cleanup(stranger.Close)
	for range 2 { // the first may meet a connection kept from before
		res, answer := send(t, address, "ListTables", `{}`)
		if res.StatusCode != 500 || !strings.Contains(answer, "#InternalServerError") || asked.Load() != 0 {
			t.Errorf("after the crash: %d %s, %d requests to a stranger at its port; want InternalServerError and none", res.StatusCode, answer, asked.Load())
		}
	}
}

func TestTakenPortIsTriedNoMore(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	tries := 0
	cfg := Config{EngineDir: engineDir, Log: slog.New(slog.DiscardHandler)}
	port := func(free bool) func() (int, error) {
		return func() (int, error) {
			if tries++; free && tries == 3 {
				return freePort()
			}
			return taken.Addr().(*net.TCPAddr).Port, nil
		}
	}
	e, err := start(t.Context(), cfg, port(true))
	if err != nil || tries != 3 {
		t.Fatalf("start = %v after %d ports, want success at the third", err, tries)
	}
	_ = e.Close()
	tries = 0
	if _, err := start(t.Context(), cfg, port(false)); err == nil || !strings.Contains(err.Error(), "already in use") || tries != portTries {
		t.Errorf("start = %v after %d ports, want the engine's reason after %d", err, tries, portTries)
	}
}

// install makes an engine of a shell script.
func install(t *testing.T, script string) Config {
	t.Helper()
	dir := t.TempDir()
	for _, platform := range []string{"linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"} {
		binary := filepath.Join(dir, "node_modules", "@dynoxide", platform, "dynoxide")
		if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return Config{EngineDir: dir, Log: slog.New(slog.DiscardHandler)}
}

func TestEngineThatDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, want string }{
		"says why":     {"echo 'error: disk full' >&2; exit 1", "start the embedded DynamoDB: disk full"},
		"says nothing": {"exit 7", "start the embedded DynamoDB: exit status 7"},
		"just ends":    {"exit 0", "start the embedded DynamoDB: exit status 0"},
		"is no binary": {`exec "$0.none"`, "not found"},
	} {
		if _, err := Start(t.Context(), install(t, tt.script)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("an engine that %s: Start = %v, want %q", name, err, tt.want)
		}
	}
}

// TestStartGivenUp: an engine that never listens is ended together with what it started, even if it ignores being asked.
func TestStartGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := install(t, fmt.Sprintf("trap '' TERM; echo $$ > %[1]s/pid; sleep 1000 & mv %[1]s/pid %[1]s/up; wait", dir))
	ctx, giveUp := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := Start(ctx, cfg)
		result <- err
	}()
	if !eventually(func() bool { _, err := os.Stat(dir + "/up"); return err == nil }) {
		t.Error("the engine did not run")
	}
	giveUp(errors.New("interrupted"))
	if err := <-result; err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("Start = %v, want the reason for giving up", err)
	}
}

func TestEnginesLastWordsAreLogged(t *testing.T) {
	t.Parallel()
	var logged logBuffer
	cfg := install(t, `while [ "$1" != --port ]; do shift; done
		echo "Dynoxide listening on http://127.0.0.1:$2" >&2
		echo "thread 'main' panicked" >&2; exit 101`)
	cfg.Log = slog.New(slog.NewTextHandler(&logged, nil))
	e, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	<-e.Done()
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "panicked") || !strings.Contains(logged.String(), "panicked") {
		t.Errorf("Err = %v, log %q, want the panic in both", err, logged.String())
	}
	_ = e.Close()
}
