package functions_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	auth "github.com/purposepath/realtime/functions/auth/handler"
	broadcaster "github.com/purposepath/realtime/functions/broadcaster/handler"
	ping "github.com/purposepath/realtime/functions/ping/handler"
	pusher "github.com/purposepath/realtime/functions/pusher/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
	"github.com/purposepath/realtime/shared/token"
)

const issuerURL = "https://issuer.example"

// A path is the whole system in one process: real handlers and a real verifier of tokens over memory stores. It is its own queue and the
// network of its issuer.
type path struct {
	t           *testing.T
	keys        map[string]ed25519.PrivateKey // of the issuer by key id
	log         *eventlog.Log
	connections *connectiontest.Memory
	gateway     *pushtest.Gateway
	auth        *auth.Handler
	ping        *ping.Handler
	pusher      *pusher.Handler
	broadcaster *broadcaster.Handler
	sent        []queue.Message
	refused     []queue.Refusal
	logs        bytes.Buffer
}

func newPath(t *testing.T) *path {
	t.Helper()
	clock := backoff.RealClock()
	p := &path{
		t: t, keys: map[string]ed25519.PrivateKey{"k": ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))},
		log:         eventlog.New(eventlogtest.NewMemory(eventlogtest.Retention, time.Now), clock),
		connections: connectiontest.NewMemory(time.Now), gateway: &pushtest.Gateway{},
	}
	verifier, err := token.New(token.Config{Issuer: issuerURL, Audiences: []string{"api"}, TenantClaim: "tenant"}, &http.Client{Transport: p}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log, metrics := slog.New(slog.NewJSONHandler(&p.logs, &slog.HandlerOptions{Level: slog.LevelDebug})), telemetry.NewMetrics(&p.logs, "test", time.Now)
	replayer := &replay.Replayer{Log: p.log, Push: push.New(p.gateway, 1, clock), Limits: eventlog.Limits{Records: 100, Bytes: 1 << 20}, Now: time.Now}
	p.auth = &auth.Handler{
		Tokens: verifier, Connections: p.connections, Heads: p.log, Replayer: replayer, Socket: p.gateway, MaxConnectionsUser: 20, Clock: clock, Log: log, Metrics: metrics,
	}
	p.ping = &ping.Handler{Connections: p.connections, Heads: p.log, Replayer: replayer, Socket: p.gateway, Now: time.Now, Log: log, Metrics: metrics}
	p.broadcaster = &broadcaster.Handler{Queue: p, Now: time.Now, Log: log, Metrics: metrics}
	p.pusher = &pusher.Handler{Events: p.log, Members: p.connections, Push: push.New(p.gateway, 8, clock), Queue: p, Now: time.Now, Log: log, Metrics: metrics}
	return p
}

// RoundTrip answers with the issuer's key set.
func (p *path) RoundTrip(r *http.Request) (*http.Response, error) {
	var keys []map[string]string
	for kid, key := range p.keys {
		x := base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
		keys = append(keys, map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x})
	}
	body, err := json.Marshal(map[string]any{"keys": keys})
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, err
}

func (p *path) Send(_ context.Context, m queue.Message) error {
	p.sent = append(p.sent, m)
	return nil
}

func (p *path) Refuse(_ context.Context, _ string, why queue.Refusal) error {
	p.refused = append(p.refused, why)
	return nil
}

func (p *path) RetryIn(context.Context, time.Duration, []string) error { return nil }

// token signs the claims of a user for an hour, changed by edit, with the issuer's key.
func (p *path) token(tenantID, userID string, edit ...func(jwt.MapClaims)) string {
	return p.signed(p.keys["k"], tenantID, userID, edit...)
}

