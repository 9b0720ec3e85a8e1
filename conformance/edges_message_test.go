package conformance_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// told sends a message on a connection of its own, after auth if authenticated, and checks the answer.
func told(authenticated bool, send func(t *testing.T, w *edgeWorld) string, want string) func(*testing.T, *edgeWorld) {
	return func(t *testing.T, w *edgeWorld) {
		s := dial(t, w.stack.WebSocketURL)
		if authenticated {
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			s.nextOf("auth.success")
		}
		s.send("%s", send(t, w))
		if got := strings.TrimSpace(refusal(t, s.next())); got != want {
			t.Errorf("answered %q, want %q", got, want)
		}
		s.send(`{"action":"auth","token":%q}`, w.client.token) // the connection stays
		s.nextOf("auth.success")
	}
}

func text(message string) func(*testing.T, *edgeWorld) string {
	return func(*testing.T, *edgeWorld) string { return message }
}

// closedWith sends a frame and waits for the close.
func closedWith(kind websocket.MessageType, size int, want websocket.StatusCode) func(*testing.T, *edgeWorld) {
	return func(t *testing.T, w *edgeWorld) {
		s := dial(t, w.stack.WebSocketURL)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_ = s.conn.Write(ctx, kind, []byte(strings.Repeat("x", size))) // the gateway may close before all of it is sent
		if code := s.end(); code != want {
			t.Errorf("closed with %d, want %d", code, want)
		}
	}
}

// recovers authenticates with a position and checks what is said of it.
func notRecovered(position func(w *edgeWorld) int64) func(*testing.T, *edgeWorld) {
	return func(t *testing.T, w *edgeWorld) {
		s := dial(t, w.stack.WebSocketURL)
		s.send(`{"action":"auth","token":%q,"lastSequence":%d}`, w.client.token, position(w))
		if a := s.nextOf("auth.success").answer(t); a.Recovered == nil || *a.Recovered || a.Sequence != w.client.position {
			t.Errorf("answer = %+v", a)
		}
	}
}

func messageEdges() []edge {
	const stays = "the connection stays"
	token := func(tenant, user string, life time.Duration) func(*testing.T, *edgeWorld) string {
		return func(t *testing.T, w *edgeWorld) string {
			if tenant == "" {
				tenant = w.tenant
			}
			return fmt.Sprintf(`{"action":"auth","token":%q}`, w.stack.Token(t, tenant, user, life*edgeSpeed))
		}
	}
	return []edge{
		{input: "broken JSON", answer: "connection_error VALIDATION_ERROR", ends: stays, run: told(false, text(`{"action":"auth",`), "connection_error VALIDATION_ERROR")},
		{input: "plain text", answer: "connection_error VALIDATION_ERROR", ends: stays, run: told(false, text("hello"), "connection_error VALIDATION_ERROR")},
		{input: "an unknown action", answer: "connection_error VALIDATION_ERROR", ends: stays, run: told(true, text(`{"action":"subscribe"}`), "connection_error VALIDATION_ERROR")},
		{input: "a ping before auth", answer: "connection_error UNAUTHORIZED", ends: stays, run: told(false, text(`{"action":"ping"}`), "connection_error UNAUTHORIZED")},
		{input: "auth without a token", answer: "auth.error VALIDATION_ERROR", ends: stays, run: told(false, text(`{"action":"auth"}`), "auth.error VALIDATION_ERROR")},
		{input: "a token of another issuer", answer: "auth.error UNAUTHORIZED", ends: stays, run: told(false, text(`{"action":"auth","token":"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.AAAA"}`), "auth.error UNAUTHORIZED")},
		{input: "an expired token", answer: "auth.error UNAUTHORIZED, token_expired", ends: stays, run: told(false, token("", "ana", -time.Second), "auth.error UNAUTHORIZED token_expired")},
		{input: "a token of another tenant on the same socket", answer: "auth.error FORBIDDEN", ends: "the connection stays the first tenant's", run: told(true, token("rival", "ana", time.Hour), "auth.error FORBIDDEN")},
		{input: "a token of another user on the same socket", answer: "auth.error FORBIDDEN", ends: "the connection stays the first user's", run: told(true, token("", "bob", time.Hour), "auth.error FORBIDDEN")},
		{input: "ten renewals at once", answer: "auth.success, each", ends: "one member", counts: 1, run: renewalsAtOnce},
		{input: "a position from the future", answer: "auth.success, recovered false", ends: "the client loads its state", run: notRecovered(func(w *edgeWorld) int64 { return w.client.position + 1 })},
		{input: "a position older than what is kept", answer: "auth.success, recovered false", ends: "the client loads its state", run: notRecovered(func(w *edgeWorld) int64 { return w.client.position - 1000 })},
		{input: "a position of another tenant's, younger log", answer: "auth.success, recovered false", ends: "the client loads its state", run: positionOfAnotherTenant},
		{input: "a message of 200 KB", answer: "close 1009", ends: "the gateway", run: closedWith(websocket.MessageText, 200<<10, websocket.StatusMessageTooBig)},
		{input: "a frame of 32,769 bytes", answer: "close 1009", ends: "the gateway", run: closedWith(websocket.MessageText, 32_769, websocket.StatusMessageTooBig)},
		{input: "a binary frame", answer: "close 1003", ends: "the gateway", run: closedWith(websocket.MessageBinary, 10, websocket.StatusUnsupportedData)},
		{input: "forty tabs of one user at once", answer: "auth.success, each; connection_error FORBIDDEN, replaced, to those beyond twenty", ends: "at most twenty connections", run: fortyTabs},
	}
}

