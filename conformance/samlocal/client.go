package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

// A frame is one message of the server.
type frame struct {
	Type     string          `json:"type"`
	Sequence int64           `json:"sequence"`
	Data     json.RawMessage `json:"data"`
}

// A client is one connection to the stack. Its frames are queued, so that none is missed.
type client struct {
	conn   *websocket.Conn
	frames chan frame // closed when the connection has ended
}

func dial(ctx context.Context) (*client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(stackURL, "http"), nil)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &client{conn: conn, frames: make(chan frame, 256)}
	go c.read()
	return c, nil
}

func (c *client) read() {
	defer close(c.frames)
	for {
		_, data, err := c.conn.Read(context.Background()) // until close
		if err != nil {
			return
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			f.Type = fmt.Sprintf("not JSON: %q", data)
		}
		c.frames <- f
	}
}

func (c *client) close() {
	_ = c.conn.CloseNow() // the server may have gone first
	for range c.frames {  // until read has ended
	}
}

func (c *client) send(ctx context.Context, message any) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := c.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// next is the next frame, which must be of a type.
func (c *client) next(ctx context.Context, kind string) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case f, open := <-c.frames:
		switch {
		case !open:
			return frame{}, fmt.Errorf("the connection ended before %s came", kind)
		case f.Type != kind:
			return frame{}, fmt.Errorf("the client got %s %s, want %s", f.Type, f.Data, kind)
		}
		return f, nil
	case <-ctx.Done():
		return frame{}, fmt.Errorf("%s did not come: %w", kind, ctx.Err())
	}
}

// quiet says whether all frames have been taken.
func (c *client) quiet() error {
	select {
	case f, open := <-c.frames:
		if !open {
			return errors.New("the connection has ended")
		}
		return fmt.Errorf("the client also got %s %s", f.Type, f.Data)
	default:
		return nil
	}
}

// ask reads one of the stack's own pages.
func ask(ctx context.Context, path string, query url.Values, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stackURL+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the stack: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("ask the stack for %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the stack for %s: %s %s", path, response.Status, body)
	}
	return json.Unmarshal(body, answer)
}