func (p *path) signed(key ed25519.PrivateKey, tenantID, userID string, edit ...func(jwt.MapClaims)) string {
	p.t.Helper()
	claims := jwt.MapClaims{"iss": issuerURL, "aud": "api", "tenant": tenantID, "sub": userID, "exp": time.Now().Add(time.Hour).Unix()}
	for _, e := range edit {
		e(claims)
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	unsigned.Header["kid"] = "k"
	raw, err := unsigned.SignedString(key)
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

func (p *path) connect(id string) {
	p.t.Helper()
	if err := p.connections.Put(p.t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now(), Deadline: time.Now().Add(30 * time.Second)}); err != nil {
		p.t.Fatal(err)
	}
}

// A reply is what the tests of this file look at in an answer.
type reply struct {
	Type string
	Data struct {
		TenantID, UserID, Code, Reason, Error string
		Sequence                              int64
		Recovered                             *bool
	}
}

func (p *path) send(id string, message map[string]any) reply {
	p.t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		p.t.Fatal(err)
	}
	req := socket.Request{RequestContext: events.APIGatewayWebsocketProxyRequestContext{ConnectionID: id, ConnectedAt: time.Now().UnixMilli()}, Body: string(body)}
	handle := p.auth.Handle
	if message["action"] == "ping" {
		handle = p.ping.Handle
	}
	response, err := handle(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	var r reply
	if response.Body == "" { // told on the socket, and closed
		return r
	}
	if err := json.Unmarshal([]byte(response.Body), &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *path) authenticate(id, raw string) reply {
	p.t.Helper()
	return p.send(id, map[string]any{"action": "auth", "token": raw})
}

// publish puts an event on the bus and lets everything happen that follows.
func (p *path) publish(tenantID, eventID string) {
	p.t.Helper()
	detail, err := json.Marshal(map[string]string{
		"tenantId": tenantID, "eventId": eventID, "goalId": "g", "resumedAt": "2026-11-25T09:00:00.000Z", "resumedBy": "u",
	})
	if err != nil {
		p.t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"id": "bus", "detail-type": "goal.resumed", "source": "purposepath.goals", "time": "2026-11-25T09:00:00Z", "detail": json.RawMessage(detail)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.sent = nil
	if err := p.broadcaster.Handle(p.t.Context(), raw); err != nil {
		p.t.Fatal(err)
	}
	var batch events.SQSEvent
	for _, m := range p.sent {
		body, err := json.Marshal(m)
		if err != nil {
			p.t.Fatal(err)
		}
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: m.EventID, Body: string(body)})
	}
	if response, err := p.pusher.Handle(p.t.Context(), batch); err != nil || len(response.BatchItemFailures) > 0 {
		p.t.Fatalf("pusher: %+v, %v", response, err)
	}
}

// got are the events a connection was posted, by id.
func (p *path) got(id string) []string {
	ids := []string{}
	for _, m := range p.gateway.Messages(id) {
		if m.EventID != "" {
			ids = append(ids, m.EventID)
		}
	}
	return ids
}

func bubble(t *testing.T, name string, run func(t *testing.T, p *path)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { run(t, newPath(t)) })
	})
}

// Ids that hold separators, escapes, each other, or look alike. Every tenant has a user of every other tenant's name.
func TestNoEventCrossesATenantWhateverItsName(t *testing.T) {
	t.Parallel()
	names := []string{
		"a", "A", "a#", "a#0", "a#1", "a%", "a%23", "#", "%", "a/b", "/", "../a", "a\\", "a\"", "a'", "a b", "é", "e\u0301", "日本", "\U0001f511", "\u202ea", "null", "0",
		"$connect", "{}", strings.Repeat("#", 256), strings.Repeat("a", 255), strings.Repeat("a", 256),
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPath(t)
		heads := map[string]int64{}
		for i, tenantID := range names {
			for j, userID := range []string{names[0], names[(i+1)%len(names)], tenantID} {
				id := fmt.Sprintf("%d.%d=", i, j)
				p.connect(id)
				answer := p.authenticate(id, p.token(tenantID, userID))
				if answer.Type != "auth.success" || answer.Data.TenantID != tenantID || answer.Data.UserID != userID {
					t.Fatalf("tenant %q, user %q: %+v", tenantID, userID, answer)
				}
				heads[tenantID] = answer.Data.Sequence
			}
		}
		for i, tenantID := range names {
			p.publish(tenantID, fmt.Sprint("event of ", i))
		}
		for i, tenantID := range names {
			want := []string{fmt.Sprint("event of ", i)}
			for j := range 3 {
				if diff := cmp.Diff(want, p.got(fmt.Sprintf("%d.%d=", i, j))); diff != "" {
					t.Errorf("tenant %q (-want +got):\n%s", tenantID, diff)
				}
			}
			// What a replay finds is the tenant's as well.
			id := fmt.Sprintf("%d.again=", i)
			p.connect(id)
			answer := p.send(id, map[string]any{"action": "auth", "token": p.token(tenantID, names[0]), "lastSequence": heads[tenantID]})
			if answer.Data.Recovered == nil || !*answer.Data.Recovered {
				t.Errorf("tenant %q: %+v, want all recovered", tenantID, answer)
			}
			if diff := cmp.Diff(want, p.got(id)); diff != "" {
				t.Errorf("replay of tenant %q (-want +got):\n%s", tenantID, diff)
			}
		}
		if len(p.refused) != 0 {
			t.Errorf("put aside: %+v", p.refused)
		}
	})
}

