// Command bench prints figures of the whole local stack: latencies, CPU, memory and start, as Markdown tables.
//
//	go run ./bench                     # every scenario, five runs
//	go run ./bench -runs 2 event-1 ping
//
// Guarantees:
//   - What is measured is what `make run` runs, in processes of its own: rtlocal, its engine, its functions. Events go in through
//     PutEvents over HTTP and come out of real sockets.
//   - Each run begins with a fresh stack; a figure is the median of the runs, with the smallest and the greatest.
//   - Load stays on the loopback interface and within a limit of time. What the program started has ended when it ends.
//   - Nothing asserts time: a slow machine prints greater figures.
//
// It needs what `make run` needs. CPU and memory are read from /proc, and not measured where there is none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := start(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes: a command line that can't be understood, and a measurement that could not be made.
const (
	exitUsage  = 2
	exitFailed = 1
)

func start(ctx context.Context, args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	dir := flags.String("dir", ".", "folder of template.yaml and local/")
	runs := flags.Int("runs", 5, "how often everything is measured, each time with a fresh stack")
	limit := flags.Duration("limit", 5*time.Minute, "no run begins that would probably end after it")
	flags.Usage = func() {
		_, _ = fmt.Fprint(progress, "Usage: go run ./bench [flags] [scenario…]\n\n")
		for _, s := range scenarios() {
			_, _ = fmt.Fprintf(progress, "  %-12s %s\n", s.name, s.summary)
		}
		_, _ = fmt.Fprint(progress, "\nWithout a scenario all are measured.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	chosen, err := choose(scenarios(), flags.Args())
	if err == nil && *runs < 1 {
		err = fmt.Errorf("-runs is %d, not at least 1", *runs)
	}
	if err != nil {
		_, _ = fmt.Fprintf(progress, "bench: %v\n", err)
		return exitUsage
	}
	b := &bench{dir: *dir, sizes: realSizes(), progress: progress, report: newReport()}
	if err := b.measure(ctx, chosen, *runs, *limit); err != nil {
		_, _ = fmt.Fprintf(progress, "bench: %v\n", err)
		return exitFailed
	}
	if _, err := fmt.Fprint(out, b.markdown(ctx)); err != nil {
		_, _ = fmt.Fprintf(progress, "bench: print the figures: %v\n", err)
		return exitFailed
	}
	return 0
}

// A bench is one call of the program.
type bench struct {
	dir      string
	sizes    sizes
	progress io.Writer // says what is being done

	report *report
	done   int    // runs
	load   string // of the host, before anything was started
}

// measure makes the runs, as many as the limit leaves time for.
func (b *bench) measure(ctx context.Context, chosen []scenario, runs int, limit time.Duration) error {
	b.load = loadAverage(ctx)
	began := time.Now()
	program, err := build(ctx, b.dir)
	if err != nil {
		return err
	}
	// The first start builds the functions, which is no part of any figure.
	first, err := launch(ctx, program, b.dir)
	if err == nil {
		err = first.end()
	}
	if err != nil {
		return err
	}
	for longest := time.Duration(0); b.done < runs; b.done++ {
		if b.done > 0 && time.Since(began)+longest > limit {
			_, _ = fmt.Fprintf(b.progress, "the limit of %v leaves no time for another run\n", limit)
			return nil
		}
		_, _ = fmt.Fprintf(b.progress, "run %d of %d:", b.done+1, runs)
		runBegan := time.Now()
		err := b.run(ctx, program, chosen)
		longest = max(longest, time.Since(runBegan))
		_, _ = fmt.Fprintf(b.progress, " (%.0f s)\n", time.Since(runBegan).Seconds())
		if err != nil {
			return err
		}
	}
	return nil
}

// run measures each scenario once. Scenarios of few connections share a stack, those of many have one of their own: a thousand
// connections leave their garbage behind.
func (b *bench) run(ctx context.Context, program string, chosen []scenario) error {
	for _, crowded := range []bool{false, true} {
		var same []scenario
		for _, s := range chosen {
			if s.crowded == crowded {
				same = append(same, s)
			}
		}
		if len(same) == 0 {
			continue
		}
		if err := b.onFreshStack(ctx, program, same); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) onFreshStack(ctx context.Context, program string, same []scenario) (err error) {
	s, err := launch(ctx, program, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	t := &trial{stack: s, report: b.report, sizes: b.sizes, crowds: map[int]*audience{}}
	defer t.leave()
	if err := t.started(ctx); err != nil {
		return err
	}
	for _, scenario := range same {
		_, _ = fmt.Fprintf(b.progress, " %s", scenario.name)
		if err := scenario.run(ctx, t); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return fmt.Errorf("%s: %w; the stack's last lines:\n%s", scenario.name, err, s.lastLines())
		}
	}
	return nil
}

// markdown is the whole output.
func (b *bench) markdown(ctx context.Context) string {
	return fmt.Sprintf("%s  \nload average %s before, %s after  \nruns: %d; a figure is their median (smallest–greatest)\n%s",
		host(ctx, b.dir), b.load, loadAverage(ctx), b.done, b.report)
}
