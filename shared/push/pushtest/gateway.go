// Package pushtest is a gateway for tests of what posts: it notes what arrives, and answers as it is told.
package pushtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/purposepath/realtime/shared/push"
)

// A Gateway takes posts and closes. The zero Gateway takes all of them.
type Gateway struct {
	// Fail answers a post or a close ("post", "close") before it is made; nil makes it.
	Fail func(call, connectionID string) error

	mu     sync.Mutex
	frames map[string][]string
	closed map[string]bool
	calls  []string
}

// Post implements push.Poster. A closed connection is gone.
func (g *Gateway) Post(_ context.Context, id string, frame push.Frame) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.answer("post", id); err != nil {
		return err
	}
	if g.frames == nil {
		g.frames = map[string][]string{}
	}
	g.frames[id] = append(g.frames[id], string(frame.Data()))
	return nil
}

// Delete closes a connection.
func (g *Gateway) Delete(_ context.Context, id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.answer("close", id); err != nil {
		return err
	}
	if g.closed == nil {
		g.closed = map[string]bool{}
	}
	g.closed[id] = true
	return nil
}

func (g *Gateway) answer(call, id string) error {
	g.calls = append(g.calls, call+" "+id)
	if g.Fail != nil {
		if err := g.Fail(call, id); err != nil {
			return err
		}
	}
	if g.closed[id] {
		return fmt.Errorf("%s %s: %w", call, id, push.ErrGone)
	}
	return nil
}

// Calls are all calls in their order, as "post a=" and "close a=".
func (g *Gateway) Calls() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.calls...)
}

// Frames are what a connection got.
func (g *Gateway) Frames(id string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.frames[id]...)
}

// A Message is what tests look at in a frame: an event, a batch of them, or a control message.
type Message struct {
	Type     string
	EventID  string
	Sequence int64
	Data     struct {
		Code   string
		Reason string
		Ref    string
		Events []struct {
			EventID  string
			Sequence int64
		}
	}
}

// Messages are a connection's frames, read.
func (g *Gateway) Messages(id string) []Message {
	var list []Message
	for _, frame := range g.Frames(id) {
		var m Message
		if err := json.Unmarshal([]byte(frame), &m); err != nil {
			m.Type = "unreadable: " + err.Error()
		}
		list = append(list, m)
	}
	return list
}
