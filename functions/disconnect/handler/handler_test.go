package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/purposepath/realtime/functions/disconnect/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/socket"
)

func TestDisconnectForgetsTheConnectionAndItsMember(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../events/disconnect.json")
	if err != nil {
		t.Fatal(err)
	}
	var req socket.Request
	if err := json.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	id, now := req.RequestContext.ConnectionID, time.UnixMilli(req.RequestContext.ConnectedAt)
	store := connectiontest.NewMemory(func() time.Time { return now })
	if err := store.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: now}); err != nil {
		t.Fatal(err)
	}
	member := connection.Member{TenantID: "acme", UserID: "ana", ConnectionID: id, ConnectedAt: now, ValidUntil: now.Add(time.Hour)}
	if err := store.Authenticate(t.Context(), member); err != nil {
		t.Fatal(err)
	}
	h := &handler.Handler{Connections: store, Clock: backoff.RealClock(), Log: slog.New(slog.DiscardHandler)}
	for range 2 { // API Gateway may call it twice
		if response, err := h.Handle(t.Context(), req); err != nil || response.StatusCode != 200 {
			t.Fatalf("Handle = %+v, %v", response, err)
		}
		members, err := store.Members(t.Context(), "acme")
		if err != nil || len(members) != 0 {
			t.Errorf("members = %v, %v, want none", members, err)
		}
	}
	if err := errors.Join(store.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: now}), store.Authenticate(t.Context(), member)); err != nil {
		t.Fatal(err)
	}
	conflicts := 2
	store.Before = func(_ context.Context, step string) error {
		if conflicts > 0 && step != "members" {
			conflicts--
			return fmt.Errorf("conflict beside auth: %w", backoff.ErrTransient)
		}
		return nil
	}
	if _, err := h.Handle(t.Context(), req); err != nil {
		t.Errorf("Handle = %v beside a conflict", err)
	}
	if members, err := store.Members(t.Context(), "acme"); err != nil || len(members) != 0 {
		t.Errorf("members after a conflict = %v, %v, want none", members, err)
	}
	store.Before = func(context.Context, string) error { return errors.New("table is away") }
	if _, err := h.Handle(t.Context(), req); err == nil {
		t.Error("Handle = nil where nothing was deleted: the function's error metric would not show it")
	}
}
