package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/purposepath/realtime/local/internal/template"
)

// parallelBuilds is how many functions are built at a time. Go's compiler and linker use several cores by themselves.
const parallelBuilds = 2

// BuildOptions say where a build goes.
type BuildOptions struct {
	Dir string // gets <logical id>/bootstrap for each function: the Dir of a Config
}

// A BuildError says which function could not be built, and shows what the build wrote.
type BuildError struct {
	Function string // logical id
	Command  string // what was run
	Err      error
	Output   string // of the command, stdout and stderr
}

func (e *BuildError) Error() string {
	message := fmt.Sprintf("build %s: %s: %v", e.Function, e.Command, e.Err)
	if e.Output != "" {
		message += "\n" + e.Output
	}
	return message
}

func (e *BuildError) Unwrap() error { return e.Err }

// Build builds each function for this machine, as `sam build` builds it for Lambda: by the Metadata.BuildMethod of the
// template, "makefile" (make build-<logical id>, with ARTIFACTS_DIR) or "go1.x" (go build). It ends at the first function
// that fails, with a *BuildError, and prints nothing.
//
// A makefile learns this machine through GOOS and GOARCH, given on make's command line so that they win over assignments
// in the makefile.
func Build(ctx context.Context, functions []template.Function, opts BuildOptions) error {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return fmt.Errorf("build functions into %s: %w", opts.Dir, err)
	}
	builds := make([]build, len(functions))
	for i, fn := range functions {
		if builds[i], err = newBuild(fn, filepath.Join(dir, fn.ID)); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelBuilds)
	for _, b := range builds {
		group.Go(func() error { return b.run(ctx) })
	}
	return group.Wait()
}

// A build is the command that makes one function's bootstrap.
type build struct {
	function string
	codeDir  string
	dir      string // gets bootstrap
	args     []string
	env      []string
}

// newBuild returns the build of fn. Its error says what the template or the machine lacks.
func newBuild(fn template.Function, dir string) (build, error) {
	b := build{function: fn.ID, codeDir: fn.CodeDir, dir: dir}
	switch fn.BuildMethod {
	case "makefile":
		b.args = []string{"make", "build-" + fn.ID, "--no-print-directory", "GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH}
		b.env = append(withoutMake(os.Environ()), "ARTIFACTS_DIR="+dir)
	case "go1.x":
		b.args = []string{"go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", filepath.Join(dir, fn.Handler), "."}
		b.env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
	default:
		return b, fmt.Errorf("build %s: its Metadata.BuildMethod is %q; the local stack builds makefile and go1.x", fn.ID, fn.BuildMethod)
	}
	if info, err := os.Stat(fn.CodeDir); err != nil || !info.IsDir() {
		return b, fmt.Errorf("build %s: its CodeUri %s is no folder", fn.ID, fn.CodeDir)
	}
	if !installed(b.args[0]) {
		return b, b.lacks(b.args[0])
	}
	return b, nil
}

// withoutMake drops what an outer make tells its children: its options and its job server are not for this one.
func withoutMake(env []string) []string {
	return slices.DeleteFunc(env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "MAKEFLAGS" || name == "MFLAGS" || name == "MAKELEVEL" || name == "MAKEOVERRIDES"
	})
}

func (b build) run(ctx context.Context) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("build %s: %w", b.function, err)
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, b.args[0], b.args[1:]...)
	cmd.Dir, cmd.Env = b.codeDir, b.env
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what make started ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return b.failure(err, strings.TrimSpace(output.String()))
	}
	if _, err := os.Stat(filepath.Join(b.dir, "bootstrap")); err != nil {
		return b.failure(errors.New("it made no bootstrap (Lambda runs a file of that name from ARTIFACTS_DIR; for go1.x the Handler names it)"), "")
	}
	return nil
}

func (b build) failure(err error, output string) error {
	if !installed("go") && strings.Contains(output, "go: ") { // make says so in its own way
		return b.lacks("go")
	}
	return &BuildError{Function: b.function, Command: strings.Join(b.args[:2], " "), Err: err, Output: output}
}

func installed(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

func (b build) lacks(tool string) error {
	return fmt.Errorf("build %s: %s is not installed (not on PATH): install it", b.function, tool)
}
