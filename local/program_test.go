package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// rtlocal is the program under test, built once; goCache is Go's build cache.
var rtlocal, goCache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rtlocal-")
	if err != nil {
		panic(err)
	}
	rtlocal = filepath.Join(dir, "rtlocal")
	if out, err := exec.Command("go", "build", "-o", rtlocal, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		os.Exit(1)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		panic(err)
	}
	goCache = strings.TrimSpace(string(cache))
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// A result is how a run of the program ended.
type result struct {
	out, err string
	code     int
}

// run runs the program to its end.
func run(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, rtlocal, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if env != nil {
		cmd.Env = env
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("rtlocal %v did not end; it said:\n%s%s", args, out.String(), errs.String())
	}
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// application is a folder with a template of one function, from files by name.
func application(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const smallTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: { FunctionArn: !GetAtt HelloFunction.Arn }
  HelloFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: makefile }
    Properties: { Runtime: provided.al2023, Handler: bootstrap, CodeUri: ., Timeout: 5 }
`

const makefile = "build-%:\n\t@go build -o $(ARTIFACTS_DIR)/bootstrap .\n"

func TestWhatCanNotStartSaysWhyInOneLine(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	_, busyPort, _ := net.SplitHostPort(busy.Addr().String())
	goMod := "module hello\n\ngo 1.26\n"
	tests := []struct {
		name string
		args []string
		env  []string
		dir  map[string]string
		want []string // the lines of standard error; DIR is the folder
		code int
	}{
		{name: "a busy port", args: []string{"--port", busyPort}, code: 1,
			want: []string{"rtlocal run: port " + busyPort + " is in use: end what listens there (is a stack running already?), or choose another with PORT=5056 make run"}},
		{name: "no template", args: []string{"--port", "0"}, dir: map[string]string{}, code: 1,
			want: []string{"rtlocal run: read the template: open DIR/template.yaml: no such file or directory"}},
		{name: "a broken template", args: []string{"--port", "0"}, code: 1,
			dir:  map[string]string{"template.yaml": strings.Replace(smallTemplate, "HelloFunction.Arn", "MissingFunction.Arn", 1)},
			want: []string{"rtlocal run: DIR/template.yaml:8: MissingFunction.Arn: there is no resource MissingFunction in this template"}},
		{name: "no WebSocket API", args: []string{"--port", "0"}, code: 1,
			dir:  map[string]string{"template.yaml": "Resources:\n  Q: { Type: AWS::SQS::Queue }\n"},
			want: []string{"rtlocal run: DIR/template.yaml: there is no WebSocket API in it"}},
		{name: "no toolchain", args: []string{"--port", "0"}, env: []string{"PATH=/nowhere"}, code: 1,
			dir:  map[string]string{"template.yaml": smallTemplate, "Makefile": makefile, "go.mod": goMod},
			want: []string{"building 1 functions …", "rtlocal run: build HelloFunction: make is not installed (not on PATH): install it"}},
		{name: "a function that does not build", args: []string{"--port", "0"}, code: 1,
			dir:  map[string]string{"template.yaml": smallTemplate, "Makefile": makefile, "go.mod": goMod, "main.go": "package main\n\nfunc main() { undefined() }\n"},
			want: []string{"building 1 functions …", "rtlocal run: build HelloFunction: make build-HelloFunction: exit status 2", "# hello", "./main.go:3:15: undefined: undefined", "…"}},
		{name: "no engine", args: []string{"--port", "0"}, code: 1,
			dir:  map[string]string{"template.yaml": smallTemplate, "Makefile": makefile, "go.mod": goMod, "main.go": "package main\n\nfunc main() {}\n"},
			want: []string{"building 1 functions …", "rtlocal run: the embedded DynamoDB is not installed: run `npm ci --prefix DIR/local/engine`, or name a DynamoDB endpoint of your own with --dynamodb-endpoint URL"}},
		{name: "a word too much", args: []string{"now"}, code: 2, want: []string{`rtlocal run: it takes flags only, got "now"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"run"}, tt.args...)
			dir := ""
			if tt.dir != nil {
				dir = application(t, tt.dir)
				args = append(args, "--dir", dir)
			}
			env := tt.env
			if env == nil {
				env = os.Environ()
			}
			// The user's cache may hold an engine; Go's stays where it is.
			got := run(t, append(env, "XDG_CACHE_HOME="+t.TempDir(), "GOCACHE="+goCache), "", args...)
			if got.code != tt.code || got.out != "" {
				t.Errorf("exit %d and %q, want exit %d and nothing", got.code, got.out, tt.code)
			}
			if dir != "" {
				got.err = strings.ReplaceAll(got.err, dir, "DIR")
			}
			lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
			for i, want := range tt.want {
				prefix, open := strings.CutSuffix(want, "…")
				if i >= len(lines) || (lines[i] != want && (!open || !strings.HasPrefix(lines[i], prefix))) {
					t.Fatalf("said:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

func TestMakeRunWithoutGoSaysSo(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not installed")
	}
	cmd := exec.Command(path, "-C", "..", "--no-print-directory", "run")
	cmd.Env = []string{"PATH=/nowhere"}
	out, err := cmd.CombinedOutput()
	first, _, _ := strings.Cut(string(out), "\n")
	if err == nil || first != "Go 1.26 is not installed: see https://go.dev/dl" {
		t.Errorf("make run: %v, said %q", err, out)
	}
}

// A running stack, as a user starts it.
type running struct {
	cmd *exec.Cmd
	url string
	mu  sync.Mutex
	out bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

func (r *running) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// start runs the stack of this repository on a free port until it is ready.
func start(t *testing.T) *running {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	r := &running{url: "http://localhost:" + port, cmd: exec.Command(rtlocal, "run", "--dir", "..", "--port", port)}
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	for deadline := time.Now().Add(patience); !strings.Contains(r.said(), "Ctrl-C ends everything"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready; it said:\n%s", r.said())
		}
	}
	return r
}

// children are the processes below the stack, from /proc.
func (r *running) children(t *testing.T) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("child processes are read from /proc")
	}
	var below []string
	for open := []string{fmt.Sprint(r.cmd.Process.Pid)}; len(open) > 0; open = open[1:] {
		tasks, _ := filepath.Glob("/proc/" + open[0] + "/task/*/children")
		for _, task := range tasks {
			list, _ := os.ReadFile(task)
			below, open = append(below, strings.Fields(string(list))...), append(open, strings.Fields(string(list))...)
		}
	}
	return below
}

