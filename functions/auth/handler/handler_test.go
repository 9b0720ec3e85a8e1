package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/auth/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/push/pushtest"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
	"github.com/purposepath/realtime/shared/telemetry"
	"github.com/purposepath/realtime/shared/token"
)

const id = "R1kmxc2VNjMCFIA="

// A fixture is an auth handler over memory stores, in a synctest bubble, with one connection and three events in acme's log. It is
// its own issuer: the token "acme/ana" is Ana's of acme, and those in errs fail.
type fixture struct {
	handler     *handler.Handler
	connections *connectiontest.Memory
	gateway     *pushtest.Gateway
	first       int64
	errs        map[string]error
	life        time.Duration // of its tokens
	logs        bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		gateway: &pushtest.Gateway{}, connections: connectiontest.NewMemory(time.Now), life: time.Hour,
		errs: map[string]error{
			"expired":     token.ErrExpired,
			"foreign":     fmt.Errorf("%w: iss is not the expected one", token.ErrInvalid),
			"unavailable": &token.UnavailableError{RetryAfter: 5 * time.Second, Err: errors.New("GET https://issuer.internal/jwks: refused")},
		},
	}
	log := eventlog.New(eventlogtest.NewMemory(eventlogtest.Retention, time.Now), backoff.RealClock())
	f.handler = &handler.Handler{
		Tokens: f, Connections: f.connections, Heads: log, Socket: f.gateway, MaxConnectionsUser: 20, Clock: backoff.RealClock(),
		Log: slog.New(slog.NewJSONHandler(&f.logs, nil)), Metrics: telemetry.NewMetrics(&f.logs, "auth", time.Now),
		Replayer: &replay.Replayer{Log: log, Push: push.New(f.gateway, 1, backoff.RealClock()), Limits: eventlog.Limits{Records: 100, Bytes: 1 << 20}, Now: time.Now},
	}
	f.connect(t, id)
	var err error
	if f.first, err = log.OpenHead(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		eventID := fmt.Sprint("e", i+1)
		_, err := log.Append(t.Context(), "acme", []eventlog.Entry{{EventID: eventID, Envelope: func(sequence int64) ([]byte, error) {
			return json.Marshal(event.Envelope{Type: event.GoalResumed, EventID: eventID, Sequence: sequence})
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fixture) Verify(_ context.Context, raw string) (token.Claims, error) {
	if err := f.errs[raw]; err != nil {
		return token.Claims{}, err
	}
	tenantID, userID, _ := strings.Cut(raw, "/")
	return token.Claims{TenantID: tenantID, UserID: userID, ExpiresAt: time.Now().Add(f.life)}, nil
}

func (f *fixture) connect(t *testing.T, id string) {
	t.Helper()
	if err := f.connections.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: time.Now(), Deadline: time.Now().Add(30 * time.Second)}); err != nil {
		t.Fatal(err)
	}
}

// An answer is a response, with numbers counted from the log's first.
type answer struct {
	Type         string
	TenantID     string
	UserID       string
	ConnectionID string
	ExpiresAt    string
	Protocol     int
	Accepted     []string
	Sequence     int64
	After        *int64
	Recovered    *bool
	More         bool
	Error        string
	Code         event.Code
	Reason       event.Reason
	RetryAfterMs int64
	Ref          string
}

func (f *fixture) send(t *testing.T, id, body string) answer {
	t.Helper()
	var req socket.Request
	req.RequestContext.ConnectionID, req.Body, req.RequestContext.ConnectedAt = id, body, time.Now().UnixMilli()
	response, err := f.handler.Handle(t.Context(), req)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("Handle = %+v, %v", response, err)
	}
	if response.Body == "" {
		return answer{}
	}
	var message struct {
		Type string
		Data answer
	}
	if err := json.Unmarshal([]byte(response.Body), &message); err != nil {
		t.Fatal(err)
	}
	message.Data.Type = message.Type
	if message.Data.Sequence != 0 {
		message.Data.Sequence -= f.first
	}
	if message.Data.After != nil {
		*message.Data.After -= f.first
	}
	return message.Data
}

func (f *fixture) auth(t *testing.T, rest string) answer {
	t.Helper()
	return f.send(t, id, `{"action":"auth",`+rest+`}`)
}

func (f *fixture) at(offset int64) string { return fmt.Sprintf(`"lastSequence":%d`, f.first+offset) }

func (f *fixture) got() string {
	var ids []string
	for _, m := range f.gateway.Messages(id) {
		ids = append(ids, strings.TrimSpace(m.Type+" "+m.EventID))
	}
	return strings.Join(ids, ", ")
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func bubble(t *testing.T, name string, test func(t *testing.T, f *fixture)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { test(t, newFixture(t)) })
	})
}

func success() answer {
	return answer{
		Type: "auth.success", TenantID: "acme", UserID: "ana", ConnectionID: id, ExpiresAt: time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05.000Z"),
		Protocol: 1, Accepted: []string{}, Sequence: 3,
	}
}

