package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	megabyte = 1 << 20
	kilobyte = 1 << 10
)

// started adds what a fresh stack shows: how long its start took, and what it holds.
func (t *trial) started(ctx context.Context) error {
	t.report.add(titleStart, "exec to ready", "ms", milliseconds(t.stack.ready))
	c := t.stack.census()
	if c == nil {
		return nil
	}
	// The processes' own times tell the parts apart, to 10 ms.
	functions := slices.MinFunc(slices.Collect(maps.Values(c.functions)), func(a, b process) int { return int(a.begun - b.begun) })
	built, tables := c.engine.begun-c.stack.begun, functions.begun-c.stack.begun
	t.report.add(titleStart, "– template, and a build of what is built already", "ms", milliseconds(built))
	t.report.add(titleStart, "– engine and tables", "ms", milliseconds(tables-built))
	t.report.add(titleStart, "– functions, until all wait for work", "ms", milliseconds(t.stack.ready-tables))
	t.report.add(titleStart, "ready after the build", "ms", milliseconds(t.stack.ready-built))
	if err := sleep(ctx, t.sizes.settle); err != nil {
		return err
	}
	t.report.addResident("after the start", t.stack.census())
	return nil
}

func (r *report) addResident(row string, c *census) {
	r.add(titleResident, row, "stack, MB", float64(c.stack.resident)/megabyte)
	r.add(titleResident, row, "engine, MB", float64(c.engine.resident)/megabyte)
	r.add(titleResident, row, "functions, MB", float64(c.residentFunctions())/megabyte)
	r.add(titleResident, row, "processes of functions", float64(len(c.functions)))
}

// memory measures what idle connections hold, with the garbage that opening them left.
func memory(ctx context.Context, t *trial) error {
	before := t.stack.census()
	if before == nil {
		return nil
	}
	a, err := t.audience(ctx, t.sizes.crowd)
	if err != nil {
		return err
	}
	if err := sleep(ctx, t.sizes.settle); err != nil {
		return err
	}
	after, row := t.stack.census(), "with "+connections(len(a.sockets))
	t.report.addResident(row, after)
	t.report.add(titleResident, row, "stack, kB a connection", float64(after.stack.resident-before.stack.resident)/kilobyte/float64(len(a.sockets)))
	return nil
}

// coldStarts measures one cold start of each function: the same program in the same environment as the stack's own process, against a
// Runtime API that has no work.
func coldStarts(ctx context.Context, t *trial) error {
	c := t.stack.census()
	if c == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range slices.SortedFunc(maps.Values(c.functions), func(a, b process) int { return strings.Compare(a.function, b.function) }) {
		if seen[p.function] {
			continue
		}
		seen[p.function] = true
		if err := t.coldStart(ctx, p); err != nil {
			return fmt.Errorf("start %s: %w", p.function, err)
		}
	}
	return nil
}

func (t *trial) coldStart(ctx context.Context, p process) error {
	folder := filepath.Join("/proc", strconv.Itoa(p.pid))
	environment, err := os.ReadFile(filepath.Join(folder, "environ"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	asked := make(chan time.Time, 1)
	api := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- time.Now()
		<-r.Context().Done() // there is no work
	}), ReadHeaderTimeout: patience}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = api.Serve(listener) // until it is closed
	}()
	defer func() {
		_ = api.Close()
		<-served
	}()

	cmd := exec.CommandContext(ctx, filepath.Join(folder, "exe"))
	cmd.Env = append(strings.Split(strings.TrimRight(string(environment), "\x00"), "\x00"), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var took time.Duration
	select {
	case at := <-asked:
		took = at.Sub(began)
	case <-time.After(patience):
		err = errors.New("it did not ask for work")
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	if err != nil {
		return err
	}
	t.report.add(titleCold, p.function, "exec to the first call for work, ms", milliseconds(took))
	t.report.add(titleCold, p.function, "CPU, ms", milliseconds(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()))
	return nil
}
