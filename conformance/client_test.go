package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/purposepath/realtime/local/localtest"
)

// patience is how long a test waits for what must come. Nothing asserts how fast it came.
const patience = 60 * time.Second

// A message is a frame of the protocol, whatever its type.
type message struct {
	Type          string          `json:"type"`
	Timestamp     string          `json:"timestamp"`
	EventID       string          `json:"eventId"`
	TenantID      string          `json:"tenantId"`
	Sequence      int64           `json:"sequence"`
	CorrelationID string          `json:"correlationId"`
	Data          json.RawMessage `json:"data"`

	// Those of the gateway's own frames.
	Message   string `json:"message"`
	RequestID string `json:"requestId"`

	frame []byte // as it came
}

// An answer is the data of auth.success, auth.error, connection_error and pong.
type answer struct {
	TenantID, UserID, ConnectionID string
	Sequence                       int64
	After                          *int64
	Recovered                      *bool
	More                           bool
	Accepted                       []string
	Error, Code, Reason, Ref       string
}

// A socket is one connection of an independent WebSocket client. Its frames are queued, so that none is missed.
type socket struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan message
	closed chan error // one error, once all frames are queued
}

func dial(t *testing.T, url string) *socket {
	t.Helper()
	s, err := tryDial(t, url)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	return s
}

func tryDial(t *testing.T, url string) (*socket, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 20)
	s := &socket{t: t, conn: conn, frames: make(chan message, 4096), closed: make(chan error, 1)}
	var reading sync.WaitGroup
	reading.Go(s.read)
	t.Cleanup(func() {
		_ = conn.CloseNow()
		reading.Wait()
	})
	return s, nil
}

func (s *socket) read() {
	for {
		_, frame, err := s.conn.Read(context.Background())
		if err != nil {
			s.closed <- err
			close(s.frames)
			return
		}
		var m message
		if err := json.Unmarshal(frame, &m); err != nil {
			m.Type = fmt.Sprintf("unreadable: %s", frame)
		}
		m.frame = frame
		s.frames <- m
	}
}

func (s *socket) send(format string, args ...any) {
	s.t.Helper()
	if err := s.trySend(format, args...); err != nil {
		s.t.Fatalf("send: %v", err)
	}
}

// trySend sends on a connection that may have ended.
func (s *socket) trySend(format string, args ...any) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...))
}

// next is the next frame, whatever it is.
func (s *socket) next() message {
	s.t.Helper()
	select {
	case m, ok := <-s.frames:
		if !ok {
			s.t.Fatalf("the connection ended: %v", <-s.closed)
		}
		return m
	case <-time.After(patience):
		s.t.Fatalf("no frame within %v", patience)
		return message{}
	}
}

// nextOf passes over frames until one of a type comes.
func (s *socket) nextOf(kind string) message {
	s.t.Helper()
	for {
		m := s.next()
		if m.Type == kind {
			return m
		}
		if m.Type == "auth.error" || m.Type == "connection_error" || m.Message != "" {
			s.t.Fatalf("got %s %s %s, waiting for %s", m.Type, m.Message, m.Data, kind)
		}
	}
}

func (m message) answer(t *testing.T) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		t.Fatalf("%s: %v", m.Data, err)
	}
	return a
}

// end waits for the connection's end and returns its close code.
func (s *socket) end() websocket.StatusCode {
	s.t.Helper()
	select {
	case err := <-s.closed:
		return websocket.CloseStatus(err)
	case <-time.After(patience):
		s.t.Fatalf("still open after %v", patience)
		return 0
	}
}

// A client is a user's: it keeps its position over connections, as the protocol says, and what it received.
type client struct {
	t       *testing.T
	stack   *localtest.Stack
	token   string
	accepts string // JSON array

	position int64
	events   []message // in the order in which a subscriber would see them
	held     map[int64]message
	repeats  int
	pages    int  // replays with more
	batches  int  // frames
	opened   int  // connections that were authenticated
	silences int  // messages to auth without any answer, not even the gateway's
	lost     bool // recovered was false
}

func newClient(t *testing.T, stack *localtest.Stack, tenant, user string, accepts string) *client {
	t.Helper()
	return &client{t: t, stack: stack, token: stack.Token(t, tenant, user, time.Hour), accepts: accepts, held: map[int64]message{}}
}