func TestIDsThatAreTooLongOrNoTextBelongToNobody(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("t", 257), strings.Repeat("t", 1<<10), ""} {
		bubble(t, fmt.Sprintf("%d bytes", len(name)), func(t *testing.T, p *path) {
			p.connect("c=")
			for _, raw := range []string{p.token(name, "ana"), p.token("acme", name)} {
				if answer := p.authenticate("c=", raw); answer.Type != "auth.error" || answer.Data.Code != "UNAUTHORIZED" {
					t.Errorf("answered %+v", answer)
				}
			}
			p.publish(name, "e")
			if len(p.sent) != 0 || len(p.refused) != 1 {
				t.Errorf("an event of this tenant: %d sent, %d put aside", len(p.sent), len(p.refused))
			}
		})
	}
}

// A token that is not the issuer's, or not for us, makes nobody a member, whatever else the message says.
func TestForgedTokensMakeNobodyAMember(t *testing.T) {
	t.Parallel()
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	swap := func(p *path) string { // the payload of one token under the signature of another
		of := func(raw string) []string { return strings.Split(raw, ".") }
		rival, acme := of(p.token("rival", "ana")), of(p.token("acme", "ana"))
		return acme[0] + "." + acme[1] + "." + rival[2]
	}
	set := func(name string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { c[name] = value }
	}
	for name, forge := range map[string]func(p *path) string{
		"signed by another key":      func(p *path) string { return p.signed(other, "acme", "ana") },
		"signature of another token": swap,
		"of another issuer":          func(p *path) string { return p.token("acme", "ana", set("iss", "https://evil.example")) },
		"for another audience":       func(p *path) string { return p.token("acme", "ana", set("aud", "other")) },
		"run out":                    func(p *path) string { return p.token("acme", "ana", set("exp", time.Now().Unix())) },
		"without an end":             func(p *path) string { return p.token("acme", "ana", set("exp", nil)) },
		"tenant in an object":        func(p *path) string { return p.token("acme", "ana", set("tenant", map[string]any{"id": "acme"})) },
		"tenant as a list":           func(p *path) string { return p.token("acme", "ana", set("tenant", []string{"acme"})) },
		"not valid yet":              func(p *path) string { return p.token("acme", "ana", set("nbf", time.Now().Add(2*time.Minute).Unix())) },
		"unsigned": func(p *path) string {
			return strings.Join(append(strings.Split(p.token("acme", "ana"), ".")[:2], ""), ".")
		},
		"a text with the right beginning": func(p *path) string { return p.token("acme", "ana") + "x" },
	} {
		bubble(t, name, func(t *testing.T, p *path) {
			p.connect("c=")
			answer := p.send("c=", map[string]any{"action": "auth", "token": forge(p), "tenantId": "acme", "userId": "ana", "lastSequence": 0})
			if answer.Type != "auth.error" || answer.Data.Code != "UNAUTHORIZED" {
				t.Errorf("answered %+v", answer)
			}
			p.publish("acme", "e")
			if got := p.got("c="); len(got) != 0 {
				t.Errorf("posted %q to it", got)
			}
		})
	}
}

