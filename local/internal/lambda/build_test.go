package lambda

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/purposepath/realtime/local/internal/template"
)

// makefile builds as this repository's own does; its assignments must give way to the machine's.
const makefile = `
GOOS := plan9
GOARCH := arm
export GOOS GOARCH

build-PingFunction build-AuthFunction build-BrokenFunction: build-%:
	go build -trimpath -ldflags "-s -w" -o $(ARTIFACTS_DIR)/bootstrap ./functions/$*
build-EmptyFunction:
	@echo nothing to do
build-EndlessFunction:
	@echo $$PPID > began; exec sleep 1000
`

// project writes a module with functions, good and bad, and returns a function of its template.
func project(t *testing.T) func(id, method string) template.Function {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                           "module example.com/app\n\ngo 1.26\n",
		"Makefile":                         makefile,
		"functions/PingFunction/main.go":   `package main; import "example.com/app/shared"; func main() { println("ping", shared.V) }`,
		"functions/AuthFunction/main.go":   `package main; import "example.com/app/shared"; func main() { println("auth", shared.V) }`,
		"functions/BrokenFunction/main.go": `package main; func main() { undefinedThing() }`,
		"shared/shared.go":                 `package shared; const V = 1`,
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return func(id, method string) template.Function {
		fn := template.Function{ID: id, BuildMethod: method, CodeDir: dir, Handler: "bootstrap"}
		if method == "go1.x" {
			fn.CodeDir = filepath.Join(dir, "functions", id)
		}
		return fn
	}
}

func TestBuildMakesWhatThisMachineRuns(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"makefile", "go1.x"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			function := project(t)
			dir := t.TempDir()
			functions := []template.Function{function("PingFunction", method), function("AuthFunction", method)}
			if err := Build(t.Context(), functions, BuildOptions{Dir: dir}); err != nil {
				t.Fatalf("Build = %v", err)
			}
			for id, want := range map[string]string{"PingFunction": "ping 1\n", "AuthFunction": "auth 1\n"} {
				out, err := exec.Command(filepath.Join(dir, id, "bootstrap")).CombinedOutput()
				if err != nil || string(out) != want {
					t.Errorf("%s says %q (%v), want %q", id, out, err, want)
				}
			}

			bootstrap, err := os.Open(filepath.Join(dir, "PingFunction", "bootstrap")) // open, its inode can't be used again
			if err != nil {
				t.Fatal(err)
			}
			defer bootstrap.Close()
			again := func() bool {
				if err := Build(t.Context(), functions, BuildOptions{Dir: dir}); err != nil {
					t.Fatalf("Build again = %v", err)
				}
				before, _ := bootstrap.Stat()
				after, err := os.Stat(bootstrap.Name())
				return err == nil && os.SameFile(before, after)
			}
			if !again() {
				t.Error("nothing has changed, and yet the function was linked again")
			}
			shared := filepath.Join(functions[0].CodeDir, map[string]string{"makefile": ".", "go1.x": "../.."}[method], "shared", "shared.go")
			if err := os.WriteFile(shared, []byte(`package shared; const V = 2`), 0o644); err != nil {
				t.Fatal(err)
			}
			if again() {
				t.Error("what it imports has changed, and yet the function was not linked again")
			}
		})
	}
}

func TestBuildShowsTheFunctionThatFails(t *testing.T) {
	t.Parallel()
	function := project(t)
	err := Build(t.Context(), []template.Function{function("PingFunction", "makefile"), function("BrokenFunction", "makefile")}, BuildOptions{Dir: t.TempDir()})
	failed, ok := errors.AsType[*BuildError](err)
	if !ok || failed.Function != "BrokenFunction" {
		t.Fatalf("Build = %v, want an error of BrokenFunction", err)
	}
	if !strings.HasPrefix(err.Error(), "build BrokenFunction: make build-BrokenFunction: exit status 2\n") ||
		!strings.Contains(err.Error(), "functions/BrokenFunction/main.go:1:29: undefined: undefinedThing") ||
		strings.Contains(err.Error(), "PingFunction") {
		t.Errorf("error = %v", err)
	}
}

