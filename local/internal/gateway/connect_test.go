package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

func TestConnectAnswersTheUpgrade(t *testing.T) {
	t.Parallel()
	payload := func(s string) lambda.Result { return lambda.Result{Payload: []byte(s)} }
	tests := []struct {
		name    string
		connect handler
		status  int
		kind    string
		body    string
	}{
		{name: "3.2 status 200 connects", connect: always(respond(200, "ignored"), nil), status: 101},
		{name: "3.2 status 201 connects", connect: always(respond(201, ""), nil), status: 101},
		{name: "3.2 status in quotes connects", connect: always(payload(`{"statusCode":"200"}`), nil), status: 101},
		{name: "3.3 status 301", connect: always(respond(301, ""), nil), status: 301, body: `{"message":"Moved Permanently"}`},
		{name: "3.3 status 400", connect: always(respond(400, ""), nil), status: 400, kind: "BadRequestException", body: `{"message":"Bad Request"}`},
		{name: "3.3 status 401", connect: always(respond(401, "secret"), nil), status: 401, kind: "UnauthorizedException", body: `{"message":"Unauthorized"}`},
		{name: "3.3 status 403", connect: always(respond(403, ""), nil), status: 403, kind: "ForbiddenException", body: `{"message":"Forbidden"}`},
		{name: "3.3 status 429", connect: always(respond(429, ""), nil), status: 429, kind: "TooManyRequestsException", body: `{"message":"Too Many Requests"}`},
		{name: "3.3 status 501", connect: always(respond(501, ""), nil), status: 501, body: `{"message":"Not Implemented"}`},
		{name: "3.3 status without a text", connect: always(respond(599, ""), nil), status: 599, body: `{"message":"Forbidden"}`},
		{name: "3.4 function error", connect: always(lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"x","statusCode":200}`)}, nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 function not invoked", connect: always(lambda.Result{}, &lambda.Error{Function: "connect", Status: 429}), status: 500, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 answer is not an object", connect: always(payload(`"ok"`), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 answer is null", connect: always(payload(`null`), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 answer has no status", connect: always(payload(`{"body":"x"}`), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 status is no integer", connect: always(payload(`{"statusCode":200.5}`), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 status is none of HTTP's", connect: always(respond(1000, ""), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.4 status 101 is not the function's to give", connect: always(respond(101, ""), nil), status: 502, kind: "InternalServerErrorException", body: `{"message":"Internal server error"}`},
		{name: "3.5 time-out", connect: untilTimeout, status: 504, kind: "InternalServerErrorException", body: `{"message":"Endpoint request timed out"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, map[string]handler{"connect": tt.connect}, func(cfg *gateway.Config) {
				cfg.API.Routes[0].Timeout = 5 * time.Second
				if tt.status == 504 {
					cfg.API.Routes[0].Timeout = 10 * time.Millisecond
				}
			})
			got := s.upgrade(s.url+"/dev", nil)
			if got.status != tt.status {
				t.Fatalf("status = %d, want %d", got.status, tt.status)
			}
			if tt.status == 101 {
				return
			}
			if got.body != tt.body {
				t.Errorf("3.8 body = %s, want %s", got.body, tt.body)
			}
			if kind := got.header.Get("x-amzn-ErrorType"); kind != tt.kind {
				t.Errorf("3.8 x-amzn-ErrorType = %q, want %q", kind, tt.kind)
			}
			if got.header.Get("x-amzn-RequestId") == "" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("3.8 headers = %v", got.header)
			}
			if err := s.gateway.Close(s.timeout()); err != nil {
				t.Fatal(err)
			}
			if n := s.count("disconnect"); n != 0 {
				t.Errorf("3.16 $disconnect ran %d times after a refusal", n)
			}
		})
	}
}

func untilTimeout(ctx context.Context, _ event) (lambda.Result, error) {
	<-ctx.Done()
	return lambda.Result{}, ctx.Err()
}

// upgrade sends a handshake and returns what came back.
func (s *stack) upgrade(url string, header http.Header) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.timeout(), http.MethodGet, url, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for name, values := range header {
		r.Header[name] = values
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body := make([]byte, 1024)
	n := 0
	if response.StatusCode != http.StatusSwitchingProtocols {
		n, _ = response.Body.Read(body)
	}
	return answer{response.StatusCode, response.Header, string(body[:n])}
}

func TestUpgradeIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		path   string
		header http.Header
		status int
		body   string
	}{
		{name: "at the root", path: "/", status: 101},
		{name: "at the stage", path: "/dev", status: 101},
		{name: "at the stage with a slash", path: "/dev/", status: 101},
		{name: "another site's page, since the gateway does not judge origins", path: "/dev", header: http.Header{"Origin": {"https://elsewhere.example"}}, status: 101},
		{name: "3.13 no upgrade", path: "/dev", header: http.Header{"Upgrade": nil, "Connection": nil}, status: 426, body: `{"message":"Upgrade Required"}`},
		{name: "3.13 upgrade to something else", path: "/dev", header: http.Header{"Upgrade": {"h2c"}}, status: 426, body: `{"message":"Upgrade Required"}`},
		{name: "3.14 wrong stage", path: "/prod", status: 403, body: `{"message":"Forbidden"}`},
		{name: "3.14 below the stage", path: "/dev/rooms", status: 403, body: `{"message":"Forbidden"}`},
		{name: "3.15 URL of 4096", path: "/dev?x=", status: 101},
		{name: "3.15 URL of 4097", path: "/dev?x=", status: 414, body: `{"message":"Request-URI Too Long"}`},
		{name: "RFC 6455 4.4 another version", path: "/dev", header: http.Header{"Sec-Websocket-Version": {"8"}}, status: 426, body: `{"message":"Upgrade Required"}`},
		{name: "RFC 6455 4.2.1 no key", path: "/dev", header: http.Header{"Sec-Websocket-Key": nil}, status: 400, body: `{"message":"Bad Request"}`},
		{name: "RFC 6455 4.2.1 key of 15 bytes", path: "/dev", header: http.Header{"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAA"}}, status: 400, body: `{"message":"Bad Request"}`},
	}
	s := start(t, nil, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := s.url + tt.path
			if strings.HasPrefix(tt.name, "3.15") {
				length := 4096
				if tt.status == 414 {
					length++
				}
				url += strings.Repeat("x", length-len("wss")-len(strings.TrimPrefix(url, "http")))
			}
			got := s.upgrade(url, tt.header)
			if got.status != tt.status || got.body != tt.body {
				t.Errorf("answer = %d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
		})
	}
	t.Run("other methods and paths", func(t *testing.T) {
		for _, request := range []struct{ method, path string }{{"POST", "/"}, {"POST", "/dev"}, {"GET", "/favicon.ico"}, {"PUT", "/dev/@connections"}} {
			got := s.call(request.method, request.path, "")
			if got.status != 403 || got.body != `{"message":"Forbidden"}` || got.header.Get("x-amzn-ErrorType") != "ForbiddenException" {
				t.Errorf("%s %s = %d %s", request.method, request.path, got.status, got.body)
			}
		}
	})
}

func TestHandshakeHeaders(t *testing.T) {
	t.Parallel()
	header := func(json string) handler {
		return always(lambda.Result{Payload: []byte(`{"statusCode":200,` + json + `}`)}, nil)
	}
	tests := []struct {
		name     string
		connect  handler
		protocol string
		status   int
	}{
		{name: "3.9 the gateway echoes no subprotocol by itself", connect: always(respond(200, ""), nil), status: 101},
		{name: "3.9 the function's subprotocol is passed on", connect: header(`"headers":{"sec-websocket-protocol":"chat","X-Secret":"1"}`), protocol: "chat", status: 101},
		{name: "3.9 also from multiValueHeaders", connect: header(`"multiValueHeaders":{"Sec-WebSocket-Protocol":["chat"]}`), protocol: "chat", status: 101},
		{name: "headers that are not strings mean nothing", connect: header(`"headers":{"Sec-WebSocket-Protocol":1,"x":true}`), status: 101},
		{name: "a header can't smuggle another", connect: header(`"headers":{"Sec-WebSocket-Protocol":"chat\r\nSet-Cookie: a=b"}`), status: 502},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, map[string]handler{"connect": tt.connect}, nil)
			got := s.upgrade(s.url+"/dev", http.Header{
				"Sec-Websocket-Protocol":   {"chat, superchat"},
				"Sec-Websocket-Extensions": {"permessage-deflate"},
			})
			if got.status != tt.status {
				t.Fatalf("status = %d, want %d", got.status, tt.status)
			}
			if tt.status != 101 {
				return
			}
			if protocol := got.header.Get("Sec-WebSocket-Protocol"); protocol != tt.protocol {
				t.Errorf("subprotocol = %q, want %q", protocol, tt.protocol)
			}
			if extensions := got.header.Get("Sec-WebSocket-Extensions"); extensions != "" {
				t.Errorf("3.10 extensions = %q, want none", extensions)
			}
			if accept := got.header.Get("Sec-WebSocket-Accept"); accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("Sec-WebSocket-Accept = %q, want that of RFC 6455's example", accept)
			}
			if got.header.Get("X-Secret") != "" {
				t.Error("3.7 a header of the function reached the client")
			}
		})
	}
}

func TestWithoutConnectRouteTheClientIsInAtOnce(t *testing.T) { // 3.1
	t.Parallel()
	for name, change := range map[string]func(*template.API){
		"no such route":    func(api *template.API) { api.Routes = api.Routes[2:] },
		"no such function": func(api *template.API) { api.Routes[0].Function, api.Routes[1].Function = "", "" },
	} {
		s := start(t, nil, func(cfg *gateway.Config) { change(&cfg.API) })
		client, id := s.dial()
		if got := s.post(id, "hello"); got.status != 200 {
			t.Fatalf("%s: post = %d", name, got.status)
		}
		if got := s.read(client); got != "hello" {
			t.Errorf("%s: read = %q", name, got)
		}
		if n := s.count("connect") + s.count(""); n != 0 {
			t.Errorf("%s: %d functions were invoked", name, n)
		}
	}
}

