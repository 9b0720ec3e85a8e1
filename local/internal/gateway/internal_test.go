package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func TestSelection(t *testing.T) { // §1
	t.Parallel()
	tests := []struct{ name, expression, message, want string }{
		{"1.1", `$request.body.action`, `{"action":"auth"}`, "auth"},
		{"1.2", `${request.body.action}`, `{"action":"auth"}`, "auth"},
		{"1.3 variables and literals", `${request.body.service}/${request.body.action}`, `{"service":"chat","action":"join"}`, "chat/join"},
		{"1.4 a missing variable is empty", `${request.body.action}-${request.body.missing}`, `{"action":"join"}`, "join-"},
		{"1.5 static", `action`, `{"action":"auth"}`, "action"},
		{"1.5 static dollar", `\$default`, `not JSON`, "$default"},
		{"1.6 nested", `$request.body.service.do`, `{"service":{"do":"it"}}`, "it"},
		{"1.7 array", `$request.body[2]`, `["a","b","c"]`, "c"},
		{"1.7 array inside", `$request.body.a[1].b`, `{"a":[0,{"b":"x"}]}`, "x"},
		{"1.7 index too high", `$request.body[2]`, `["a"]`, ""},
		{"1.8 not recursive", `$request.body.action`, `{"action":"${request.body.other}","other":"x"}`, "${request.body.other}"},
		{"1.8 escaped between variables", `${request.body.a}\$${request.body.a}`, `{"a":"x"}`, "x$x"},
		{"1.9 array", `$request.body.action`, `{"action": [ "item1" , "item2" ]}`, "[item1, item2]"},
		{"1.9 object", `$request.body.action`, `{"action":{"b":1,"a":[null,true]}}`, "{b=1, a=[null, true]}"},
		{"1.10 number", `$request.body.action`, `{"action": 5 }`, "5"},
		{"1.10 number as written", `$request.body.action`, `{"action":1.50}`, "1.50"},
		{"1.10 boolean", `$request.body.action`, `{"action":true}`, "true"},
		{"1.10 null is missing", `$request.body.action`, `{"action":null}`, ""},
		{"1.11 missing", `$request.body.action`, `{}`, ""},
		{"1.11 keys are exact", `$request.body.action`, `{"Action":"x"}`, ""},
		{"1.11 the last of doubled keys", `$request.body.action`, `{"action":"a","action":"b"}`, "b"},
		{"1.11 path through a string", `$request.body.action.x`, `{"action":"x"}`, ""},
		{"1.12 text", `$request.body.action`, `hello`, ""},
		{"1.12 broken JSON selects nothing, not even with literals", `${request.body.action}-x`, `{"action":"a"`, ""},
		{"1.12 JSON that is no object", `$request.body.action`, `"action"`, ""},
		{"1.16 empty", `$request.body.action`, ``, ""},
		{"quoted key", `$request.body['a.b']["c]d"]`, `{"a.b":{"c]d":"x"}}`, "x"},
		{"escapes in the message", `$request.body.action`, `{"\u0061ction":"\u00fc"}`, "ü"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			selection, err := parseSelection(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := selection.key([]byte(tt.message)); got != tt.want {
				t.Errorf("key = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnsupportedSelectionIsNamed(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                              "is empty",
		"$request.header.x":             `"request.header.x" is not supported`,
		"$request.bodyx":                `"request.bodyx" is not supported`,
		"$request.body":                 "needs a path below the body",
		"${request.body.a":              "${ without }",
		"x-$request.body.a":             "needs braces",
		"$request.body.a/$request.body": `'/' in the name`,
		"$request.body.":                "a name is missing",
		"$request.body..a":              "a name is missing",
		"$request.body.*":               `'*' in the name`,
		"$request.body[x]":              "only an index or a quoted key",
		"$request.body[-1]":             "only an index or a quoted key",
		"$request.body['x]":             "[' without ']",
		"$request.body[0]x":             "'x' where . or [ should be",
		"$":                             `"" is not supported`,
	} {
		_, err := parseSelection(expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", expression, err, want)
		}
	}
}

func FuzzSelection(f *testing.F) {
	f.Add(`$request.body.action`, []byte(`{"action":"x"}`))
	f.Add(`${request.body.a[0]['b']}\$x`, []byte(`{"a":[{"b":{"c":[1,null]}}]}`))
	f.Add(`$request.body[`, []byte(`[[[[`))
	f.Fuzz(func(t *testing.T, expression string, message []byte) {
		selection, err := parseSelection(expression)
		if err != nil {
			return
		}
		key := selection.key(message)
		if key == "" || !utf8.ValidString(expression) || !utf8.Valid(message) {
			return
		}
		if !utf8.ValidString(key) {
			t.Errorf("key %q is not UTF-8", key)
		}
		if variable := len(selection) > 1 || selection[0].path != nil; variable && !json.Valid(message) {
			t.Errorf("key %q of a message that is not JSON", key)
		}
	})
}

func FuzzConnectionsPath(f *testing.F) {
	for _, path := range []string{"/dev/@connections/R1kmxc2VNjMCFIA%3D", "/%40connections/x", "/@connections/a%2Fb", "/dev/@connections/", "//@connections/x", "/dev/dev/@connections/x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		id, ok := connectionsPath(path, "dev")
		if ok != (id != "") {
			t.Errorf("%q = %q, %v", path, id, ok)
		}
		if again, ok := connectionsPath("/dev"+path, "dev"); id != "" && strings.HasPrefix(path, "/@") && (!ok || again != id) {
			t.Errorf("/dev%s = %q, want %q as without the stage", path, again, id)
		}
	})
}

// FuzzFrames reads arbitrary bytes: whatever comes out obeys the limits, and what is sent back can be read again.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x81, 0x82, 1, 2, 3, 4, 'h' ^ 1, 'i' ^ 2})
	f.Add([]byte{0x01, 0x81, 0, 0, 0, 0, 'a', 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 'b'})
	f.Add([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xe8})
	f.Add([]byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0xfe, 0, 64, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, input []byte) {
		const maxFrame, maxMessage = 64, 100
		frames := frameReader{source: bytes.NewReader(input), maxFrame: maxFrame, maxMessage: maxMessage}
		for {
			opcode, payload, err := frames.next()
			var broken *violation
			switch {
			case errors.As(err, &broken):
				if frame := ended(broken.code, broken.reason).frame; len(frame) > 127 {
					t.Errorf("close frame of %d bytes", len(frame))
				}
				return
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				return
			case err != nil:
				t.Fatalf("error %v is no violation", err)
			}
			switch opcode {
			case ws.OpText:
				if len(payload) > maxMessage || !utf8.Valid(payload) {
					t.Errorf("message %q", payload)
				}
				if again := reread(t, appendMessage(nil, payload, maxFrame)); !bytes.Equal(again, payload) {
					t.Errorf("%q became %q", payload, again)
				}
			case ws.OpClose:
				if why := parseClose(payload); len(why.frame) > 127 || why.code < 1000 || why.code > 4999 || !utf8.ValidString(why.reason) {
					t.Errorf("close %q became %+v", payload, why)
				}
			default:
				if len(payload) > 125 {
					t.Errorf("control frame of %d bytes", len(payload))
				}
			}
		}
	})
}

// reread puts the frames of one outbound message together again.
func reread(t *testing.T, frames []byte) (message []byte) {
	for in := bytes.NewReader(frames); in.Len() > 0; {
		header, err := ws.ReadHeader(in)
		if err != nil || header.Masked || header.Fin != (int64(in.Len()) == header.Length) {
			t.Fatalf("frame %+v, %v", header, err)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		message = append(message, payload...)
	}
	return message
}

func TestOutboundFrameLengths(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 125, 126, 32768, 32769, 65536, 65537, 131072} {
		for _, maxFrame := range []int{32768, 1 << 20} {
			message := bytes.Repeat([]byte("x"), length)
			if got := reread(t, appendMessage(nil, message, maxFrame)); !bytes.Equal(got, message) {
				t.Errorf("%d bytes in frames of %d came back as %d", length, maxFrame, len(got))
			}
		}
	}
}

func TestIdentifiers(t *testing.T) { // §8
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		connectionID, requestID := newID(connectionMark), newID(requestMark)
		messageID := newMessageID(connectionID)
		for id, mark := range map[string]byte{connectionID: 2, messageID: 2, requestID: 5} {
			data, err := base64.URLEncoding.DecodeString(id)
			if err != nil || len(id) != 16 || len(data) != 11 || data[8] != mark || !isConnectionID(id) || seen[id] {
				t.Fatalf("id %s: %x, %v", id, data, err)
			}
			seen[id] = true
		}
		if connectionID[10:] != messageID[10:] {
			t.Fatalf("message %s of connection %s", messageID, connectionID)
		}
	}
	for _, id := range []string{"", "=", "R1kmxc2VNjMCFIA", "R1kmxc2VNjMCFIAA", "R1kmxc2VNjMCFIA==", "R1kmxc2VNjMCF A=", "R1kmxc2VNjMCFI+=", "1kmxc2VNjMCFIA="} {
		if isConnectionID(id) {
			t.Errorf("%q passes for a connection id", id)
		}
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	b := newBucket(10, 3, now)
	take := func(want int) {
		t.Helper()
		got := 0
		for range 100 {
			if b.take(now) {
				got++
			}
		}
		if got != want {
			t.Errorf("at %v: %d tokens, want %d", now, got, want)
		}
	}
	take(3)
	now = now.Add(100 * time.Millisecond)
	take(1)
	now = now.Add(-time.Hour) // a clock that goes back gives nothing
	take(0)
	now = now.Add(2 * time.Hour)
	take(3)
	b = newBucket(-1, -1, now)
	take(100)
}

func TestDomainName(t *testing.T) { // §2
	t.Parallel()
	for host, want := range map[string]string{"localhost:5055": "localhost", "chat.example": "chat.example", "[::1]:5055": "[::1]", "": ""} {
		if got := domainName(host); got != want {
			t.Errorf("domainName(%q) = %q, want %q", host, got, want)
		}
	}
}
