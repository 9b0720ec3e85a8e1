package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

func TestMessageReachesItsRoute(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, message, function string }{
		{"1.1 the key that equals the value", `{"action":"say"}`, "say"},
		{"1.1 but in its case", `{"action":"Say"}`, "unrouted"},
		{"1.11 no such route", `{"action":"shout"}`, "unrouted"},
		{"1.11 no action", `{"body":"x"}`, "unrouted"},
		{"1.12 plain text", `hello`, "unrouted"},
		{"1.12 broken JSON", `{"action":"say", body:"y"}`, "unrouted"},
		{"1.15 $connect is not for clients", `{"action":"$connect"}`, "unrouted"},
		{"1.15 $disconnect is not for clients", `{"action":"$disconnect"}`, "unrouted"},
		{"1.15 $default is", `{"action":"$default"}`, "unrouted"},
		{"1.16 an empty message", ``, "unrouted"},
		{"1.17 and its body is there", ``, "unrouted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil, nil)
			client, id := s.dial()
			s.write(client, tt.message)
			got := s.of(t, tt.function, 1)[0]
			if got.Body == nil || *got.Body != tt.message {
				t.Errorf("body = %v, want %q verbatim", got.Body, tt.message)
			}
			want := tt.function
			if want == "unrouted" {
				want = "$default"
			}
			if got.Context.RouteKey != want || got.Context.ConnectionID != id {
				t.Errorf("context = %+v", got.Context)
			}
			if s.count("connect") != 1 || s.count("disconnect") != 0 {
				t.Error("the message invoked a system route")
			}
		})
	}
}

