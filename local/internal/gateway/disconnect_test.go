package gateway_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

func TestDisconnectIsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		leave  func(*rawClient)
		code   int
		reason string
	}{
		{"6.1 close frame without a code", func(c *rawClient) { c.send(frame(0x88, "")) }, 1005, "Client-side close frame status not set"},
		{"6.2 the browser's tab is closed", func(c *rawClient) { c.send(frame(0x88, "\x03\xe9")) }, 1001, ""},
		{"6.3 code and reason as sent", func(c *rawClient) { c.send(frame(0x88, "\x03\xe8Shutdown")) }, 1000, "Shutdown"},
		{"6.3 a code of the application", func(c *rawClient) { c.send(frame(0x88, "\x11\x5dü")) }, 4445, "ü"},
		{"6.7 reset", func(c *rawClient) { _ = c.SetLinger(0); _ = c.Close() }, 1006, ""},
		{"6.7 end of the stream", func(c *rawClient) { _ = c.CloseWrite() }, 1006, ""},
		{"6.7 end within a frame", func(c *rawClient) { c.send([]byte{0x81, 0x85, 1, 2}); _ = c.Close() }, 1006, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil, nil)
			client := s.raw()
			id := s.of(t, "connect", 1)[0].Context.ConnectionID
			tt.leave(client)
			got := s.of(t, "disconnect", 1)[0].Context
			if got.ConnectionID != id || got.DisconnectStatusCode != tt.code || *got.DisconnectReason != tt.reason {
				t.Errorf("$disconnect = %d %q, want %d %q", got.DisconnectStatusCode, *got.DisconnectReason, tt.code, tt.reason)
			}
			if got := s.post(id, "x"); got.status != 410 {
				t.Errorf("6.10 post afterwards = %d, want 410", got.status)
			}
		})
	}
}

func TestCloseFrameIsEchoed(t *testing.T) { // RFC 6455 5.5.1
	t.Parallel()
	for _, payload := range []string{"", "\x03\xe8", "\x0f\xa0later"} {
		s := start(t, nil, nil)
		client := s.raw()
		client.send(frame(0x88, payload))
		if first, got := client.readFrame(); first != 0x88 || got != payload {
			t.Errorf("answer = %#x %q, want the close frame %q", first, got, payload)
		}
	}
}

func TestDeleteConnection(t *testing.T) { // 6.4, 7.2
	t.Parallel()
	s := start(t, nil, nil)
	client, id := s.dial()
	if got := s.call(http.MethodDelete, "/dev/@connections/"+id, ""); got.status != 204 {
		t.Fatalf("DELETE = %d", got.status)
	}
	if got := s.post(id, "x"); got.status != 410 {
		t.Errorf("post after DELETE = %d, want 410", got.status)
	}
	if got := s.call(http.MethodDelete, "/dev/@connections/"+id, ""); got.status != 410 {
		t.Errorf("second DELETE = %d, want 410", got.status)
	}
	if got := s.closed(client); got.Code != 1000 || got.Reason != "Connection Closed Normally" {
		t.Errorf("close frame = %v", got)
	}
	got := s.of(t, "disconnect", 1)[0].Context
	if got.DisconnectStatusCode != 1000 || *got.DisconnectReason != "Connection Closed Normally" {
		t.Errorf("$disconnect = %d %q", got.DisconnectStatusCode, *got.DisconnectReason)
	}
}

func TestIdleConnectionIsClosed(t *testing.T) { // 5.7, 5.8, 6.5
	t.Parallel()
	const speed, limit = 2000, 10 * time.Minute // AWS's ten minutes in 0.3 s
	fast := clock.New(speed)
	s := start(t, map[string]handler{"say": untilTimeout}, func(cfg *gateway.Config) {
		cfg.Clock = fast
		cfg.API.Routes[4].Timeout = 100 * time.Millisecond
	})
	client, _ := s.dial()
	s.write(client, `{"action":"say"}`)
	s.read(client) // "Endpoint request timed out", a push of the server after a third of the limit
	info := s.gateway.Connections()[0]
	for info.Sent == 0 { // counted right after it was sent
		info = s.gateway.Connections()[0]
	}
	if got := s.closed(client); got.Code != 1001 || got.Reason != "Going away" {
		t.Errorf("close frame = %v", got)
	}
	got := s.of(t, "disconnect", 1)[0].Context
	if got.DisconnectStatusCode != 1001 || *got.DisconnectReason != "Going away" {
		t.Errorf("$disconnect = %d %q", got.DisconnectStatusCode, *got.DisconnectReason)
	}
	// Functions are told real times.
	if idle := time.UnixMilli(got.RequestTimeEpoch + 1).Sub(fast.World(info.LastActive)); idle < limit/speed {
		t.Errorf("closed %v after the last message, want %v", idle, limit/speed)
	}
}

