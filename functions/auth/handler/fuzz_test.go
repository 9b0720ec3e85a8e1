package handler_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/functions/auth/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
	"github.com/purposepath/realtime/shared/token"
)

// onlyAna is an issuer with one user.
type onlyAna struct{}

func (onlyAna) Verify(_ context.Context, raw string) (token.Claims, error) {
	if raw != "acme/ana" {
		return token.Claims{}, token.ErrInvalid
	}
	return token.Claims{TenantID: "acme", UserID: "ana", ExpiresAt: time.Now().Add(time.Hour)}, nil
}

// FuzzHandle: whatever a client sends to auth ends in an answer of bounded size or in a close, never in an error of the function, and a
// connection whose token was refused belongs to nobody.
func FuzzHandle(f *testing.F) {
	f.Add(`{"action":"auth","token":"acme/ana","lastSequence":5,"lastEventId":"e","accept":["batch"],"protocol":1,"client":{"name":"n","version":"v"},"replaces":"c","ref":"r"}`)
	f.Add(`{"action":"auth","token":"foreign","ref":"` + strings.Repeat("r", 256) + `"}`)
	f.Add(`{"action":"auth","token":"acme/ana","tenantId":"rival","connectionId":"other="}`)
	f.Add("\xff{")
	f.Fuzz(func(t *testing.T, body string) {
		gateway, connections := &pushtest.Gateway{}, connectiontest.NewMemory(time.Now)
		clock := backoff.RealClock()
		log := eventlog.New(eventlogtest.NewMemory(eventlogtest.Retention, time.Now), clock)
		h := &handler.Handler{
			Tokens: onlyAna{}, Connections: connections, Heads: log, Socket: gateway, MaxConnectionsUser: 20, Clock: clock,
			Log: slog.New(slog.DiscardHandler), Metrics: telemetry.NewMetrics(&strings.Builder{}, "auth", time.Now),
			Replayer: &replay.Replayer{Log: log, Push: push.New(gateway, 1, clock), Limits: eventlog.Limits{Records: 100, Bytes: 1 << 20}, Now: time.Now},
		}
		if err := connections.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		var req socket.Request
		req.RequestContext.ConnectionID, req.RequestContext.ConnectedAt, req.Body = id, time.Now().UnixMilli(), body
		response, err := h.Handle(t.Context(), req)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("Handle = %+v, %v", response, err)
		}
		// What an answer repeats of the client's bytes is its ref, of which JSON can make six each.
		if most := 1024 + 6*256; len(response.Body) > most || !json.Valid([]byte(response.Body)) {
			t.Errorf("answer of %d bytes: %.200s", len(response.Body), response.Body)
		}
		c, err := connections.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if c.Authenticated() != strings.Contains(response.Body, `"type":"auth.success"`) {
			t.Errorf("authenticated %v, answered %s", c.Authenticated(), response.Body)
		}
		if c.Authenticated() && (c.TenantID != "acme" || c.UserID != "ana") {
			t.Errorf("it belongs to user %q of tenant %q", c.UserID, c.TenantID)
		}
	})
}
