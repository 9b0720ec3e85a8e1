package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// TestQueueIsBoundedAndReturnsItsRoom uses a pipe: it holds nothing by itself, so every byte is either read or queued.
func TestQueueIsBoundedAndReturnsItsRoom(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	var running sync.WaitGroup
	s := &socket{conn: near, limit: 100, writeTimeout: time.Minute, running: &running}
	for round := range 3 {
		sent := 0
		for ; ; sent++ {
			if err := s.send([]byte{byte(sent), 2, 3, 4, 5, 6, 7, 8, 9, 10}); errors.Is(err, errFull) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if sent != 10 {
			t.Errorf("round %d: 100 bytes of room took %d frames of 10", round, sent)
		}
		for i := range sent {
			var got [10]byte
			if _, err := io.ReadFull(far, got[:]); err != nil || got[0] != byte(i) || got[9] != 10 {
				t.Fatalf("round %d: frame %d is %v, %v", round, i, got, err)
			}
		}
		running.Wait() // the queue's goroutine has gone with the queue
	}
	s.abort()
	if err := s.send([]byte{1}); !errors.Is(err, errGone) {
		t.Errorf("send after the end = %v", err)
	}
}

// TestCloseFollowsTheQueueAndHalvesTheConnection: the client must get all that was sent and then the close frame, and
// must be able to answer it.
func TestCloseFollowsTheQueueAndHalvesTheConnection(t *testing.T) {
	t.Parallel()
	for _, queued := range []int{0, 16 << 20} { // the second is more than a loopback socket holds
		near, far := tcpPair(t)
		var running sync.WaitGroup
		s := &socket{conn: near, limit: 100, writeTimeout: time.Minute, running: &running}
		if err := s.send(make([]byte, queued)); err != nil {
			t.Fatal(err)
		}
		s.close([]byte("close"))
		in := bufio.NewReader(far)
		if _, err := io.CopyN(io.Discard, in, int64(queued)); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(in); err != nil || string(rest) != "close" {
			t.Errorf("after %d bytes came %q, %v, want the close frame and the end", queued, rest, err)
		}
		running.Wait()
		if err := s.send([]byte("late")); !errors.Is(err, errGone) {
			t.Errorf("send after close = %v", err)
		}
		if _, err := far.Write([]byte("answer")); err != nil {
			t.Fatal(err)
		}
		var answer [6]byte
		if _, err := io.ReadFull(near, answer[:]); err != nil {
			t.Errorf("the client's answer can't be read: %v", err)
		}
		s.abort()
	}
}

func tcpPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if far, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}