func TestBuildRefusals(t *testing.T) {
	t.Parallel()
	function := project(t)
	elsewhere := function("PingFunction", "makefile")
	elsewhere.CodeDir = filepath.Join(elsewhere.CodeDir, "gone")
	misnamed := function("PingFunction", "go1.x")
	misnamed.Handler = "main"
	tests := []struct {
		name string
		fn   template.Function
		want string
	}{
		{"no build method", function("PingFunction", ""), `build PingFunction: its Metadata.BuildMethod is ""; the local stack builds makefile and go1.x`},
		{"no such folder", elsewhere, "build PingFunction: its CodeUri " + elsewhere.CodeDir + " is no folder"},
		{"no such rule", function("SweeperFunction", "makefile"), "build SweeperFunction: make build-SweeperFunction: exit status 2\nmake: *** No rule to make target 'build-SweeperFunction'.  Stop."},
		{"no bootstrap made", function("EmptyFunction", "makefile"), "build EmptyFunction: make build-EmptyFunction: it made no bootstrap (Lambda runs a file of that name from ARTIFACTS_DIR; for go1.x the Handler names it)"},
		{"another handler", misnamed, "build PingFunction: go build: it made no bootstrap (Lambda runs a file of that name from ARTIFACTS_DIR; for go1.x the Handler names it)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := Build(t.Context(), []template.Function{tt.fn}, BuildOptions{Dir: t.TempDir()}); err == nil || err.Error() != tt.want {
				t.Errorf("Build = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestBuildWithoutTools(t *testing.T) {
	// no t.Parallel: the test sets PATH
	function := project(t)
	var tools string
	for _, tool := range []string{"make", "sh"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if tools == "" {
			tools = t.TempDir()
		}
		if err := os.Symlink(path, filepath.Join(tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, path, method, want string }{
		{"no make", t.TempDir(), "makefile", "build PingFunction: make is not installed (not on PATH): install it"},
		{"no go", t.TempDir(), "go1.x", "build PingFunction: go is not installed (not on PATH): install it"},
		{"make but no go", tools, "makefile", "build PingFunction: go is not installed (not on PATH): install it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			if err := Build(t.Context(), []template.Function{function("PingFunction", tt.method)}, BuildOptions{Dir: t.TempDir()}); err == nil || err.Error() != tt.want {
				t.Errorf("Build = %v, want %s", err, tt.want)
			}
		})
	}
}

// `make run` starts the stack: what that make tells its children must not reach the makes that build.
func TestBuildUnderMake(t *testing.T) {
	// no t.Parallel: the test sets variables
	t.Setenv("MAKEFLAGS", "n --jobserver-auth=3,4")
	t.Setenv("MAKELEVEL", "1")
	function := project(t)
	if err := Build(t.Context(), []template.Function{function("PingFunction", "makefile")}, BuildOptions{Dir: t.TempDir()}); err != nil {
		t.Errorf("Build = %v", err)
	}
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	function := project(t)
	fn := function("EndlessFunction", "makefile")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Build(ctx, []template.Function{fn}, BuildOptions{Dir: t.TempDir()}) }()
	var pid string
	eventually(t, "the build to begin", func() bool {
		content, err := os.ReadFile(filepath.Join(fn.CodeDir, "began"))
		pid = strings.TrimSpace(string(content))
		return err == nil && pid != ""
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Build = %v, want context.Canceled", err)
	}
	if runtime.GOOS == "linux" {
		eventually(t, "make and its child to end", func() bool { return !groupAlive(pid) })
	}
}

// groupAlive says whether a process of the group runs.
func groupAlive(group string) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		content, _ := os.ReadFile(name)
		_, rest, _ := strings.Cut(string(content), ") ")
		if fields := strings.Fields(rest); len(fields) > 2 && fields[2] == group && fields[0] != "Z" {
			return true
		}
	}
	return false
}
