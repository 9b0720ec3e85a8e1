package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func text(message string) []byte { return ws.MustCompileFrame(ws.NewTextFrame([]byte(message))) }

func TestASocketReadsMessagesAndSaysWhyTheyEnd(t *testing.T) {
	t.Parallel()
	fragmented := text("half")
	fragmented[0] &^= 0x80
	long := ws.Header{Fin: true, OpCode: ws.OpText, Length: maxFrame + 1}
	var tooLong bytes.Buffer
	if err := ws.WriteHeader(&tooLong, long); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		bytes []byte
		says  string
	}{
		{"the stack closes", ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "Going away"))), "closed by the stack: 1001 Going away"},
		{"the connection is lost", nil, "EOF"},
		{"a part of a message", fragmented, "fragmented"},
		{"a frame that is too long", tooLong.Bytes(), "a frame of 32769 bytes"},
		{"a masked frame", ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("x")))), "mask"},
	} {
		first := text(`{"type":"goal.created","eventId":"e1","data":{"type":"x","eventId":"y"}}`)
		ping := ws.MustCompileFrame(ws.NewPingFrame([]byte("p"))) // between messages, passed over
		s := &socket{index: 3, read: bufio.NewReader(bytes.NewReader(bytes.Join([][]byte{first, ping, text(`{"type":"pong"}`), tt.bytes}, nil)))}
		one, err1 := s.next()
		two, err2 := s.next()
		if err1 != nil || err2 != nil || one.kind != "goal.created" || one.eventID != "e1" || one.socket != 3 || one.at.IsZero() || two.kind != "pong" || two.eventID != "" {
			t.Errorf("%s: %+v, %v, then %+v, %v", tt.name, one, err1, two, err2)
		}
		if _, err := s.next(); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add(text(`{"type":"pong"}`))
	f.Add(ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "x"))))
	f.Add([]byte{0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, received []byte) {
		s := &socket{read: bufio.NewReader(bytes.NewReader(received))}
		for {
			f, err := s.next()
			if len(s.data) > maxFrame {
				t.Fatalf("%d bytes kept", len(s.data))
			}
			if err != nil {
				return
			}
			if f.at.IsZero() {
				t.Fatal("a message without its time")
			}
		}
	})
}

func TestAMemberIsTheFirstOfItsName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`{"type":"a","data":{"type":"b"}}`, "a"},
		{`{"type":7}`, ""},
		{`{"type":"open`, ""},
		{`{}`, ""},
		{``, ""},
	} {
		if got := member([]byte(tt.text), "type"); got != tt.want {
			t.Errorf("member of %s = %q, want %q", tt.text, got, tt.want)
		}
	}
}
