package conformance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// struck adds faults, puts events beside them, and waits until all of them have arrived.
func struck(events int, faults ...string) func(*testing.T, *edgeWorld) {
	return func(t *testing.T, w *edgeWorld) {
		for _, f := range faults {
			w.stack.Fault(t, f)
		}
		ids := names("struck", events)
		w.service.put(w.tenant, ids...)
		w.until(t, ids...)
	}
}

func faultEdges() []edge {
	const (
		again  = "tried again"
		queued = "the queue brings the batch back"
	)
	post := func(answer string, times int) string {
		return fmt.Sprintf(`{"target":"connections","match":"POST","answer":%q,"times":%d}`, answer, times)
	}
	table := func(match, answer string, times int) string {
		return fmt.Sprintf(`{"target":"table","match":%q,"answer":%q,"times":%d}`, match, answer, times)
	}
	function := func(name, answer string, delayMs int) string {
		return fmt.Sprintf(`{"target":"function","match":%q,"answer":%q,"delayMs":%d}`, name, answer, delayMs)
	}
	return []edge{
		{input: "the log's table throttles", answer: "none is seen", ends: again, counts: 5, run: struck(5, table("TransactWriteItems Tenants", "throttle", 6))},
		{input: "transactions of the log conflict", answer: "none is seen", ends: again, counts: 5, run: struck(5, table("TransactWriteItems Tenants", "conflict", 5))},
		{input: "transactions of the log conflict without end", answer: "none is seen", ends: queued, counts: 5, run: struck(5, table("TransactWriteItems Tenants", "conflict", 20))},
		{input: "the answer of a transaction is lost", answer: "none is seen", ends: "the same request again, or the ids are known", counts: 5, run: struck(5, table("TransactWriteItems Tenants", "lose", 4))},
		{input: "the members can't be read", answer: "none is seen", ends: queued, counts: 3, run: struck(3, table("Query Members", "error", 30))},
		{input: "a post is answered 429", answer: "none is seen", ends: again, counts: 5, run: struck(5, post("429", 3))},
		{input: "a post is answered 500", answer: "none is seen", ends: again, counts: 5, run: struck(5, post("500", 3))},
		{input: "a post is not answered", answer: "a gap, which a ping heals", ends: "counted as failed after 2 s", counts: 3, run: struck(3, post("hang", 1))},
		{input: "a post is answered 200 and vanishes", answer: "a gap, which a ping heals", ends: "nobody can see it but the client", counts: 3, run: struck(3, post("vanish", 1))},
		{input: "a post is cut off", answer: "none is seen, or the event twice", ends: again, counts: 3, run: struck(3, post("lose", 2))},
		{input: "a connection is answered 410 though it lives", answer: "UNAUTHORIZED to its next message, and it is closed", ends: "the client connects anew and recovers", counts: 3, run: struck(3, post("410", 1))},
		{input: "the tenant queue fails", answer: "none is seen", ends: again, counts: 3, run: struck(3, `{"target":"queue","match":"SendMessage TenantQueue","answer":"error","times":8}`)},
		{input: "the queue's answer is lost", answer: "none is seen", ends: "sent again, dropped as a repeat", counts: 3, run: struck(3, `{"target":"queue","match":"SendMessage TenantQueue","answer":"lose","times":2}`)},
		{input: "the broadcaster panics", answer: "none is seen", ends: "Lambda calls it again after a minute", counts: 1, run: struck(1, function("BroadcasterFunction", "panic", 0))},
		{input: "the broadcaster is throttled", answer: "none is seen", ends: "Lambda calls it again", counts: 3, run: struck(3, function("BroadcasterFunction", "throttle", 0))},
		{input: "the broadcaster is killed", answer: "none is seen", ends: "Lambda calls it again after a minute", counts: 1, run: struck(1, function("BroadcasterFunction", "kill", 0))},
		{input: "the pusher panics", answer: "none is seen", ends: queued, counts: 3, run: struck(3, function("PusherFunction", "panic", 0))},
		{input: "the pusher is throttled", answer: "none is seen", ends: queued, counts: 3, run: struck(3, function("PusherFunction", "throttle", 0))},
		{input: "the pusher is killed at once", answer: "none is seen", ends: queued, counts: 3, run: struck(3, function("PusherFunction", "kill", 0))},
		{input: "the pusher is killed after it has numbered", answer: "none is seen, or the event twice", ends: queued, counts: 3,
			run: struck(3, `{"target":"table","match":"Query Members","delayMs":300,"times":4}`, function("PusherFunction", "kill", 150))},
		{input: "the pusher is killed while it posts", answer: "none is seen, or the event twice", ends: queued, counts: 3,
			run: struck(3, `{"target":"connections","match":"POST","delayMs":300}`, function("PusherFunction", "kill", 150))},
		{input: "the pusher's answer is lost", answer: "the event twice", ends: queued, counts: 3, run: struck(3, function("PusherFunction", "lose", 0))},
		{input: "auth is killed", answer: "the gateway's Internal server error", ends: "the client authenticates anew", run: func(t *testing.T, w *edgeWorld) {
			s := dial(t, w.stack.WebSocketURL)
			w.stack.Fault(t, table("", "hang", 20)) // it is not to have ended before
			w.stack.Fault(t, function("AuthFunction", "kill", 100))
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			if m := s.next(); m.Message != "Internal server error" || m.RequestID == "" {
				t.Errorf("got %+v", m)
			}
			w.stack.NoFaults(t)
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			s.nextOf("auth.success")
		}},
		{input: "auth does not end in time", answer: "the gateway's Endpoint request timed out", ends: "the client authenticates anew", run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, function("AuthFunction", "hang", 0))
			s := dial(t, w.stack.WebSocketURL)
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			if m := s.next(); m.Message != "Endpoint request timed out" {
				t.Errorf("got %+v", m)
			}
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			s.nextOf("auth.success")
		}},
		{input: "the table of connections is away at auth", answer: "auth.error INTERNAL_ERROR", ends: "the client authenticates anew", run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, table("TransactWriteItems Connections", "denied", 1))
			told(false, func(*testing.T, *edgeWorld) string {
				return fmt.Sprintf(`{"action":"auth","token":%q}`, w.client.token)
			}, "auth.error INTERNAL_ERROR")(t, w)
		}},
		{input: "the table of connections conflicts at auth", answer: "auth.success", ends: again, run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, table("TransactWriteItems Connections", "conflict", 2))
			s := dial(t, w.stack.WebSocketURL)
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			s.nextOf("auth.success")
		}},
		{input: "the table of connections is away at $connect", answer: "the handshake is refused with 503", ends: "the client connects anew", run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, table("PutItem Connections", "denied", 1))
			refusedHandshake(t, w.stack.WebSocketURL, 503)
			dial(t, w.stack.WebSocketURL)
		}},
		{input: "$connect panics", answer: "the handshake is refused with 502", ends: "the client connects anew", run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, function("ConnectFunction", "panic", 0))
			refusedHandshake(t, w.stack.WebSocketURL, 502)
			dial(t, w.stack.WebSocketURL)
		}},
		{input: "$disconnect is lost", answer: "none", ends: "the next push is answered 410 and forgets the connection", counts: 1, run: func(t *testing.T, w *edgeWorld) {
			w.stack.Fault(t, function("DisconnectFunction", "panic", 0))
			s := dial(t, w.stack.WebSocketURL)
			s.send(`{"action":"auth","token":%q}`, w.client.token)
			s.nextOf("auth.success")
			_ = s.conn.CloseNow()
			for n := 2; n > 1; {
				var err error
				if n, err = w.membersOf(t); err != nil {
					t.Fatal(err)
				}
				if len(w.stack.LinesWith("pushed", w.tenant, "gone=1")) > 0 {
					break
				}
				if !slices.Contains(w.client.ids(), "struck") {
					w.good(t, "struck")
				}
			}
			for deadline := time.Now().Add(patience); ; {
				n, err := w.membersOf(t)
				if err != nil || time.Now().After(deadline) {
					t.Fatalf("%d members are left, %v", n, err)
				}
				if n == 1 {
					return
				}
			}
		}},
	}
}
