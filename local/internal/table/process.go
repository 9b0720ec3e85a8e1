package table

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 10 * time.Second // it takes 5 to 25 ms; a loaded machine may take longer
	stopTimeout  = 2 * time.Second  // from SIGTERM to SIGKILL
	portTries    = 5                // another program may take the free port before the engine does
)

// guard starts the engine so that it cannot outlive the stack. A shell leaves a watcher behind, which reads from a pipe
// (descriptor 3) whose other end only the stack holds, and becomes the engine itself, so that the engine is our child. When
// the stack dies, however it dies, the kernel closes the pipe and the watcher's read fails; a line instead of the end says
// that the engine is gone, and its process id perhaps somebody else's.
//
// Linux's parent-death signal would do the same, but there only, and it is sent when the thread that started the engine
// ends, which in Go is any thread. The engine closes the pipe's end and the watcher its copy of standard error, so that the
// end of the engine's standard error is the end of the engine.
const guard = `{ read -r line <&3 || kill -9 $$; } >/dev/null 2>&1 & exec "$0" "$@" 3<&-`

// A process is one run of the engine.
type process struct {
	url  string
	cmd  *exec.Cmd
	life *os.File // our end of the watcher's pipe

	done chan struct{} // closed when the engine has ended
	err  error         // why, once done is closed; nil if we ended it

	stopping sync.Once
	stopped  chan struct{} // closed by stop
}

// launch starts the engine on a free port and waits until it listens.
func launch(ctx context.Context, binary, dataDir string, port func() (int, error), log *slog.Logger) (*process, error) {
	args := []string{"--host", "127.0.0.1"}
	if dataDir != "" {
		if err := os.MkdirAll(dataDir, 0o700); err != nil {
			return nil, err
		}
		args = append(args, "--db-path", filepath.Join(dataDir, "tables.db"))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it did not listen within %v", startTimeout))
	defer cancel()
	for try := 1; ; try++ {
		p, err := port()
		if err != nil {
			return nil, err
		}
		run, err := spawn(ctx, binary, append(args, "--port", strconv.Itoa(p)), fmt.Sprintf("http://127.0.0.1:%d", p), log)
		if err == nil || try == portTries || !strings.Contains(err.Error(), "already in use") {
			return run, err
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// spawn runs the engine and waits for the line in which it says that it listens. It writes that line after binding the port,
// exclusively, so the line is also the proof that whoever answers there is our own process.
func spawn(ctx context.Context, binary string, args []string, url string, log *slog.Logger) (*process, error) {
	watched, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer watched.Close()
	p := &process{url: url, life: life, done: make(chan struct{}), stopped: make(chan struct{})}
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", guard, binary}, args...)...)
	p.cmd.Env = []string{}                                  // RUST_LOG and DYNOXIDE_* change what the engine does
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's Ctrl-C goes to the stack's group
	p.cmd.ExtraFiles = []*os.File{watched}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, errors.Join(err, life.Close())
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, life.Close())
	}
	listening := make(chan struct{})
	go p.follow(stderr, "Dynoxide listening on "+url, listening, log)
	select {
	case <-listening:
		return p, nil
	case <-p.done:
		return nil, p.err
	case <-ctx.Done():
		p.stop()
		return nil, context.Cause(ctx)
	}
}

// follow reads the engine's standard error to its end, which is the engine's, and notes how it ended.
func (p *process) follow(stderr io.Reader, ready string, listening chan<- struct{}, log *slog.Logger) {
	last := ""
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		switch line := strings.TrimSpace(lines.Text()); line {
		case "", "Shutting down...":
		case ready:
			close(listening)
		default:
			last = line
			log.Warn("the embedded DynamoDB says", "line", line)
		}
	}
	_, _ = io.Copy(io.Discard, stderr) // past a line that was too long, so that the engine never waits for a reader
	err := p.cmd.Wait()
	// To the watcher: nothing left to kill. It may be gone itself; then there is nothing to tell it.
	_, _ = p.life.WriteString("\n")
	_ = p.life.Close()
	select {
	case <-p.stopped:
	default:
		p.err = ended(err, last)
	}
	close(p.done)
}

// ended describes an end that nobody asked for. The engine's last words say more than its exit status.
func ended(err error, last string) error {
	switch {
	case last != "":
		return errors.New(strings.TrimPrefix(last, "error: "))
	case err != nil:
		return err
	}
	return errors.New("exit status 0")
}

// stop ends the engine and waits until it is gone.
func (p *process) stop() {
	p.stopping.Do(func() {
		close(p.stopped)
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(stopTimeout):
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // its whole group, the watcher with it
		}
	})
	<-p.done
}
