package conformance_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A wire lies between a client of AWS, a function or an operator, and the stack. It can be cut for one operation, and a test can take
// part in one.
type wire struct {
	*httptest.Server
	stack *httputil.ReverseProxy

	mu     sync.Mutex
	refuse map[string]string // error codes by operation, such as PutEvents
	// part takes one call for the stack, if it wants to; nil = nobody does.
	part func(operation string, rw http.ResponseWriter, forward func(http.ResponseWriter)) (taken bool)
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{refuse: map[string]string{}}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *wire) connect(t *testing.T, stackURL string) {
	t.Helper()
	target, err := url.Parse(stackURL)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stack = httputil.NewSingleHostReverseProxy(target)
	w.stack.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) } // the client has gone
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	code, stack, part := w.refuse[operation], w.stack, w.part
	w.mu.Unlock()
	switch {
	case stack == nil: // the stack is just starting
		rw.WriteHeader(http.StatusServiceUnavailable)
	case code != "":
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(rw, `{"__type":"com.amazonaws#%s","message":"the test says no"}`, code)
	case part == nil || !part(operation, rw, func(rw http.ResponseWriter) { stack.ServeHTTP(rw, r) }):
		stack.ServeHTTP(rw, r)
	}
}

// cut refuses an operation with a code until mend is called.
func (w *wire) cut(operation, code string) (mend func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse[operation] = code
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.refuse, operation)
	}
}

// A desk is an operator's, with the program of `make redrive`.
type desk struct {
	t        *testing.T
	program  string
	endpoint string
	queues   *sqs.Client
}

// expect runs the program to its end and wants an exit code and texts.
func (d *desk) expect(code int, texts []string, args ...string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.program, append([]string{"--endpoint", d.endpoint}, args...)...)
	text, err := cmd.CombinedOutput()
	out, got := string(text), cmd.ProcessState.ExitCode() // -1 if it did not run to its end
	if got != code {
		d.t.Errorf("redrive %v: %v, want exit code %d\n%s", args, err, code, out)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			d.t.Errorf("redrive %v says nothing of %q:\n%s", args, text, out)
		}
	}
	return out
}

var letterID = regexp.MustCompile(`(?m)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// ids are those of the letters in an output.
func ids(out string) []string { return letterID.FindAllString(out, -1) }

// letters is how many a queue has, hidden ones too.
func (d *desk) letters(queue string) (visible, hidden int) {
	d.t.Helper()
	out, err := d.queues.GetQueueAttributes(d.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	visible, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	hidden, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	return visible, hidden
}

// await waits until a queue has so many letters, all visible.
func (d *desk) await(queue string, count int) {
	d.t.Helper()
	var visible, hidden int
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if visible, hidden = d.letters(queue); visible == count && hidden == 0 {
			return
		}
	}
	d.t.Fatalf("%s has %d letters and %d hidden, want %d", queue, visible, hidden, count)
}

func build(t *testing.T, what string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, what).CombinedOutput(); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	return program
}

func queueClient(url string) *sqs.Client {
	return sqs.New(sqs.Options{BaseEndpoint: &url, Region: "eu-west-1", Credentials: credentials()})
}

// headless runs the program with a reader that has gone, as `head` does when it has enough. What it looked at must not stay hidden.
func (d *desk) headless() {
	d.t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	_ = reader.Close()
	cmd := exec.CommandContext(d.t.Context(), d.program, "--endpoint", d.endpoint)
	cmd.Stdout = writer
	_ = cmd.Run()
	_ = writer.Close()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		d.t.Errorf("without a reader: exit code %d, want 1", code)
	}
	if _, hidden := d.letters("DeadLetterQueue"); hidden != 0 {
		d.t.Errorf("without a reader: %d letters stay hidden", hidden)
	}
}

// end runs a program that sends, ends it with a signal during its second PutEvents, which the bus accepts, and returns what it said.
func (d *desk) end(w *wire, signal os.Signal) string {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), d.program, "--endpoint", w.URL, "--send")
	said := &notes{}
	cmd.Stdout, cmd.Stderr = said, said
	started := make(chan struct{})
	var puts atomic.Int32
	take := func(part func(string, http.ResponseWriter, func(http.ResponseWriter)) bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.part = part
	}
	take(func(operation string, rw http.ResponseWriter, forward func(http.ResponseWriter)) bool {
		if operation != "PutEvents" || puts.Add(1) != 2 {
			return false
		}
		<-started
		if signal == syscall.SIGKILL {
			forward(httptest.NewRecorder()) // the bus has the events, and the program will not hear of it
		}
		if err := cmd.Process.Signal(signal); err != nil {
			d.t.Error(err)
		}
		if signal == syscall.SIGKILL {
			panic(http.ErrAbortHandler)
		}
		for deadline := time.Now().Add(patience); !strings.Contains(said.String(), "ending after this page"); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				d.t.Error("it does not notice the interruption")
				break
			}
		}
		forward(rw)
		return true
	})
	defer take(nil)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	close(started)
	if err := cmd.Wait(); err == nil {
		d.t.Errorf("it ended well after %d calls:\n%s", puts.Load(), said)
	}
	return said.String()
}

// notes are what a running program has said so far.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// runLocal runs rtlocal and returns where its APIs are.
func runLocal(t *testing.T, args ...string) (url string) {
	t.Helper()
	cmd := exec.Command(build(t, "../local"), append([]string{"run", "--dir", "..", "--port", "0"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "  AWS APIs  "); ok {
				at, _, _ := strings.Cut(rest, " ")
				found <- at
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-read
		_ = cmd.Wait()
	})
	select {
	case url = <-found:
	case <-read:
		t.Fatal("the stack did not start")
	case <-time.After(2 * patience):
		t.Fatal("the stack does not say where it is")
	}
	return url
}