func TestMessageIsAnswered(t *testing.T) {
	t.Parallel()
	payload := func(s string) handler { return always(lambda.Result{Payload: []byte(s)}, nil) }
	const say, ask = `{"action":"say"}`, `{"action":"echo"}`
	tests := []struct {
		name     string
		function handler
		message  string
		want     string // "" when nothing must come; %s stands for the connection and request ids
	}{
		{"1.20 function error", always(lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{}`)}, nil), say, `{"message": "Internal server error", "connectionId":"%s", "requestId":"%s"}`},
		{"1.20 function not invoked", always(lambda.Result{}, &lambda.Error{Function: "say", Status: 429, Code: "TooManyRequestsException"}), say, `{"message": "Internal server error", "connectionId":"%s", "requestId":"%s"}`},
		{"1.21 time-out", untilTimeout, say, `{"message": "Endpoint request timed out", "connectionId":"%s", "requestId":"%s"}`},
		{"1.22 status 201 one way", always(respond(201, "x"), nil), say, ""},
		{"1.22 status 301 one way", always(respond(301, "x"), nil), say, ""},
		{"1.22 status 401 one way", always(respond(401, "x"), nil), say, ""},
		{"1.22 status 501 one way", always(respond(501, "x"), nil), say, ""},
		{"1.23 status 500 two-way", always(respond(500, "sorry"), nil), ask, "sorry"},
		{"1.24 malformed answer", payload(`"hello"`), ask, `{"message": "Internal server error", "connectionId":"%s", "requestId":"%s"}`},
		{"1.24 malformed answer one way", payload(`null`), say, `{"message": "Internal server error", "connectionId":"%s", "requestId":"%s"}`},
		{"4.1 no route response", always(respond(200, "dropped"), nil), say, ""},
		{"4.2 route response", always(respond(200, `{"a":"<ü>"}`), nil), ask, `{"a":"<ü>"}`},
		{"4.5 empty answer", always(respond(200, ""), nil), ask, ""},
		{"5.5 answer over the limit", always(respond(200, strings.Repeat("x", 131073)), nil), ask, `{"message": "Internal server error", "connectionId":"%s", "requestId":"%s"}`},
		{"5.6 answer at the limit", always(respond(200, strings.Repeat("x", 131072)), nil), ask, strings.Repeat("x", 131072)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, map[string]handler{"say": tt.function, "echo": tt.function}, func(cfg *gateway.Config) {
				if strings.HasPrefix(tt.name, "1.21") {
					cfg.API.Routes[4].Timeout = 10 * time.Millisecond
				}
			})
			client, id := s.dial()
			s.write(client, tt.message)
			function := "say"
			if tt.message == ask {
				function = "echo"
			}
			e := s.of(t, function, 1)[0]
			if tt.want == "" {
				// The next message is handled after this one ended: the only frame must be its answer.
				tt.want = "after"
				s.write(client, "x")
				s.of(t, "unrouted", 1)
				if got := s.post(id, "after"); got.status != 200 {
					t.Fatal(got)
				}
			}
			want := tt.want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, id, e.Context.RequestID)
			}
			if got := s.read(client); got != want {
				t.Errorf("read %.200q, want %.200q", got, want)
			}
			if got := s.post(id, "still open"); got.status != 200 || s.read(client) != "still open" {
				t.Error("the connection did not stay open")
			}
		})
	}
}

func TestForbiddenWithoutDefaultRoute(t *testing.T) { // 1.13
	t.Parallel()
	s := start(t, nil, func(cfg *gateway.Config) {
		cfg.API.Routes = []template.Route{{Key: "echo", Function: "echo", Responds: true}}
	})
	client, id := s.dial()
	for range 2 {
		s.write(client, `{"action":"shout"}`)
		got := s.read(client)
		prefix, suffix := `{"message": "Forbidden", "connectionId":"`+id+`", "requestId":"`, `"}`
		if !strings.HasPrefix(got, prefix) || !strings.HasSuffix(got, suffix) || len(got) != len(prefix)+16+len(suffix) {
			t.Errorf("read %s", got)
		}
	}
	if n := s.count("echo"); n != 0 {
		t.Errorf("a function was invoked %d times", n)
	}
}

func TestThrottledMessage(t *testing.T) { // 1.25, 5.13
	t.Parallel()
	s := start(t, map[string]handler{"echo": echo}, func(cfg *gateway.Config) { cfg.RequestRate = 1 })
	client, _ := s.dial()
	throttled := 0
	for i := range 10 {
		s.write(client, fmt.Sprintf(`{"action":"echo","n":%d}`, i))
		if strings.HasPrefix(s.read(client), `{"message": "Too Many Requests", "connectionId":"`) {
			throttled++
		}
	}
	if throttled == 0 || throttled == 10 {
		t.Errorf("%d of 10 messages were throttled, want some", throttled)
	}
}

func TestMessagesRunConcurrentlyUpToTheBound(t *testing.T) { // 4.4, traps
	t.Parallel()
	const bound, messages = 3, 20
	var running, most atomic.Int64
	together := make(chan struct{})
	s := start(t, map[string]handler{"echo": func(ctx context.Context, e event) (lambda.Result, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		if now == bound {
			select {
			case <-together:
			default:
				close(together)
			}
		}
		select {
		case <-together: // as many as may run at a time do
		case <-ctx.Done():
		}
		return echo(ctx, e)
	}}, func(cfg *gateway.Config) { cfg.MaxInFlight = bound })
	client, _ := s.dial()
	for i := range messages {
		s.write(client, fmt.Sprintf(`{"action":"echo","n":%d}`, i))
	}
	seen := map[string]bool{}
	for range messages {
		seen[s.read(client)] = true
	}
	if len(seen) != messages || most.Load() != bound {
		t.Errorf("%d answers, %d at a time, want %d and %d", len(seen), most.Load(), messages, bound)
	}
}

func TestSystemRouteEventsAgreeWithMessages(t *testing.T) {
	t.Parallel()
	s := start(t, nil, nil)
	client, id := s.dial()
	s.write(client, `{"action":"say"}`)
	message := s.of(t, "say", 1)[0].Context
	_ = client.Close(1000, "")
	connect, disconnect := s.of(t, "connect", 1)[0].Context, s.of(t, "disconnect", 1)[0].Context
	if connect.ConnectedAt != message.ConnectedAt || connect.ConnectedAt != disconnect.ConnectedAt || connect.RequestTimeEpoch-connect.ConnectedAt > 2 {
		t.Errorf("connectedAt = %d, %d, %d, want one time for all", connect.ConnectedAt, message.ConnectedAt, disconnect.ConnectedAt)
	}
	if message.ConnectionID != id || len(message.MessageID) != 16 || message.MessageID[10:] != id[10:] {
		t.Errorf("§8 message id %s does not end like connection id %s", message.MessageID, id)
	}
	if connect.RequestID == disconnect.RequestID || connect.RequestID == message.RequestID {
		t.Error("two events share a request id")
	}
}

// TestMessageBodyIsVerbatim guards the encoder: HTML, separators and control characters must not change.
func TestMessageBodyIsVerbatim(t *testing.T) {
	t.Parallel()
	s := start(t, nil, nil)
	client, _ := s.dial()
	const body = "<a href='x'>&amp;</a> \u2028\u2029 \x00\x1f \U0001f600 \\ \" \ufffd"
	s.write(client, body)
	e := s.of(t, "unrouted", 1)[0]
	if *e.Body != body {
		t.Errorf("body = %q, want %q", *e.Body, body)
	}
	if !strings.Contains(string(e.raw), "<a href") {
		t.Errorf("event %s escapes HTML, which AWS does not", e.raw)
	}
	if !json.Valid(e.raw) {
		t.Error("the event is not JSON")
	}
}
