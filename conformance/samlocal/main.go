// Command samlocal holds AWS's own `sam local` to docs/SAM-LOCAL.md: it makes every invocation of the page's tables in a container, beside
// the local stack, and compares what comes back with what the page says.
//
// Guarantees:
//   - A line "ok …" is one comparison that held, a line "FAILED …" one that did not, with what came instead. The last line counts
//     both, and the exit code is 1 unless all held.
//   - It ends within [within], and what it started has ended then.
//
// The caller is conformance/samlocal/run. It owes a container engine, everything built, and a network of the test's own, where port
// 5055 is free and nothing outside can be reached: the stack listens there on every address.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	// within bounds the whole test. It takes a minute on two free cores, most of it SAM CLI's own starts.
	within = 10 * time.Minute
	// patience bounds each wait. What is waited for takes seconds, but beside other tests on a busy machine SAM CLI has been seen to
	// need half a minute to begin.
	patience = 3 * time.Minute
	// endWithin bounds the end of a process that was told to: SAM CLI removes its containers first.
	endWithin = 15 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, within)
	r := &report{out: os.Stdout}
	if err := run(ctx, r, os.Getenv("ARCHITECTURE")); err != nil {
		r.result("the test goes on to its end", err)
	}
	cancel()
	stop()
	_, _ = fmt.Fprintf(r.out, "%d passed, %d failed\n", r.passed, r.failed)
	if r.failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, r *report, architecture string) error {
	p, err := readPage("docs/SAM-LOCAL.md")
	if err != nil {
		return err
	}
	s, err := newSAM("samconfig.toml", architecture)
	if err != nil {
		return err
	}
	if err := invokeAll(ctx, r, s, p.invocations); err != nil {
		return fmt.Errorf("sam local invoke: %w", err)
	}
	if err := refuseAll(ctx, r, s, p.refusals); err != nil {
		return fmt.Errorf("sam local invoke without a stack: %w", err)
	}
	if err := startLambda(ctx, r, s); err != nil {
		return fmt.Errorf("sam local start-lambda: %w", err)
	}
	return nil
}

// A report prints each result as it comes, and counts.
type report struct {
	out            io.Writer
	passed, failed int
}

func (r *report) result(name string, err error) {
	if err == nil {
		r.passed++
		_, _ = fmt.Fprintf(r.out, "ok %s\n", name)
		return
	}
	r.failed++
	_, _ = fmt.Fprintf(r.out, "FAILED %s: %s\n", name, strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  "))
}
