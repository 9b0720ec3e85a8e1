package gateway_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func asClose(err error, frame *websocket.CloseError) bool { return errors.As(err, frame) }

// A rawClient speaks WebSocket byte by byte, so that it can also speak it wrongly.
type rawClient struct {
	*testing.T
	*net.TCPConn
	in *bufio.Reader
}

const upgrade = "GET /dev HTTP/1.1\r\nHost: chat.example:8080\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func (s *stack) tcp() *rawClient {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &rawClient{s.T, conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// raw connects a raw client.
func (s *stack) raw() *rawClient {
	s.Helper()
	c := s.tcp()
	c.send([]byte(upgrade + "\r\n"))
	if response := c.response(); response.StatusCode != http.StatusSwitchingProtocols {
		s.Fatalf("upgrade = %s", response.Status)
	}
	return c
}

func (c *rawClient) send(data []byte) {
	c.Helper()
	if _, err := c.Write(data); err != nil {
		c.Fatal(err)
	}
}

func (c *rawClient) response() *http.Response {
	c.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.Fatal(err)
	}
	return response
}

// frame is a masked client frame; first is its first byte: FIN, reserved bits, opcode.
func frame(first byte, payload string) []byte {
	data := []byte{first}
	switch n := len(payload); {
	case n < 126:
		data = append(data, 0x80|byte(n))
	case n <= 0xffff:
		data = binary.BigEndian.AppendUint16(append(data, 0x80|126), uint16(n))
	default:
		data = binary.BigEndian.AppendUint64(append(data, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	data = append(data, mask[:]...)
	for i := range len(payload) {
		data = append(data, payload[i]^mask[i%4])
	}
	return data
}

// readFrame returns the first byte and the payload of the next server frame.
func (c *rawClient) readFrame() (byte, string) {
	c.Helper()
	first, payload, err := c.tryFrame()
	if err != nil {
		c.Fatalf("read a frame: %v", err)
	}
	return first, payload
}

func (c *rawClient) tryFrame() (byte, string, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, "", err
	}
	length := uint64(head[1])
	if length > 127 {
		return 0, "", fmt.Errorf("the server masked a frame")
	}
	if length >= 126 {
		extended := make([]byte, 8)
		part := extended[:2]
		if length == 127 {
			part = extended
		}
		if _, err := io.ReadFull(c.in, part); err != nil {
			return 0, "", err
		}
		length = 0
		for _, b := range part {
			length = length<<8 | uint64(b)
		}
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(c.in, payload)
	return head[0], string(payload), err
}

// expectClose reads up to the close frame and then the end of the stream.
func (c *rawClient) expectClose(code uint16) (reason string) {
	c.Helper()
	for {
		first, payload := c.readFrame()
		if first != 0x88 {
			continue
		}
		if len(payload) < 2 || binary.BigEndian.Uint16([]byte(payload)) != code {
			c.Fatalf("close frame %q, want code %d", payload, code)
		}
		if _, _, err := c.tryFrame(); err != io.EOF {
			c.Fatalf("after the close frame: %v, want EOF", err)
		}
		return payload[2:]
	}
}
