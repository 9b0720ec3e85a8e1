package gateway_test

import (
	"strings"
	"testing"
)

// TestInput is RFC 6455 and API Gateway's own limits, frame by frame: what a client sends, and how that ends.
func TestInput(t *testing.T) {
	t.Parallel()
	join := func(frames ...[]byte) (all []byte) {
		for _, f := range frames {
			all = append(all, f...)
		}
		return all
	}
	const fits = 32768
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name  string
		input []byte
		code  uint16 // of the close frame; 0 when the message arrives
		body  string
	}{
		{name: "a text", input: frame(0x81, "hi"), body: "hi"},
		{name: "an empty text", input: frame(0x81, "")},
		{name: "5.1 frame of 32768 bytes", input: frame(0x81, long(fits)), body: long(fits)},
		{name: "5.1 frame of 32769 bytes", input: frame(0x81, long(fits+1)), code: 1009},
		{name: "5.1 frame that claims 2^62 bytes", input: []byte{0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, code: 1009},
		{name: "5.2 message of 131072 bytes", input: join(frame(0x01, long(fits)), frame(0, long(fits)), frame(0, long(fits)), frame(0x80, long(fits))), body: long(131072)},
		{name: "5.2 message of 131073 bytes", input: join(frame(0x01, long(fits)), frame(0, long(fits)), frame(0, long(fits)), frame(0, long(fits)), frame(0x80, "x")), code: 1009},
		{name: "5.3 fragments", input: join(frame(0x01, "a"), frame(0, ""), frame(0, "b"), frame(0x80, "c")), body: "abc"},
		{name: "5.3 a character cut in two", input: join(frame(0x01, "\xc3"), frame(0x80, "\xa9")), body: "é"},
		{name: "5.3 a ping between fragments", input: join(frame(0x01, "a"), frame(0x89, "p"), frame(0x80, "b")), body: "ab"},
		{name: "1.18 binary", input: frame(0x82, "hi"), code: 1003},
		{name: "1.18 binary fragment", input: frame(0x02, "hi"), code: 1003},
		{name: "8.1 not UTF-8", input: frame(0x81, "\xff"), code: 1007},
		{name: "8.1 not UTF-8 in fragments", input: join(frame(0x01, "\xc3"), frame(0x80, "x")), code: 1007},
		{name: "8.1 half a character at the end", input: frame(0x81, "x\xc3"), code: 1007},
		{name: "5.1 unmasked", input: []byte{0x81, 2, 'h', 'i'}, code: 1002},
		{name: "5.2 RSV1", input: frame(0xc1, "hi"), code: 1002},
		{name: "5.2 RSV2", input: frame(0xa1, "hi"), code: 1002},
		{name: "5.2 RSV3", input: frame(0x91, "hi"), code: 1002},
		{name: "5.2 reserved opcode 3", input: frame(0x83, ""), code: 1002},
		{name: "5.2 reserved opcode 11", input: frame(0x8b, ""), code: 1002},
		{name: "5.2 length of 64 bits with the highest set", input: []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, code: 1002},
		{name: "5.4 continuation of nothing", input: frame(0x80, "hi"), code: 1002},
		{name: "5.4 a message inside another", input: join(frame(0x01, "a"), frame(0x81, "b")), code: 1002},
		{name: "5.5 ping of 126 bytes", input: frame(0x89, long(126)), code: 1002},
		{name: "5.5 fragmented ping", input: frame(0x09, "p"), code: 1002},
		{name: "5.5 unmasked close", input: []byte{0x88, 0}, code: 1002},
		{name: "5.5.1 close of one byte", input: frame(0x88, "\x03"), code: 1002},
		{name: "5.5.1 close reason is not UTF-8", input: frame(0x88, "\x03\xe8\xff"), code: 1002},
		{name: "5.5.3 pong nobody asked for", input: join(frame(0x8a, "p"), frame(0x81, "hi")), body: "hi"},
		{name: "7.4.1 close code 999", input: frame(0x88, "\x03\xe7"), code: 1002},
		{name: "7.4.1 close code 1005", input: frame(0x88, "\x03\xed"), code: 1002},
		{name: "7.4.1 close code 1006", input: frame(0x88, "\x03\xee"), code: 1002},
		{name: "7.4.2 close code 1016", input: frame(0x88, "\x03\xf8"), code: 1002},
		{name: "7.4.2 close code 2999", input: frame(0x88, "\x0b\xb7"), code: 1002},
		{name: "7.4.2 close code 5000", input: frame(0x88, "\x13\x88"), code: 1002},
		{name: "HTTP instead of frames", input: []byte("GET / HTTP/1.1\r\n\r\n"), code: 1002},
	}
	s := start(t, nil, nil) // one gateway for all: none of it may harm the others
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.T = t
			client := s.raw()
			client.send(tt.input)
			if tt.code != 0 {
				reason := client.expectClose(tt.code)
				_ = client.Close()
				s.awaitDisconnect(int(tt.code), reason)
				return
			}
			client.send(frame(0x81, "the end of "+tt.name))
			s.awaitMessages(tt.body, "the end of "+tt.name)
			client.send(frame(0x88, "\x03\xe8bye"))
			if reason := client.expectClose(1000); reason != "bye" {
				t.Errorf("6.3 close frame echoes %q", reason)
			}
		})
	}
}

// awaitMessages waits until $default got both bodies from one connection, in whatever order.
func (s *stack) awaitMessages(bodies ...string) {
	s.Helper()
	for n := 1; ; n++ {
		from := map[string]map[string]bool{}
		for _, e := range s.of(s.T, "unrouted", n) {
			if from[e.Context.ConnectionID] == nil {
				from[e.Context.ConnectionID] = map[string]bool{}
			}
			from[e.Context.ConnectionID][*e.Body] = true
		}
		for _, got := range from {
			if got[bodies[0]] && got[bodies[1]] {
				return
			}
		}
	}
}

// awaitDisconnect waits for a $disconnect with the code and reason.
func (s *stack) awaitDisconnect(code int, reason string) {
	s.Helper()
	for n := 1; ; n++ {
		for _, e := range s.of(s.T, "disconnect", n) {
			if e.Context.DisconnectStatusCode == code && *e.Context.DisconnectReason == reason {
				return
			}
		}
	}
}

func TestPingIsAnswered(t *testing.T) { // 5.9, RFC 6455 5.5.2
	t.Parallel()
	s := start(t, nil, nil)
	client := s.raw()
	for _, payload := range []string{"", "p", strings.Repeat("p", 125)} {
		client.send(frame(0x89, payload))
		if first, got := client.readFrame(); first != 0x8a || got != payload {
			t.Errorf("answer = %#x %q, want a pong with %q", first, got, payload)
		}
	}
	client.send(frame(0x81, "after"))
	if events := s.of(t, "unrouted", 1); *events[0].Body != "after" {
		t.Errorf("a ping reached a function as %q", *events[0].Body)
	}
}
