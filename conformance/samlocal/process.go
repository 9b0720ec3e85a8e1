package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const pollEvery = 50 * time.Millisecond

// stackURL is where the stack of this test always is: it has a network of its own.
const stackURL = "http://localhost:5055"

// gently has a command end by itself when its context does.
func gently(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endWithin
}

// A process runs until it is stopped.
type process struct {
	cmd    *exec.Cmd
	log    string // file
	ended  chan struct{}
	cancel context.CancelFunc
}

// start returns once the process answers HTTP at url, in whatever way.
func start(ctx context.Context, name, url string, command func(context.Context) *exec.Cmd) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{cmd: command(ctx), log: filepath.Join(logs, name+".log"), ended: make(chan struct{}), cancel: cancel}
	log, err := os.Create(p.log)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	err = p.cmd.Start()
	_ = log.Close() // the process has it now
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended matters only while it starts, and stands in its log
		close(p.ended)
	}()
	if err := p.answers(ctx, url); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", name, err, p.tail())
	}
	return p, nil
}

func (p *process) answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-p.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return fmt.Errorf("nothing answers at %s: %w", url, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

func (p *process) stop() {
	p.cancel()
	<-p.ended
}

// tail is the end of the log.
func (p *process) tail() string {
	const most = 4000 // bytes
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-most):])
}

// startStack starts the local stack. A container reaches the host by another address than its loopback.
func startStack(ctx context.Context, name string, args ...string) (*process, error) {
	return start(ctx, name, stackURL+"/_health", func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, rtlocal, append([]string{"run", "--listen", "0.0.0.0", "--parameter", authDeadline}, args...)...)
		gently(cmd)
		return cmd
	})
}