// A good token in the wrong place.
func TestTokensOfOthersOnAConnection(t *testing.T) {
	t.Parallel()
	bubble(t, "another tenant's token is refused and the connection stays its own", func(t *testing.T, p *path) {
		p.connect("c=")
		p.authenticate("c=", p.token("acme", "ana"))
		for _, raw := range []string{p.token("rival", "ana"), p.token("acme", "bob")} {
			if answer := p.authenticate("c=", raw); answer.Data.Code != "FORBIDDEN" {
				t.Errorf("answered %+v", answer)
			}
		}
		p.publish("rival", "theirs")
		p.publish("acme", "ours")
		if diff := cmp.Diff([]string{"ours"}, p.got("c=")); diff != "" {
			t.Errorf("posted (-want +got):\n%s", diff)
		}
	})
	bubble(t, "a message can't name another's connection", func(t *testing.T, p *path) {
		p.connect("victim=")
		p.authenticate("victim=", p.token("acme", "ana"))
		p.connect("c=")
		p.send("c=", map[string]any{"action": "auth", "token": p.token("rival", "ana"), "connectionId": "victim=", "tenantId": "acme", "replaces": "victim="})
		p.send("c=", map[string]any{"action": "ping", "connectionId": "victim=", "tenantId": "acme", "lastSequence": 0})
		p.publish("acme", "ours")
		if diff := cmp.Diff([]string{"ours"}, p.got("victim=")); diff != "" {
			t.Errorf("the victim (-want +got):\n%s", diff)
		}
		if got := p.got("c="); len(got) != 0 {
			t.Errorf("posted %q to the other", got)
		}
	})
	// A bearer token serves whoever holds it, as often as he likes: that is why it must end soon. After its end it serves nobody.
	bubble(t, "a token that is shown again gives what its user may have, until it ends", func(t *testing.T, p *path) {
		raw := p.token("acme", "ana")
		for _, id := range []string{"first=", "again="} {
			p.connect(id)
			if answer := p.authenticate(id, raw); answer.Data.TenantID != "acme" || answer.Data.UserID != "ana" {
				t.Fatalf("answered %+v", answer)
			}
		}
		time.Sleep(time.Hour)
		p.publish("acme", "late")
		p.connect("late=")
		if answer := p.authenticate("late=", raw); answer.Data.Reason != "token_expired" {
			t.Errorf("answered %+v", answer)
		}
		for _, id := range []string{"first=", "again=", "late="} {
			if got := p.got(id); len(got) != 0 {
				t.Errorf("posted %q to %s after the token's end", got, id)
			}
		}
	})
	bubble(t, "a key that the issuer withdrew signs nobody in", func(t *testing.T, p *path) {
		old := p.keys["k"]
		p.connect("c=")
		p.authenticate("c=", p.token("acme", "ana"))
		p.keys = map[string]ed25519.PrivateKey{"new": ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))}
		time.Sleep(time.Hour) // keys are kept so long
		p.connect("d=")
		if answer := p.authenticate("d=", p.signed(old, "acme", "ana")); answer.Data.Code != "UNAUTHORIZED" {
			t.Errorf("answered %+v", answer)
		}
	})
}

// The functions write every line at the lowest level here: none may hold a token, a payload or a key.
func TestNoSecretIsInAnyLine(t *testing.T) {
	t.Parallel()
	bubble(t, "lines of auth, ping, broadcaster and pusher", func(t *testing.T, p *path) {
		p.connect("c=")
		good := p.token("acme", "ana")
		p.send("c=", map[string]any{"action": "auth", "token": "eyJhbGciOiJub25lIn0.e30.", "ref": "r"})
		p.send("c=", map[string]any{"action": "auth", "token": map[string]any{"inner": good}})
		p.send("c=", map[string]any{"action": "auth", "token": good, "client": map[string]any{"name": "n", "version": "v"}})
		p.send("c=", map[string]any{"action": "ping", "lastSequence": 0})
		p.publish("acme", "e")
		p.gateway.Fail = func(string, string) error { return fmt.Errorf("POST: %w", push.ErrGone) }
		p.publish("acme", "to one that is gone")
		if err := p.broadcaster.Handle(t.Context(), []byte(`{"detail-type":"goal.resumed","detail":{"tenantId":"acme","goalId":"payl0ad","resumedBy":["payl0ad"]}}`)); err != nil {
			t.Fatal(err)
		}
		bad := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "bad", Body: `{"tenantId":"acme","event":{"data":{"title":"payl0ad"}}}`}}}
		if _, err := p.pusher.Handle(t.Context(), bad); err != nil {
			t.Fatal(err)
		}
		lines := p.logs.String()
		for what, secret := range map[string]string{
			"a token": "eyJ", "a part of a token": strings.Split(good, ".")[2], "a payload": "payl0ad", "a field of a payload": "2026-11-25T09:00:00.000Z",
			"a key": base64.RawURLEncoding.EncodeToString(p.keys["k"].Seed()),
		} {
			if i := strings.Index(lines, secret); i >= 0 {
				t.Errorf("a line holds %s: …%s…", what, lines[max(0, i-200):min(len(lines), i+100)])
			}
		}
		for _, line := range []string{"not authenticated", `"msg":"authenticated"`, "pong", "accepted", "pushed", `"msg":"refused"`} {
			if !strings.Contains(lines, line) {
				t.Errorf("no line %q: what could leak was not written", line)
			}
		}
	})
}
