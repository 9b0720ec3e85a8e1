package gateway

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// A connection is one client, from its upgrade to its end. It has one goroutine, which reads.
type connection struct {
	gateway     *Gateway
	id          string
	connectedAt time.Time // on the gateway's clock
	host        string    // the Host header of the upgrade
	identity    identity
	socket      socket
	frames      frameReader

	active   atomic.Int64 // nanoseconds after connectedAt of the last message in either direction
	received atomic.Int64 // messages
	sent     atomic.Int64 // messages
	over     atomic.Bool
	inFlight chan struct{} // holds one element for each message being handled
}

// An ending is why a connection ends: what $disconnect is told, and the close frame for the client, nil when the client
// is not there to read it.
type ending struct {
	code   int
	reason string
	frame  []byte
}

// ended is the ending that the gateway brings about.
func ended(code ws.StatusCode, reason string) ending {
	return ending{code: int(code), reason: reason, frame: closeFrame(ws.NewCloseFrameBody(code, reason))}
}

// goingAway is the ending by age, by idleness and by the end of the gateway.
func goingAway() ending { return ended(ws.StatusGoingAway, "Going away") }

// lost is the ending of a client that is gone without a close frame.
func lost() ending { return ending{code: int(ws.StatusAbnormalClosure)} }

var errExpired = errors.New("the connection is idle or too old")

// serve reads until the connection is over, then until the client has closed its side.
func (c *connection) serve() {
	defer c.gateway.running.Done()
	for {
		if len(c.frames.pending) == 0 {
			// Idle connections wait here. Any deeper in the stack, each would take 2 kB more of it. An error comes again
			// from the next read.
			n, _ := c.socket.conn.Read(c.frames.small[:])
			c.frames.pending = c.frames.small[:n]
		}
		if !c.receive() {
			break
		}
	}
	_ = c.socket.conn.SetReadDeadline(time.Time{}) // the socket's own timer ends this
	_, _ = io.Copy(io.Discard, c.socket.conn)
	c.socket.abort()
}

// receive handles the next thing the client sends, and returns false when it was the last.
func (c *connection) receive() bool {
	opcode, payload, err := c.frames.next()
	if err != nil {
		c.end(endingOf(err))
		return false
	}
	switch opcode {
	case ws.OpClose:
		c.end(parseClose(payload))
		return false
	case ws.OpPing:
		// Does not count as activity. A client that pings but does not read gets no pong once the buffer is full.
		_ = c.socket.send(pongFrame(payload))
	case ws.OpText:
		if c.over.Load() {
			break
		}
		c.received.Add(1)
		c.touch()
		c.inFlight <- struct{}{}
		c.gateway.running.Go(func() {
			c.handle(payload)
			<-c.inFlight
		})
	}
	return true
}

// endingOf is what a reading error means for the connection.
func endingOf(err error) ending {
	var broken *violation
	switch {
	case errors.As(err, &broken):
		return ended(broken.code, broken.reason)
	case errors.Is(err, errExpired):
		return goingAway()
	}
	return lost()
}

// Read reads from the socket, for as long as the connection is neither idle nor too old.
//
// Activity does not touch the socket's deadline: when that passes, Read looks whether there was any and sets the next
// one. So an idle connection costs no timer of its own.
func (c *connection) Read(p []byte) (int, error) {
	for {
		n, err := c.socket.conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if !c.extend() {
			return 0, errExpired
		}
	}
}

// extend sets the socket's read deadline to when the connection expires, and returns false when it has.
func (c *connection) extend() bool {
	g := c.gateway
	expires := min(time.Duration(c.active.Load())+g.config.IdleTimeout, g.config.MaxAge)
	left := expires - c.age()
	if left <= 0 {
		return false
	}
	_ = c.socket.conn.SetReadDeadline(time.Now().Add(max(g.config.Clock.Real(left), time.Millisecond)))
	return true
}

// touch notes that there was a message just now.
func (c *connection) touch() { c.active.Store(int64(c.age())) }

func (c *connection) age() time.Duration { return c.gateway.config.Clock.Now().Sub(c.connectedAt) }

func (c *connection) lastActive() time.Time { return c.connectedAt.Add(time.Duration(c.active.Load())) }

// send sends a text message to the client: errGone or errFull when it could not.
func (c *connection) send(message []byte) error {
	g := c.gateway
	frames := g.buffers.Get().(*[]byte)
	defer g.buffers.Put(frames)
	*frames = appendMessage((*frames)[:0], message, g.config.MaxFrameBytes)
	if err := c.socket.send(*frames); err != nil {
		return err
	}
	c.sent.Add(1)
	c.touch()
	return nil
}

// end takes the connection out of the API, closes its socket and runs $disconnect: all of it once, whoever calls first.
// From its return on, posts to the connection find it gone.
func (c *connection) end(why ending) {
	if !c.over.CompareAndSwap(false, true) {
		return
	}
	g := c.gateway
	g.running.Add(1) // before the socket closes: its reader may be the last that Close waits for
	g.forget(c)
	if why.frame != nil {
		c.socket.close(why.frame)
	} else {
		c.socket.abort()
	}
	go func() {
		defer g.running.Done()
		c.disconnected(why)
	}()
}

// disconnected runs $disconnect, whose answer means nothing to anyone.
func (c *connection) disconnected(why ending) {
	g := c.gateway
	g.log.Debug("connection closed", "connectionId", c.id, "code", why.code, "reason", why.reason)
	if route := g.routes.disconnect; route != nil {
		_, _ = g.integrate(route, c.disconnectEvent(why))
	}
}