func recovered(after int64, ok bool) func(*answer) {
	return func(a *answer) { a.After, a.Recovered = &after, &ok }
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rest func(f *fixture) string
		want func(*answer)
		got  string
	}{
		{"the first time", func(*fixture) string { return `"ref":"7"` }, func(a *answer) { a.Ref = "7" }, ""},
		{"at the head", func(f *fixture) string { return f.at(3) }, recovered(3, true), ""},
		{"what was missed", func(f *fixture) string { return f.at(1) }, recovered(1, true), "goal.resumed e2, goal.resumed e3"},
		{"what was missed, as a batch", func(f *fixture) string { return f.at(1) + `,"accept":["gzip","batch"]` },
			func(a *answer) { recovered(1, true)(a); a.Accepted = []string{"batch"} }, "batch"},
		{"a position before the log", func(f *fixture) string { return f.at(-1) }, recovered(-1, false), ""},
		{"a position from the future", func(f *fixture) string { return f.at(9) }, recovered(9, false), ""},
		{"a position by event id", func(*fixture) string { return `"lastEventId":"e2"` }, recovered(2, true), "goal.resumed e3"},
		{"an event id the log does not know", func(*fixture) string { return `"lastEventId":"x"` }, func(a *answer) { a.Recovered = new(bool) }, ""},
		{"number and id of the same event", func(f *fixture) string { return f.at(2) + `,"lastEventId":"e2"` }, recovered(2, true), "goal.resumed e3"},
		{"number and id of different events", func(f *fixture) string { return f.at(1) + `,"lastEventId":"e2"` }, recovered(1, false), ""},
		{"the protocol that is spoken", func(*fixture) string { return `"protocol":1,"client":{"name":"web","version":"1.0.0"}` }, func(*answer) {}, ""},
	} {
		bubble(t, tt.name, func(t *testing.T, f *fixture) {
			want := success()
			tt.want(&want)
			equal(t, "answer", want, f.auth(t, `"token":"acme/ana",`+tt.rest(f)))
			equal(t, "posted", tt.got, f.got())
			members, err := f.connections.Members(t.Context(), "acme")
			if err != nil || len(members) != 1 || members[0].ConnectionID != id || members[0].AcceptsBatch != slices.Contains(want.Accepted, "batch") {
				t.Errorf("members = %+v, %v", members, err)
			}
		})
	}

	bubble(t, "a tenant's first client begins its log at the present millisecond", func(t *testing.T, f *fixture) {
		time.Sleep(time.Minute)
		got := f.auth(t, `"token":"new/ana"`)
		equal(t, "sequence", time.Now().UnixMilli(), got.Sequence+f.first)
	})

	bubble(t, "renewal replays too and keeps one member", func(t *testing.T, f *fixture) {
		f.auth(t, `"token":"acme/ana"`)
		time.Sleep(50 * time.Minute)
		want := success()
		recovered(2, true)(&want)
		equal(t, "answer", want, f.auth(t, `"token":"acme/ana",`+f.at(2)))
		equal(t, "posted", "goal.resumed e3", f.got())
		time.Sleep(50 * time.Minute)
		members, err := f.connections.Members(t.Context(), "acme")
		if err != nil || len(members) != 1 {
			t.Errorf("members = %+v, %v, want the renewed one", members, err)
		}
	})
}

func TestFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rest string
		want       answer
	}{
		{"no token", `"ref":"1"`, answer{Code: event.CodeValidationError, Error: "token must be a JWT", Ref: "1"}},
		{"a token that is no string", `"token":{}`, answer{Code: event.CodeValidationError, Error: "token must be a string, got object"}},
		{"a foreign token", `"token":"foreign"`, answer{Code: event.CodeUnauthorized, Error: "token invalid: iss is not the expected one"}},
		{"an expired token", `"token":"expired"`, answer{Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Error: "the token has run out"}},
		{"the issuer's keys are away: the token is kept", `"token":"unavailable"`,
			answer{Code: event.CodeInternalError, Error: "the issuer's keys can't be had now", RetryAfterMs: 5000}},
		{"protocol zero", `"protocol":0,"token":"acme/ana"`,
			answer{Code: event.CodeForbidden, Reason: event.ReasonUpgrade, Error: "this server speaks protocol 1 only: the client must be upgraded"}},
		{"a protocol that is not spoken", `"protocol":2,"token":"acme/ana"`,
			answer{Code: event.CodeForbidden, Reason: event.ReasonUpgrade, Error: "this server speaks protocol 1 only: the client must be upgraded"}},
	} {
		bubble(t, tt.name, func(t *testing.T, f *fixture) {
			want := tt.want
			want.Type = "auth.error"
			equal(t, "answer", want, f.auth(t, tt.rest))
			members, err := f.connections.Members(t.Context(), "acme")
			if err != nil || len(members) != 0 {
				t.Errorf("members = %v, %v, want none", members, err)
			}
			if strings.Contains(f.logs.String(), "acme/ana") {
				t.Errorf("the log holds the token: %s", f.logs.String())
			}
		})
	}

	bubble(t, "another tenant or user on the same connection is forbidden and changes nothing", func(t *testing.T, f *fixture) {
		f.auth(t, `"token":"acme/ana"`)
		for _, other := range []string{"rival/ana", "acme/bob"} {
			got := f.auth(t, `"token":"`+other+`"`)
			equal(t, "answer", answer{Type: "auth.error", Code: event.CodeForbidden, Error: "this connection belongs to another tenant or user: open a new one"}, got)
		}
		c, err := f.connections.Get(t.Context(), id)
		if err != nil || c.TenantID != "acme" || c.UserID != "ana" {
			t.Errorf("connection = %+v, %v", c, err)
		}
	})

	bubble(t, "the third failure in a row closes, after the answer", func(t *testing.T, f *fixture) {
		f.auth(t, `"token":"foreign"`)
		f.auth(t, `"token":"foreign"`)
		f.auth(t, `"token":"acme/ana"`)
		f.auth(t, `"token":"foreign"`)
		f.auth(t, `"token":"unavailable"`) // not the client's fault: not counted
		f.auth(t, `"token":"foreign"`)
		equal(t, "calls before the third", []string{}, f.gateway.Calls())
		equal(t, "answer through the response", answer{}, f.auth(t, `"token":"foreign","ref":"3"`))
		equal(t, "calls", []string{"post " + id, "close " + id}, f.gateway.Calls())
		last := f.gateway.Messages(id)[0]
		equal(t, "told", "auth.error UNAUTHORIZED 3", last.Type+" "+last.Data.Code+" "+last.Data.Ref)
	})

	bubble(t, "a connection without a record is told and closed", func(t *testing.T, f *fixture) {
		if err := f.connections.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		equal(t, "answer through the response", answer{}, f.auth(t, `"token":"acme/ana"`))
		equal(t, "calls", []string{"post " + id, "close " + id}, f.gateway.Calls())
	})

	bubble(t, "a conflict with another write of the connection is waited out", func(t *testing.T, f *fixture) {
		conflicts := 3
		f.connections.Before = func(_ context.Context, step string) error {
			if step == "authenticate" && conflicts > 0 {
				conflicts--
				return fmt.Errorf("conflict: %w", backoff.ErrTransient)
			}
			return nil
		}
		equal(t, "answer", "auth.success", f.auth(t, `"token":"acme/ana"`).Type)
	})

	bubble(t, "a table that is away: try again, and nothing of ours is told", func(t *testing.T, f *fixture) {
		f.connections.Before = func(context.Context, string) error {
			return errors.New("arn:aws:dynamodb:eu-west-1:1:table/Connections")
		}
		equal(t, "answer", answer{Type: "auth.error", Code: event.CodeInternalError, Error: "the server could not do this now, try again", RetryAfterMs: 1000},
			f.auth(t, `"token":"acme/ana"`))
	})
}

func TestAReplayThatCanNotBePostedIsNotCalledRecovered(t *testing.T) {
	t.Parallel()
	bubble(t, "throttled to the end: try again", func(t *testing.T, f *fixture) {
		f.gateway.Fail = func(string, string) error { return fmt.Errorf("429: %w: %w", push.ErrThrottled, backoff.ErrTransient) }
		want := answer{Type: "auth.error", Code: event.CodeRateLimit, Error: "what was missed could not be sent now", RetryAfterMs: 1000}
		equal(t, "answer", want, f.auth(t, `"token":"acme/ana",`+f.at(1)))
	})
	bubble(t, "the token ran out before the first post", func(t *testing.T, f *fixture) {
		f.life = time.Second
		f.connections.Before = func(_ context.Context, step string) error {
			if step == "authenticate" {
				time.Sleep(2 * time.Second)
			}
			return nil
		}
		want := answer{Type: "auth.error", Code: event.CodeUnauthorized, Reason: event.ReasonTokenExpired, Error: "the token has run out"}
		equal(t, "answer", want, f.auth(t, `"token":"acme/ana",`+f.at(1)))
		equal(t, "posted", "", f.got())
	})
	bubble(t, "the time is over in the middle: the first part counts, and the answer still goes out", func(t *testing.T, f *fixture) {
		posts := 0
		f.gateway.Fail = func(call, _ string) error {
			if posts++; call == "post" && posts > 1 {
				time.Sleep(8 * time.Second) // past what the function keeps for its answer
				return fmt.Errorf("no answer: %w", backoff.ErrTransient)
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		var req socket.Request
		req.RequestContext.ConnectionID, req.Body = id, `{"action":"auth","token":"acme/ana",`+f.at(1)+`}`
		response, err := f.handler.Handle(ctx, req)
		if err != nil || ctx.Err() != nil || !strings.Contains(response.Body, `"recovered":true,"more":true`) {
			t.Errorf("Handle = %s, %v, the function's time: %v", response.Body, err, ctx.Err())
		}
		equal(t, "posted", "goal.resumed e2", f.got())
	})
}

func TestTheSampleIsAnswered(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../events/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var req socket.Request
	if err := json.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	response, err := f.handler.Handle(t.Context(), req)
	if err != nil || !strings.Contains(response.Body, `"type":"auth.success"`) || !strings.Contains(response.Body, `"accepted":["batch"]`) {
		t.Errorf("Handle = %+v, %v", response, err)
	}
}
