package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gobwas/ws"
)

// readBuffer is what one socket reads into, in bytes: an event's frame fits.
const readBuffer = 1 << 10

// A frame is what a socket received, as far as a measurement needs it.
type frame struct {
	at      time.Time // when all of it was there
	socket  int       // index
	kind    string    // type of the message
	eventID string    // "" for what is no event
	err     error     // the connection ended; nothing else is set
}

// A socket is one authenticated connection. It is lean, because a thousand of them share the host with what is measured: one
// goroutine, one buffer, no JSON decoding.
type socket struct {
	conn  net.Conn
	index int
	read  *bufio.Reader
	data  []byte // the last frame

	handshake time.Duration // from dialling to the upgrade's answer
	auth      time.Duration // from sending the token to auth.success
}

// connect opens a connection and authenticates it.
func connect(ctx context.Context, url, token string, index int) (_ *socket, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	conn, early, _, err := ws.Dial(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s := &socket{conn: conn, index: index, read: early, handshake: time.Since(began)}
	if s.read == nil {
		s.read = bufio.NewReaderSize(conn, readBuffer)
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(patience))
	began = time.Now()
	if err := s.send(fmt.Appendf(nil, `{"action":"auth","token":%q}`, token)); err != nil {
		return nil, err
	}
	answer, err := s.next()
	s.auth = time.Since(began)
	if err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	if answer.kind != "auth.success" {
		return nil, fmt.Errorf("authenticate: answered %s", s.data)
	}
	return s, conn.SetDeadline(time.Time{})
}

// send sends one text message.
func (s *socket) send(message []byte) error {
	data, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame(message)))
	if err == nil {
		_, err = s.conn.Write(data) // in one piece
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// next waits for the next message.
func (s *socket) next() (frame, error) {
	for {
		header, err := ws.ReadHeader(s.read)
		if err != nil {
			return frame{}, err
		}
		if err := ws.CheckHeader(header, ws.StateClientSide); err != nil {
			return frame{}, err
		}
		if header.Length > maxFrame {
			return frame{}, fmt.Errorf("a frame of %d bytes, more than API Gateway sends", header.Length)
		}
		s.data = append(s.data[:0], make([]byte, header.Length)...)
		if _, err := io.ReadFull(s.read, s.data); err != nil {
			return frame{}, err
		}
		switch {
		case header.OpCode == ws.OpText && header.Fin:
			return frame{at: time.Now(), socket: s.index, kind: member(s.data, "type"), eventID: member(s.data, "eventId")}, nil
		case header.OpCode == ws.OpClose:
			code, reason := ws.ParseCloseFrameData(s.data)
			return frame{}, fmt.Errorf("closed by the stack: %d %s", code, reason)
		case !header.OpCode.IsControl():
			return frame{}, errors.New("a fragmented message: those of the scenarios fit one frame")
		}
	}
}

// maxFrame is the greatest that API Gateway sends, in bytes.
const maxFrame = 32 << 10

// member is the first member of that name in a JSON text, if it is a string without escapes: type and eventId stand in the envelope,
// before the data.
func member(text []byte, name string) string {
	_, rest, found := bytes.Cut(text, []byte(`"`+name+`":"`))
	value, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return ""
	}
	return string(value)
}

// deliver hands every message on until the connection ends, by whoever: its end is the last.
func (s *socket) deliver(inbox chan<- frame) {
	for {
		f, err := s.next()
		if err != nil {
			inbox <- frame{socket: s.index, err: err}
			return
		}
		inbox <- f
	}
}

func (s *socket) close() { _ = s.conn.Close() }