func TestConnectThrottle(t *testing.T) { // 3.6, 5.12
	t.Parallel()
	s := start(t, nil, func(cfg *gateway.Config) { cfg.ConnectRate = 1 })
	statuses := map[int]int{}
	for range 20 {
		got := s.upgrade(s.url+"/dev", nil)
		statuses[got.status]++
		if got.status == 429 && got.header.Get("x-amzn-ErrorType") != "TooManyRequestsException" {
			t.Errorf("headers = %v", got.header)
		}
	}
	if statuses[101] == 0 || statuses[429] == 0 || statuses[101]+statuses[429] != 20 {
		t.Errorf("statuses = %v, want some 101 and the others 429", statuses)
	}
}

func TestUpgradeWaitsForConnect(t *testing.T) { // 3.1, 3.11, 3.12
	t.Parallel()
	var s *stack
	var during answer
	s = start(t, map[string]handler{"connect": func(_ context.Context, e event) (lambda.Result, error) {
		during = s.post(e.Context.ConnectionID, "too early")
		return respond(200, ""), nil
	}}, nil)
	client, id := s.dial()
	if during.status != 410 || during.header.Get("x-amzn-ErrorType") != "GoneException" || during.body != "" {
		t.Errorf("post from within $connect = %+v, want an empty 410", during)
	}
	if got := s.post(id, "now"); got.status != 200 {
		t.Errorf("post = %d", got.status)
	}
	if got := s.read(client); got != "now" {
		t.Errorf("read = %q", got)
	}
}

func TestClientThatLeavesDuringConnectIsDisconnected(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	s := start(t, map[string]handler{"connect": func(context.Context, event) (lambda.Result, error) {
		close(entered)
		<-release
		return respond(200, ""), nil
	}}, nil)
	client := s.tcp()
	client.send([]byte(upgrade + "\r\n"))
	<-entered
	_ = client.SetLinger(0)
	_ = client.Close()
	close(release)
	got := s.of(t, "disconnect", 1)[0].Context
	if got.DisconnectStatusCode != 1006 || got.ConnectionID != s.of(t, "connect", 1)[0].Context.ConnectionID {
		t.Errorf("$disconnect = %+v, want 1006 for the same connection", got)
	}
	if n := len(s.gateway.Connections()); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestFramesBehindTheUpgradeAreRead(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]handler{"echo": echo}, nil)
	client := s.tcp()
	client.send(append([]byte(upgrade+"\r\n"), frame(0x81, `{"action":"echo"}`)...))
	if response := client.response(); response.StatusCode != 101 {
		t.Fatal(response.Status)
	}
	if _, got := client.readFrame(); got != `{"action":"echo"}` {
		t.Errorf("read = %q", got)
	}
}

func echo(_ context.Context, e event) (lambda.Result, error) { return respond(200, *e.Body), nil }

func TestNewRefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*template.API)
		want   string
	}{
		{"no expression", func(a *template.API) { a.RouteSelectionExpression = "" }, "route selection expression is empty"},
		{"unsupported expression", func(a *template.API) { a.RouteSelectionExpression = "$context.routeKey" }, `"context.routeKey" is not supported`},
		{"no stage", func(a *template.API) { a.Stage = "" }, "it has no stage"},
		{"a route twice", func(a *template.API) { a.Routes = append(a.Routes, template.Route{Key: "echo", Function: "echo"}) }, "route echo is there twice"},
		{"a route without a function", func(a *template.API) { a.Routes[3].Function = "" }, "route echo has no function"},
		{"an invented system route", func(a *template.API) { a.Routes = append(a.Routes, template.Route{Key: "$ping", Function: "ping"}) }, `route "$ping": only $connect`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := chat()
			tt.change(&api)
			_, err := gateway.New(gateway.Config{API: api})
			if err == nil || !strings.Contains(err.Error(), "API ChatApi: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("closes clients with 1001, runs $disconnect, refuses newcomers", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil, nil)
		client, _ := s.dial()
		raw := s.raw()
		closing := make(chan error, 1)
		go func() { closing <- s.gateway.Close(s.timeout()) }()
		if got := s.closed(client); got.Code != 1001 || got.Reason != "Going away" {
			t.Errorf("close frame = %v", got)
		}
		raw.expectClose(1001)
		_ = raw.Close()
		if err := <-closing; err != nil {
			t.Fatal(err)
		}
		if n := s.count("disconnect"); n != 2 {
			t.Errorf("$disconnect ran %d times, want 2", n)
		}
		if got := s.upgrade(s.url+"/dev", nil); got.status != 503 {
			t.Errorf("upgrade after Close = %d, want 503", got.status)
		}
	})
	t.Run("cuts off what outlives its context", func(t *testing.T) {
		t.Parallel()
		cut := make(chan struct{})
		s := start(t, map[string]handler{"disconnect": func(ctx context.Context, _ event) (lambda.Result, error) {
			<-ctx.Done()
			close(cut)
			return lambda.Result{}, ctx.Err()
		}}, func(cfg *gateway.Config) { cfg.API.Routes[1].Timeout = time.Hour })
		s.dial()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := s.gateway.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v, want deadline exceeded", err)
		}
		<-cut
	})
}
