package product

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/coder/websocket"
)

// pingEvery is below API Gateway's idle time-out of ten minutes.
const pingEvery = 8 * time.Minute

// maxFrameBytes is the largest message API Gateway sends.
const maxFrameBytes = 128 << 10

// A Listener is a client that shows what arrives.
type Listener struct {
	URL   string // of the socket, of the local stack or of a deployed stage
	Token string
	// Since is the position to resume after; nil for none.
	Since *int64
	JSON  bool // frames as they came
	Out   io.Writer
}

// Run connects, authenticates and prints each message until ctx ends (nil) or the connection does.
func (l *Listener) Run(ctx context.Context) error {
	conn, response, err := websocket.Dial(ctx, l.URL, nil)
	if err != nil {
		if response != nil {
			return fmt.Errorf("connect to %s: the handshake was answered %s", l.URL, response.Status)
		}
		return fmt.Errorf("connect to %s: %w", l.URL, err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxFrameBytes)
	auth := map[string]any{"action": "auth", "token": l.Token, "client": map[string]string{"name": "rtlocal", "version": "1"}}
	if l.Since != nil {
		auth["lastSequence"] = *l.Since
	}
	if err := send(ctx, conn, auth); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go keepAlive(ctx, conn)
	for {
		_, frame, err := conn.Read(ctx)
		var closed websocket.CloseError
		switch {
		case ctx.Err() != nil:
			_ = conn.Close(websocket.StatusNormalClosure, "")
			return nil
		case errors.As(err, &closed):
			return fmt.Errorf("the connection was closed: %d %s", closed.Code, closed.Reason)
		case err != nil:
			return fmt.Errorf("the connection ended: %w", err)
		}
		if err := l.print(frame); err != nil {
			return err
		}
	}
}

func send(ctx context.Context, conn *websocket.Conn, message any) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func keepAlive(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = send(ctx, conn, map[string]any{"action": "ping"}) // the reader sees what is wrong with the connection
		}
	}
}

// print shows a message in one line: its time, number, type and data. What is no message of the protocol is shown as it came. Control
// characters are not: a server elsewhere must not steer this terminal.
func (l *Listener) print(frame []byte) error {
	var m struct {
		Type      string          `json:"type"`
		Timestamp string          `json:"timestamp"`
		Sequence  json.Number     `json:"sequence"`
		Data      json.RawMessage `json:"data"`
	}
	var data bytes.Buffer
	line := string(frame)
	if !l.JSON && json.Unmarshal(frame, &m) == nil && m.Type != "" && json.Compact(&data, m.Data) == nil {
		line = fmt.Sprintf("%s  %-24s %-14s %s", m.Timestamp, m.Type, m.Sequence, data.Bytes())
	}
	visible := func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}
	_, err := fmt.Fprintln(l.Out, strings.Map(visible, line))
	return err
}