// connect opens a connection and authenticates, with the position if there is one. What arrives before the answer is kept. Where it
// meets a fault it tries again, as a client does.
func (c *client) connect() *socket {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		s, err := c.tryConnect()
		if err == nil {
			return s
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("connect: %v", err)
		}
	}
}

func (c *client) tryConnect() (*socket, error) {
	s, err := tryDial(c.t, c.stack.WebSocketURL)
	if err != nil {
		return nil, err
	}
	position := ""
	if c.position > 0 {
		position = fmt.Sprintf(`,"lastSequence":%d`, c.position)
	}
	if err := s.trySend(`{"action":"auth","token":%q,"accept":%s%s}`, c.token, c.accepts, position); err != nil {
		return nil, err
	}
	for silence := time.After(patience / 5); ; {
		select {
		case m, open := <-s.frames:
			switch {
			case !open:
				return nil, <-s.closed
			case m.Type == "auth.success":
				c.opened++
				c.answered(s, m.answer(c.t))
				return s, nil
			case m.Type == "auth.error" || m.Type == "connection_error" || m.Message != "":
				_ = s.conn.CloseNow()
				return nil, fmt.Errorf("%s %s %s", m.Type, m.Message, m.Data)
			}
			c.take(m)
		case <-silence:
			c.silences++
			_ = s.conn.CloseNow()
			return nil, errors.New("no answer to auth")
		}
	}
}

// take handles one frame that is no answer.
func (c *client) take(m message) {
	c.t.Helper()
	switch {
	case m.Type == "batch":
		var data struct{ Events []message }
		if err := json.Unmarshal(m.Data, &data); err != nil {
			c.t.Fatal(err)
		}
		c.batches++
		for _, event := range data.Events {
			c.take(event)
		}
	case m.Sequence == 0:
		c.t.Fatalf("unexpected %s %s", m.Type, m.Data)
	case m.Sequence <= c.position && c.position > 0:
		c.repeats++
	default:
		c.held[m.Sequence] = m
	}
	c.deliver()
}

// deliver hands on what is held, in order. Before the first position is known all is held.
func (c *client) deliver() {
	for c.position > 0 {
		m, ok := c.held[c.position+1]
		if !ok {
			return
		}
		delete(c.held, m.Sequence)
		c.position++
		c.events = append(c.events, m)
	}
}

// answered follows protocol.md: an answer never moves a position, except the first, and one that says that not all can be had.
func (c *client) answered(s *socket, a answer) {
	c.t.Helper()
	switch {
	case c.position == 0 && a.After == nil:
		c.position = a.Sequence
	case a.Recovered != nil && !*a.Recovered && a.After != nil && *a.After == c.position:
		c.lost, c.position = true, a.Sequence
	}
	for sequence := range c.held {
		if sequence <= c.position {
			delete(c.held, sequence)
		}
	}
	c.deliver()
	if a.More {
		c.pages++
		c.heal(s, *a.After)
	}
}

// heal asks for what is missing once the page that began after a position has arrived.
func (c *client) heal(s *socket, after int64) {
	c.t.Helper()
	for c.position == after {
		select {
		case m, open := <-s.frames:
			if !open || m.Type == "connection_error" || m.Message != "" {
				return
			}
			c.take(m)
		case <-time.After(patience / 10):
			return
		}
	}
	_ = s.trySend(`{"action":"ping","lastSequence":%d}`, c.position) // where the connection has ended, the reader sees it
	for {
		select {
		case m, open := <-s.frames:
			switch {
			case !open, m.Type == "connection_error", m.Message != "": // the client asks again, by its next ping or connection
				return
			case m.Type == "pong":
				c.answered(s, m.answer(c.t))
				return
			}
			c.take(m)
		case <-time.After(patience / 10):
			return
		}
	}
}

// until receives until a number of events has been delivered.
func (c *client) until(s *socket, count int) {
	c.t.Helper()
	for len(c.events) < count {
		c.take(s.next())
	}
}

// ids are the events delivered, in order.
func (c *client) ids() []string {
	list := make([]string, len(c.events))
	for i, m := range c.events {
		list[i] = m.EventID
	}
	return list
}

// refusedHandshake checks the status of a handshake that is not let in.
func refusedHandshake(t *testing.T, url string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, url, nil)
	if err == nil {
		_ = conn.CloseNow()
		t.Fatalf("the handshake was let in, want %d", want)
	}
	if response == nil || response.StatusCode != want {
		t.Errorf("the handshake was answered %v, %v, want %d", response, err, want)
	}
}