func TestOldConnectionIsClosed(t *testing.T) { // 5.11, 6.6
	t.Parallel()
	const speed = 36_000 // two hours in 0.2 s
	s := start(t, nil, func(cfg *gateway.Config) {
		cfg.Clock = clock.New(speed)
		cfg.IdleTimeout = 1000 * time.Hour
	})
	client, _ := s.dial()
	if got := s.closed(client); got.Code != 1001 || got.Reason != "Going away" {
		t.Errorf("close frame = %v", got)
	}
	got := s.of(t, "disconnect", 1)[0].Context
	if age := time.Duration(got.RequestTimeEpoch+1-got.ConnectedAt) * time.Millisecond; age < 2*time.Hour/speed || *got.DisconnectReason != "Going away" {
		t.Errorf("closed at the age of %v with %q", age, *got.DisconnectReason)
	}
}

func TestWriteTimeoutGivesAStuckClientUp(t *testing.T) {
	t.Parallel()
	s := start(t, nil, func(cfg *gateway.Config) {
		cfg.WriteTimeout = 100 * time.Millisecond
		cfg.OutboundBufferBytes = 1 << 30
	})
	s.raw() // never reads
	id := s.of(t, "connect", 1)[0].Context.ConnectionID
	message := string(make([]byte, 128<<10))
	for status := 200; status == 200; {
		status = s.post(id, message).status
		if status != 200 && status != 410 {
			t.Fatalf("post = %d", status)
		}
	}
	if got := s.of(t, "disconnect", 1)[0].Context; got.DisconnectStatusCode != 1006 {
		t.Errorf("$disconnect = %d, want 1006", got.DisconnectStatusCode)
	}
}

func TestDisconnectRunsOnce(t *testing.T) { // 6.10
	t.Parallel()
	s := start(t, nil, nil)
	const clients = 20
	var all sync.WaitGroup
	for range clients {
		client, id := s.dial()
		all.Go(func() { _ = client.Close(websocket.StatusNormalClosure, "") })
		for range 3 {
			all.Go(func() {
				if got := s.call(http.MethodDelete, "/@connections/"+id, "").status; got != 204 && got != 410 {
					t.Errorf("DELETE = %d", got)
				}
			})
		}
	}
	all.Wait()
	if err := s.gateway.Close(s.timeout()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range s.of(t, "disconnect", clients) {
		seen[e.Context.ConnectionID]++
	}
	if len(seen) != clients || s.count("disconnect") != clients {
		t.Errorf("$disconnect ran %d times for %d of %d connections", s.count("disconnect"), len(seen), clients)
	}
}

func TestDisconnectMayFailOrBeAbsent(t *testing.T) { // 6.10, 6.12
	t.Parallel()
	t.Run("a function error means nothing", func(t *testing.T) {
		t.Parallel()
		s := start(t, map[string]handler{"disconnect": always(lambda.Result{FunctionError: "Unhandled"}, nil)}, nil)
		client, _ := s.dial()
		_ = client.Close(websocket.StatusNormalClosure, "")
		s.of(t, "disconnect", 1)
		s.dial()
	})
	t.Run("without the route nothing is invoked", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil, func(cfg *gateway.Config) {
			cfg.API.Routes = []template.Route{{Key: "$connect", Function: "connect"}}
		})
		client, _ := s.dial()
		_ = client.Close(websocket.StatusNormalClosure, "")
		if err := s.gateway.Close(s.timeout()); err != nil {
			t.Fatal(err)
		}
		if n := s.count("disconnect") + s.count(""); n != 0 {
			t.Errorf("%d functions were invoked", n)
		}
	})
}

// TestRunningMessageOutlivesItsConnection: the function goes on, its answer has nowhere to go, $disconnect does not wait.
func TestRunningMessageOutlivesItsConnection(t *testing.T) { // 6.11
	t.Parallel()
	release := make(chan struct{})
	s := start(t, map[string]handler{"echo": func(ctx context.Context, e event) (lambda.Result, error) {
		<-release
		return echo(ctx, e)
	}}, nil)
	client, _ := s.dial()
	s.write(client, `{"action":"echo"}`)
	s.of(t, "echo", 1)
	_ = client.Close(websocket.StatusNormalClosure, "")
	s.of(t, "disconnect", 1)
	close(release)
}

// TestClientThatDoesNotCloseIsClosed: after the gateway's close frame a client has a few seconds.
func TestClientThatDoesNotCloseIsClosed(t *testing.T) {
	t.Parallel()
	s := start(t, nil, nil)
	client := s.raw()
	id := s.of(t, "connect", 1)[0].Context.ConnectionID
	s.call(http.MethodDelete, "/@connections/"+id, "")
	client.expectClose(1000)
	client.send(frame(0x81, "more")) // and keeps its side open
	if err := s.gateway.Close(s.timeout()); err != nil {
		t.Error(err)
	}
	if n := s.count("unrouted"); n != 0 {
		t.Errorf("%d messages of a closed connection were handled", n)
	}
}
