package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/connect/handler"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/socket"
)

func request(t *testing.T) socket.Request {
	t.Helper()
	data, err := os.ReadFile("../../../events/connect.json")
	if err != nil {
		t.Fatal(err)
	}
	var req socket.Request
	if err := json.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	return req
}

func newHandler(t *testing.T, origins ...string) (*handler.Handler, *connectiontest.Memory) {
	t.Helper()
	allowed, err := handler.ParseOrigins(origins)
	if err != nil {
		t.Fatal(err)
	}
	connectedAt := time.UnixMilli(request(t).RequestContext.ConnectedAt)
	store := connectiontest.NewMemory(func() time.Time { return connectedAt })
	return &handler.Handler{Connections: store, Origins: allowed, AuthDeadline: 30 * time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, store
}

func TestConnectRecordsTheConnectionWithItsDeadline(t *testing.T) {
	t.Parallel()
	h, store := newHandler(t, "*")
	req := request(t)
	response, err := h.Handle(t.Context(), req)
	if err != nil || response.StatusCode != http.StatusOK || response.Body != "" {
		t.Fatalf("Handle = %+v, %v", response, err)
	}
	got, err := store.Get(t.Context(), req.RequestContext.ConnectionID)
	if err != nil {
		t.Fatal(err)
	}
	connectedAt := time.UnixMilli(req.RequestContext.ConnectedAt)
	want := connection.Connection{
		ID: "R1kmxc2VNjMCFIA=", ConnectedAt: connectedAt, SourceIP: "127.0.0.1", UserAgent: "Mozilla/5.0", Deadline: connectedAt.Add(30 * time.Second),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	list := []string{"https://app.example.com", "https://*.example.org", "http://localhost:3000"}
	tests := []struct {
		name    string
		origins []string
		header  map[string]string
		want    int
	}{
		{name: "no Origin: a native app or a service", origins: list, want: 200},
		{name: "star lets all in", origins: []string{"*"}, header: map[string]string{"Origin": "https://evil.example"}, want: 200},
		{name: "listed", origins: list, header: map[string]string{"Origin": "https://app.example.com"}, want: 200},
		{name: "listed, in other case", origins: list, header: map[string]string{"origin": "HTTPS://App.Example.com"}, want: 200},
		{name: "not listed", origins: list, header: map[string]string{"Origin": "https://evil.example"}, want: 403},
		{name: "another scheme", origins: list, header: map[string]string{"Origin": "http://app.example.com"}, want: 403},
		{name: "another port", origins: list, header: map[string]string{"Origin": "http://localhost:3001"}, want: 403},
		{name: "one label for the star", origins: list, header: map[string]string{"Origin": "https://a.example.org"}, want: 200},
		{name: "two labels for the star", origins: list, header: map[string]string{"Origin": "https://a.b.example.org"}, want: 403},
		{name: "no label for the star", origins: list, header: map[string]string{"Origin": "https://example.org"}, want: 403},
		{name: "the domain as a suffix of another", origins: list, header: map[string]string{"Origin": "https://evilexample.org"}, want: 403},
		{name: "a port where the label stands", origins: list, header: map[string]string{"Origin": "https://evil.com:1.example.org"}, want: 403},
		{name: "a user where the label stands", origins: list, header: map[string]string{"Origin": "https://x@y.example.org"}, want: 403},
		{name: "null, as a sandboxed frame sends", origins: list, header: map[string]string{"Origin": "null"}, want: 403},
		{name: "empty", origins: list, header: map[string]string{"Origin": ""}, want: 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, store := newHandler(t, tt.origins...)
			req := request(t)
			req.Headers = tt.header
			response, err := h.Handle(t.Context(), req)
			if err != nil || response.StatusCode != tt.want {
				t.Errorf("Handle = %d, %v, want %d", response.StatusCode, err, tt.want)
			}
			if _, err := store.Get(t.Context(), req.RequestContext.ConnectionID); (err == nil) != (tt.want == 200) {
				t.Errorf("record: %v", err)
			}
		})
	}
}

func TestAnOriginThatIsNoneIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"app.example.com", "https://", "https://app.example.com/", "https://a*.example.com", "https://*.*.com", "*.example.com", "https://a b"} {
		if _, err := handler.ParseOrigins([]string{origin}); err == nil {
			t.Errorf("%q is taken", origin)
		}
	}
}

func TestWhatCanNotBeRecordedIsNotConnected(t *testing.T) {
	t.Parallel()
	h, store := newHandler(t, "*")
	store.Before = func(context.Context, string) error { return errors.New("table is away") }
	response, err := h.Handle(t.Context(), request(t))
	if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Body != "" {
		t.Errorf("Handle = %+v, %v, want 503 without a body", response, err)
	}
}
