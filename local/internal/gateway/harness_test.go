package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// patience is how long a test waits for what must come; it never waits for the time to pass.
const patience = 30 * time.Second

// TestMain fails the run when a goroutine of a gateway outlives it.
func TestMain(m *testing.M) {
	if serveBenchmark() {
		return
	}
	code := m.Run()
	poll := time.NewTicker(time.Millisecond)
	for deadline := time.Now().Add(10 * time.Second); code == 0; {
		leaked := goroutines()
		if len(leaked) == 0 {
			break
		}
		if now := <-poll.C; now.After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines leaked:\n%s\n", strings.Join(leaked, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// goroutines returns the stacks of all but the calling one that the gateway runs or has started.
func goroutines() (stacks []string) {
	all := make([]byte, 1<<20)
	for i, stack := range strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if i > 0 && strings.Contains(stack, "/local/internal/gateway.") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// A handler is one function of a test.
type handler func(ctx context.Context, e event) (lambda.Result, error)

// An event is what a function got: the whole of it, and the fields that tests ask for.
type event struct {
	raw     json.RawMessage
	Body    *string
	Headers map[string]string
	Context struct {
		RouteKey             string
		EventType            string
		ConnectionID         string
		RequestID            string
		MessageID            string
		ConnectedAt          int64
		RequestTimeEpoch     int64
		DisconnectStatusCode int
		DisconnectReason     *string
	} `json:"requestContext"`
}

// functions is the Lambda of a test: functions by name; one that is not there answers 200. Every event is kept.
type functions struct {
	handlers map[string]handler

	mu     sync.Mutex
	events map[string][]event
	waiter chan struct{} // closed at the next event
}

func (f *functions) Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return lambda.Result{}, err
	}
	e.raw = bytes.Clone(payload)
	f.mu.Lock()
	f.events[function] = append(f.events[function], e)
	close(f.waiter)
	f.waiter = make(chan struct{})
	f.mu.Unlock()
	if handle := f.handlers[function]; handle != nil {
		return handle(ctx, e)
	}
	return respond(200, ""), nil
}

// of returns the first n events of a function, waiting for them.
func (f *functions) of(t *testing.T, function string, n int) []event {
	t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		events, waiter := f.events[function], f.waiter
		f.mu.Unlock()
		if len(events) >= n {
			return events
		}
		select {
		case <-waiter:
		case <-timeout:
			t.Fatalf("function %s was invoked %d times, want %d", function, len(events), n)
		}
	}
}

func (f *functions) count(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events[function])
}

func respond(status int, body string) lambda.Result {
	payload, _ := json.Marshal(map[string]any{"statusCode": status, "headers": nil, "multiValueHeaders": nil, "body": body})
	return lambda.Result{Payload: payload}
}

func always(result lambda.Result, err error) handler {
	return func(context.Context, event) (lambda.Result, error) { return result, err }
}

// A stack is a gateway behind a real HTTP server.
type stack struct {
	*testing.T
	*functions
	gateway *gateway.Gateway
	url     string // http://127.0.0.1:port
}

// chat is the API of most tests: "echo" answers its sender, "say" does not.
func chat() template.API {
	return template.API{
		ID: "ChatApi", Stage: "dev", RouteSelectionExpression: "$request.body.action",
		Routes: []template.Route{
			{Key: "$connect", Function: "connect"},
			{Key: "$disconnect", Function: "disconnect"},
			{Key: "$default", Function: "unrouted", Responds: true},
			{Key: "echo", Function: "echo", Responds: true},
			{Key: "say", Function: "say"},
		},
	}
}

func start(t *testing.T, handlers map[string]handler, change func(*gateway.Config)) *stack {
	t.Helper()
	s := &stack{T: t, functions: &functions{handlers: handlers, events: map[string][]event{}, waiter: make(chan struct{})}}
	cfg := gateway.Config{
		API: chat(), Invoker: s.functions,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.gateway, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.gateway)
	s.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.gateway.Close(ctx); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
		server.Close()
	})
	return s
}

// dial connects an independent client and returns it with its connection id.
func (s *stack) dial() (*websocket.Conn, string) {
	s.Helper()
	before := map[string]bool{}
	for _, info := range s.gateway.Connections() {
		before[info.ID] = true
	}
	client, _, err := websocket.Dial(s.timeout(), s.url+"/dev", nil)
	if err != nil {
		s.Fatal(err)
	}
	client.SetReadLimit(1 << 20)
	s.Cleanup(func() { _ = client.CloseNow() })
	for _, info := range s.gateway.Connections() {
		if !before[info.ID] {
			return client, info.ID
		}
	}
	s.Fatal("the gateway lists no new connection")
	return nil, ""
}

func (s *stack) timeout() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.Cleanup(cancel)
	return ctx
}

func (s *stack) write(client *websocket.Conn, text string) {
	s.Helper()
	if err := client.Write(s.timeout(), websocket.MessageText, []byte(text)); err != nil {
		s.Fatal(err)
	}
}

func (s *stack) read(client *websocket.Conn) string {
	s.Helper()
	kind, message, err := client.Read(s.timeout())
	if err != nil || kind != websocket.MessageText {
		s.Fatalf("read = %v, %v, want a text message", kind, err)
	}
	return string(message)
}

// closed reads until the connection is closed and returns the close frame's code and reason.
func (s *stack) closed(client *websocket.Conn) websocket.CloseError {
	s.Helper()
	for {
		_, _, err := client.Read(s.timeout())
		var frame websocket.CloseError
		switch {
		case err == nil:
		case asClose(err, &frame):
			return frame
		default:
			s.Fatalf("read = %v, want a close frame", err)
		}
	}
}

// An answer is that of the @connections API, or a refused upgrade.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a signed request.
func (s *stack) call(method, path, body string) answer {
	s.Helper()
	return s.request(method, path, body, http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=local"}})
}

func (s *stack) request(method, path, body string, header http.Header) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.timeout(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header = header
	return s.do(r)
}

func (s *stack) do(r *http.Request) answer {
	s.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (s *stack) post(id, message string) answer {
	s.Helper()
	return s.call(http.MethodPost, "/dev/@connections/"+strings.ReplaceAll(id, "=", "%3D"), message)
}
