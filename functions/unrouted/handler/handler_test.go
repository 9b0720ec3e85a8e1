package handler_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/unrouted/handler"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/socket"
)

func TestWhatNoRouteKnowsIsAnswered(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../../events/unrouted.json")
	if err != nil {
		t.Fatal(err)
	}
	var fromSample socket.Request
	if err := json.Unmarshal(sample, &fromSample); err != nil {
		t.Fatal(err)
	}
	const unreadable = "the message is not a JSON object with an action"
	for _, tt := range []struct{ name, body, want, ref string }{
		{"the sample", fromSample.Body, `unknown action "subscribe": this server knows auth and ping`, "3"},
		{"a reserved action", `{"action":"publish"}`, `unknown action "publish": this server knows auth and ping`, ""},
		{"an action with quotes", `{"action":"a\"b<script>"}`, `unknown action "a\"b<script>": this server knows auth and ping`, ""},
		{"a long action", `{"action":"` + strings.Repeat("x", 100) + `"}`, `unknown action of 100 bytes: this server knows auth and ping`, ""},
		{"no action", `{"ref":"r"}`, unreadable, "r"},
		{"a long ref is not repeated", `{"ref":"` + strings.Repeat("r", 65) + `"}`, unreadable, ""},
		{"an action that is a number", `{"action":5}`, "action must be a string", ""},
		{"an action of another case", `{"Action":"auth"}`, unreadable, ""},
		{"a ref that is no string", `{"action":"x","ref":7}`, `unknown action "x": this server knows auth and ping`, ""},
		{"plain text", `hello`, unreadable, ""},
		{"broken JSON", `{"action":"auth",`, unreadable, ""},
		{"an array", `["auth"]`, unreadable, ""},
		{"nothing", ``, unreadable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &handler.Handler{Now: func() time.Time { return time.UnixMilli(1_700_000_000_123) }, Log: slog.New(slog.DiscardHandler)}
			response, err := h.Handle(t.Context(), socket.Request{Body: tt.body})
			if err != nil || response.StatusCode != 200 {
				t.Fatalf("Handle = %+v, %v", response, err)
			}
			var got struct {
				Type, Timestamp string
				Data            event.Failure
			}
			if err := json.Unmarshal([]byte(response.Body), &got); err != nil {
				t.Fatal(err)
			}
			want := event.Failure{Code: event.CodeValidationError, Error: tt.want, Ref: tt.ref}
			if diff := cmp.Diff(want, got.Data); diff != "" || got.Type != "connection_error" || got.Timestamp != "2023-11-14T22:13:20.123Z" {
				t.Errorf("%s %s, data (-want +got):\n%s", got.Type, got.Timestamp, diff)
			}
		})
	}
}

func FuzzHandle(f *testing.F) {
	f.Add(`{"action":"x","ref":"1"}`)
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, body string) {
		h := &handler.Handler{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		response, err := h.Handle(t.Context(), socket.Request{Body: body})
		if err != nil || !json.Valid([]byte(response.Body)) || len(response.Body) > 1024 {
			t.Errorf("Handle = %q, %v", response.Body, err)
		}
	})
}