// gone waits until the processes have ended.
func gone(t *testing.T, pids []string) {
	t.Helper()
	for _, pid := range pids {
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			status, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil || strings.Contains(string(status), ") Z ") { // a zombie has ended: nobody waits for it but init
				break
			}
			if time.Now().After(deadline) {
				command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
				t.Fatalf("process %s is left: %q", pid, command)
			}
		}
	}
}

func TestEverythingEndsWithTheStack(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]os.Signal{"Ctrl-C": os.Interrupt, "kill -9": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			children := r.children(t)
			if len(children) < 9 { // eight functions and the engine
				t.Errorf("%d processes below the stack", len(children))
			}
			if err := r.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			err := r.cmd.Wait()
			if signal == os.Interrupt && err != nil {
				t.Errorf("ended with %v; it said:\n%s", err, r.said())
			}
			gone(t, children)
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	r := start(t)
	// The children of the commands don't see the port of the environment.
	call := func(t *testing.T, stdin string, args ...string) result {
		t.Helper()
		return run(t, nil, stdin, append(args, "--endpoint", r.url)...)
	}
	well := func(t *testing.T, got result) string {
		t.Helper()
		if got.code != 0 || got.err != "" {
			t.Fatalf("exit %d: %s", got.code, got.err)
		}
		return strings.TrimSpace(got.out)
	}
	token := well(t, call(t, "", "token", "--tenant", "acme", "--user", "ana", "--expires", "15m"))
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \n") {
		t.Errorf("token printed %q, want the token alone", token)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listener := exec.CommandContext(ctx, rtlocal, "listen", "--tenant", "acme", "--endpoint", r.url)
	listener.Cancel = func() error { return listener.Process.Signal(os.Interrupt) }
	heard := &running{}
	listener.Stdout, listener.Stderr = heard, heard
	if err := listener.Start(); err != nil {
		t.Fatal(err)
	}
	hears := func(text string) {
		t.Helper()
		for deadline := time.Now().Add(patience); !strings.Contains(heard.said(), text); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not heard %q in:\n%s", text, heard.said())
			}
		}
	}
	hears("auth.success")
	well(t, call(t, "", "publish", "goal.created", "--tenant", "acme", "--events", "../events"))
	hears("goal.created")
	well(t, call(t, `{"goalId":"from stdin","resumedAt":"2026-11-22T09:00:00.000Z","resumedBy":"u"}`, "publish", "goal.resumed", "--tenant", "acme", "--data", "-", "--events", "../events"))
	hears("from stdin")

	var sample struct {
		RequestContext struct {
			ConnectionID     string
			RequestTimeEpoch int64
		}
		Body string
	}
	if err := json.Unmarshal([]byte(well(t, call(t, "", "event", "auth", "--events", "../events"))), &sample); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(heard.said(), sample.RequestContext.ConnectionID) || time.Since(time.UnixMilli(sample.RequestContext.RequestTimeEpoch)) > patience ||
		!strings.Contains(sample.Body, `"token":"eyJ`) {
		t.Errorf("event auth = %+v", sample)
	}

	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"publish", "goal.exploded", "--tenant", "acme", "--events", "../events"}, 1, `rtlocal publish: no event type "goal.exploded"; there are action.completed, `},
		{[]string{"publish", "goal.created"}, 2, "rtlocal publish: give one event type and --tenant"},
		{[]string{"publish", "goal.created", "--tenant", "acme", "--data", "[1]"}, 1, "rtlocal publish: the payload is not a JSON object"},
		{[]string{"token", "--tenant", "acme"}, 2, "rtlocal token: --tenant and --user are required"},
		{[]string{"token", "--tenant", "acme", "--user", "ana", "--expires", "soon"}, 1, `says: expires is "soon": give a duration such as 15m or 90s`},
		{[]string{"event", "nothing", "--events", "../events"}, 1, `rtlocal event: no sample "nothing"; there are action-completed, `},
		{[]string{"simulate", "--rate", "0"}, 2, "rtlocal simulate: --rate is 0, not above 0 and at most 1000"},
		{[]string{"listen", "--url", "wss://example.invalid"}, 2, "rtlocal listen: --url needs --token"},
	} {
		if got := call(t, "", tt.args...); got.code != tt.code || !strings.Contains(got.err, tt.want) {
			t.Errorf("%v: exit %d, %q; want %d, %q", tt.args, got.code, got.err, tt.code, tt.want)
		}
	}
	cancel()
	if err := listener.Wait(); err != nil && listener.ProcessState.ExitCode() != 0 {
		t.Errorf("listen ended with %v: %s", err, heard.said())
	}
}

