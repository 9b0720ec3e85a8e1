package gateway

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Why a socket takes no more.
var (
	errGone = errors.New("the connection is closed")
	errFull = errors.New("the connection's outbound buffer is full")
)

const (
	// directWrite is how long a writer waits for a socket that does not take everything at once before the rest is left to
	// a goroutine of its own, in real time.
	directWrite = 2 * time.Millisecond
	// closeTimeout is how long a client may take to end the connection after the gateway's close frame, in real time.
	closeTimeout = 2 * time.Second
)

// A socket is the writing side of one connection.
//
// Frames go out in the order of the calls. While the client keeps up, the caller writes itself: no goroutine, no copy,
// no memory. What the operating system does not take goes into a bounded queue with a goroutine that lives as long as
// the queue.
type socket struct {
	conn         net.Conn
	limit        int // bytes of the queue
	writeTimeout time.Duration
	running      *sync.WaitGroup // counts the goroutine

	mu       sync.Mutex
	queue    [][]byte
	queued   int // bytes in queue, and those that drain is writing
	draining bool
	closing  bool        // the close frame is in the stream, or the socket is dead: nothing may follow
	stop     *time.Timer // closes conn when the client does not, after closing
}

// open writes the answer to the upgrade. Frames of other callers wait for it when it is called with the socket locked.
func (s *socket) open(response []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	_, err := s.conn.Write(response)
	return err
}

// send writes whole frames, or queues them. It returns errGone after the end and errFull when the queue has no room; in
// both cases nothing was sent. It keeps no reference to frames.
func (s *socket) send(frames []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return errGone
	}
	if s.draining && s.queued+len(frames) > s.limit {
		return errFull
	}
	return s.write(frames)
}

// write is send with the socket locked, without its conditions.
func (s *socket) write(frames []byte) error {
	if !s.draining {
		_ = s.conn.SetWriteDeadline(time.Now().Add(directWrite))
		n, err := s.conn.Write(frames)
		if err == nil {
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			_ = s.conn.Close() // the reader notices
			return errGone
		}
		frames = frames[n:]
		s.draining = true
		s.running.Go(s.drain)
	}
	s.queue = append(s.queue, bytes.Clone(frames))
	s.queued += len(frames)
	return nil
}

// drain writes the queue until it is empty. A socket that takes nothing for the write timeout is closed.
func (s *socket) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		frames := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		err := s.writeAll(frames)
		s.mu.Lock()
		s.queued -= len(frames)
		if err != nil {
			_ = s.conn.Close()
			s.closing = true
			s.queue, s.queued = nil, 0
		}
	}
	s.queue = nil
	s.draining = false
	if s.closing {
		s.finish()
	}
}

// writeAll writes in pieces, so that the write timeout counts from the last progress.
func (s *socket) writeAll(frames []byte) error {
	const piece = 16 << 10
	for len(frames) > 0 {
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.writeTimeout))
		n, err := s.conn.Write(frames[:min(len(frames), piece)])
		if err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// close sends the close frame after everything queued and then ends the writing side. The reader should go on until the
// client ends its side too; after closeTimeout the socket is closed anyway.
func (s *socket) close(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	s.stop = time.AfterFunc(closeTimeout, func() { _ = s.conn.Close() })
	if err := s.write(frame); err == nil && !s.draining {
		s.finish()
	}
}

// finish tells the client that nothing more comes.
func (s *socket) finish() {
	if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// abort closes the socket at once, where there is one yet.
func (s *socket) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	if s.stop != nil {
		s.stop.Stop()
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