func renewalsAtOnce(t *testing.T, w *edgeWorld) {
	s := dial(t, w.stack.WebSocketURL)
	for range 10 {
		s.send(`{"action":"auth","token":%q}`, w.client.token)
	}
	for range 10 {
		if m := s.next(); m.Type != "auth.success" {
			t.Errorf("answered %s %s", m.Type, m.Data)
		}
	}
	w.service.put(w.tenant, "once")
	w.until(t, "once")
	if m := s.next(); m.EventID != "once" {
		t.Errorf("got %s %s", m.Type, m.EventID)
	}
	s.send(`{"action":"ping"}`)
	if m := s.next(); m.Type != "pong" {
		t.Errorf("got %s %s a second time: the connection is two members", m.Type, m.EventID)
	}
}

func positionOfAnotherTenant(t *testing.T, w *edgeWorld) {
	younger := newClient(t, w.stack, w.tenant+"-younger", "ana", "[]")
	younger.connect()
	notRecovered(func(*edgeWorld) int64 { return younger.position })(t, w)
}

func fortyTabs(t *testing.T, w *edgeWorld) {
	const tabs, limit = 40, 20
	sockets := make([]*socket, tabs)
	var opening sync.WaitGroup
	for i := range sockets {
		sockets[i] = dial(t, w.stack.WebSocketURL)
		opening.Go(func() { sockets[i].send(`{"action":"auth","token":%q}`, w.client.token) })
	}
	opening.Wait()
	replaced, open := 0, 0
	for _, s := range sockets {
		for {
			m, ok := <-s.frames
			if ok && m.Type == "connection_error" && m.answer(t).Reason == "replaced" {
				replaced++
			}
			if !ok {
				break
			}
			if m.Type == "auth.success" {
				_ = s.trySend(`{"action":"ping"}`) // it may have been closed since
			}
			if m.Type == "pong" {
				open++
				break
			}
		}
	}
	// Each that comes closes those beyond the limit as it sees them; a pong may be older than the close. One more settles it.
	w.socket = w.client.connect()
	got, err := w.membersOf(t)
	if err != nil || got > limit {
		t.Errorf("%d members, %v, want at most %d; %d tabs were told they are replaced, %d answered", got, err, limit, replaced, open)
	}
}