func TestTheStacksOwnPages(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, tt := range []struct {
		name, path, host, origin string
		status                   int
		allow                    string
	}{
		{name: "health", path: "/_health", status: 200},
		{name: "a token for a page of this machine", path: "/_local/token?tenant=acme&user=ana&expires=60s", origin: "http://localhost:3000", status: 200, allow: "http://localhost:3000"},
		{name: "no token for a page of elsewhere", path: "/_local/token?tenant=acme&user=ana", origin: "https://evil.example", status: 403},
		{name: "no token under a rebound name", path: "/_local/token?tenant=acme&user=ana", host: "evil.example", status: 403},
		{name: "a token needs a tenant", path: "/_local/token?user=ana", status: 400},
		{name: "keys", path: "/_local/issuer/.well-known/jwks.json", status: 200},
		{name: "an unknown page", path: "/_local/nothing", status: 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.origin != "" {
			request.Header.Set("Origin", tt.origin)
		}
		request.Host = tt.host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != tt.status || response.Header.Get("Access-Control-Allow-Origin") != tt.allow {
			t.Errorf("%s: %s, allowed %q, want %d and %q", tt.name, response.Status, response.Header.Get("Access-Control-Allow-Origin"), tt.status, tt.allow)
		}
	}
}

func TestACommandWithoutAStackSaysSo(t *testing.T) {
	t.Parallel()
	got := run(t, []string{"PORT=1"}, "", "token", "--tenant", "acme", "--user", "ana")
	want := "rtlocal token: no stack answers at http://localhost:1: start one with `make run`, or name another with --endpoint\n"
	if got.code != 1 || got.err != want {
		t.Errorf("exit %d, %q, want %q", got.code, got.err, want)
	}
	if got := run(t, nil, "", "fly"); got.code != 2 || got.err != "rtlocal: unknown command \"fly\"; `rtlocal help` lists them\n" {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	if got := run(t, nil, "", "help"); got.code != 0 || strings.Count(got.out, "rtlocal ") < 6 {
		t.Errorf("help: exit %d, %q", got.code, got.out)
	}
}
