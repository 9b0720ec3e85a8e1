package lambda

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// maxLine is how much of one line is kept: CloudWatch Logs' limit for an event (256 KB).
	maxLine = 256 * 1024
	// tailSize is how much X-Amz-Log-Result shows (4 KB), and how much of a failed start is kept.
	tailSize = 4 * 1024
	// drainTimeout bounds the wait for the rest of an ended process's output, which a child of its own may hold open.
	drainTimeout = time.Second
)

// A logPipe carries everything a process writes, stdout and stderr in one order, to emit: line by line, each with the
// invocation it belongs to.
//
// A line does not say which invocation wrote it, and it may be read after the next one has begun. So the Runtime writes
// marks of its own into the same pipe: what comes before the mark of an end was written before that end.
type logPipe struct {
	r, w    *os.File
	emit    func(requestID string, raw []byte)
	mark    []byte        // "\n", a line that no process can guess, "\n"
	drained chan struct{} // closed when all has been read

	initTail *tail // what came before the first call for work

	putting sync.Mutex // held while a mark is written, which may take as long as the pipe is full

	mu       sync.Mutex
	writers  []logWriter // whose lines come now, and next
	open     bool        // the last writer has not ended
	arrivals []func()    // one for each mark under way
}

// A logWriter is an invocation as the writer of lines.
type logWriter struct {
	requestID string
	tail      *tail // nil where nobody asked for it
}

func newLogPipe(emit func(requestID string, raw []byte)) (*logPipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &logPipe{r: r, w: w, emit: emit, mark: []byte("\n\x00" + rand.Text() + "\n"), drained: make(chan struct{}), initTail: new(tail)}
	l.begin("", l.initTail)
	return l, nil
}

// begin says that what follows the last end belongs to an invocation.
func (l *logPipe) begin(requestID string, t *tail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writers = append(l.writers, logWriter{requestID, t})
	l.open = true
}

// end says that what follows no longer belongs to the present writer. The first one is the start of the process.
func (l *logPipe) end() {
	l.mu.Lock()
	open := l.open
	l.open = false
	l.mu.Unlock()
	if open {
		l.put(func() { l.writers = l.writers[1:] })
	}
}

// sync returns when every line written until now has been emitted.
func (l *logPipe) sync() {
	arrived := make(chan struct{})
	l.put(func() { close(arrived) })
	select {
	case <-arrived:
	case <-l.drained:
	}
}

// put writes a mark. When it arrives on the other side, arrive runs with mu held.
func (l *logPipe) put(arrive func()) {
	l.putting.Lock()
	defer l.putting.Unlock()
	l.mu.Lock()
	l.arrivals = append(l.arrivals, arrive)
	l.mu.Unlock()
	// Its first newline ends what the process left unfinished; an empty line is not emitted. Once the process has gone the
	// pipe is closed, and drained says what the mark would.
	_, _ = l.w.Write(l.mark)
}

// close ends the pipe on our side and waits for what is still in it.
func (l *logPipe) close() {
	_ = l.w.Close()
	_ = l.r.SetReadDeadline(time.Now().Add(drainTimeout))
	<-l.drained
}

// run reads until every writer has closed the pipe.
func (l *logPipe) run() {
	defer close(l.drained)
	defer l.r.Close()
	var traceback []byte // of a dying Go program: one message of many lines
	reader := bufio.NewReader(l.r)
	for {
		line, err := readLine(reader)
		switch {
		case bytes.Equal(line, bytes.Trim(l.mark, "\n")):
			l.flush(&traceback)
			l.mu.Lock()
			arrive := l.arrivals[0]
			l.arrivals = l.arrivals[1:]
			arrive()
			l.mu.Unlock()
		case len(traceback) > 0 && len(traceback)+len(line) < maxLine:
			traceback = append(append(traceback, '\n'), line...)
		case bytes.HasPrefix(line, []byte("panic: ")), bytes.HasPrefix(line, []byte("fatal error: ")):
			l.flush(&traceback)
			traceback = append(traceback, line...)
		case len(line) > 0:
			l.flush(&traceback)
			l.write(line)
		}
		if err != nil {
			l.flush(&traceback)
			return
		}
	}
}

func (l *logPipe) flush(traceback *[]byte) {
	if len(*traceback) > 0 {
		l.write(bytes.TrimRight(*traceback, "\n"))
		*traceback = nil
	}
}

// write emits one line as the present writer's.
func (l *logPipe) write(raw []byte) {
	var now logWriter
	l.mu.Lock()
	if len(l.writers) > 0 {
		now = l.writers[0]
	}
	l.mu.Unlock()
	if now.tail != nil {
		now.tail.add(raw)
	}
	l.emit(now.requestID, raw)
}

// readLine returns the next line without its end, cut at maxLine bytes. The slice is the caller's.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part[:min(len(part), max(0, maxLine-len(line)))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}

// A tail is the end of a log: its last 4 KB.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(append(t.text, line...), '\n')
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.text)
}

// lines returns the last n lines.
func (t *tail) lines(n int) []string {
	text := strings.TrimSpace(string(t.bytes()))
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	return all[max(0, len(all)-n):]
}
