package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/socket"
)

func TestReadNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, want string }{
		{`{"action":"auth","token":"t"}`, ""},
		{`{"action":"auth","token":"t","lastSequence":0,"future":[1]}`, ""},
		{`{"action":"auth","token":null,"lastSequence":null}`, ""},
		{`{"action":"auth","token":5}`, "token must be a string, got number"},
		{`{"action":"auth","lastSequence":"5"}`, "lastSequence must be a whole number, got string"},
		{`{"action":"auth","lastSequence":1.5}`, "lastSequence must be a whole number, got number"},
		{`{"action":"auth","lastSequence":-1}`, "lastSequence must be a whole number from 0 to 9007199254740991"},
		{`{"action":"auth","lastSequence":9007199254740992}`, "lastSequence must be a whole number from 0 to 9007199254740991"},
		{`{"action":"auth","accept":"batch"}`, "accept must be an array, got string"},
		{`{"action":"auth","client":"web"}`, "client must be an object, got string"},
		{`{"action":"auth","client":{"name":7}}`, "client.name must be a string, got number"},
		{`{"action":"auth","lastSequence":` + strings.Repeat("9", 30_000) + `}`, "lastSequence must be a whole number, got number"},
		{`{"action":"auth","lastEventId":"` + strings.Repeat("e", 257) + `"}`, "lastEventId is longer than 256 bytes"},
		{`{"action":"auth","ref":"` + strings.Repeat("r", 257) + `"}`, "ref is longer than 256 bytes"},
		{`{"action":"auth",`, "the message is not a JSON object"},
		{`["auth"]`, "the message is not a JSON object"},
		{``, "the message is not a JSON object"},
	} {
		_, failure := socket.Read[event.AuthMessage](tt.body)
		switch {
		case failure == nil && tt.want != "":
			t.Errorf("%s: no failure, want %q", tt.body, tt.want)
		case failure != nil && (failure.Error != tt.want || failure.Code != event.CodeValidationError):
			t.Errorf("%s: %s %q, want %q", tt.body, failure.Code, failure.Error, tt.want)
		}
	}
}

func TestAnAnswerToAMessageThatCanNotBeReadStillHasItsRef(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"action":"ping","ref":"7","lastSequence":"5"}`:                               "7",
		`{"action":"ping","lastSequence":-1,"ref":"7"}`:                                "7",
		`{"action":"ping","lastSequence":-1,"ref":"` + strings.Repeat("r", 257) + `"}`: "",
	} {
		message, failure := socket.Read[event.PingMessage](body)
		if failure == nil || message.Ref != want {
			t.Errorf("%.60s: ref %q, failure %v, want %q and a failure", body, message.Ref, failure, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"action":"ping","lastSequence":5,"ref":"r"}`)
	f.Add(`{"lastSequence":1e3}`)
	f.Add("\xff{")
	f.Fuzz(func(t *testing.T, body string) {
		message, failure := socket.Read[event.PingMessage](body)
		if failure != nil {
			if failure.Code != event.CodeValidationError || failure.Error == "" {
				t.Errorf("failure = %+v", failure)
			}
			return
		}
		if message.LastSequence != nil && (*message.LastSequence < 0 || *message.LastSequence > event.MaxSequence) {
			t.Errorf("position %d is no safe integer", *message.LastSequence)
		}
	})
}

// A gateway notes what is done and fails as told.
type gateway struct {
	post, delete error
	did          []string
}

func (g *gateway) Post(_ context.Context, id string, frame push.Frame) error {
	var message struct{ Type string }
	_ = json.Unmarshal(frame.Data(), &message)
	g.did = append(g.did, "post "+message.Type+" to "+id)
	return g.post
}

func (g *gateway) Delete(_ context.Context, id string) error {
	g.did = append(g.did, "close "+id)
	return g.delete
}

func TestASocketThatHangsIsClosedAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g := &hanging{}
		began := time.Now()
		err := socket.Close(ctx, g, "a=", event.TypeConnectionError, time.Now(), socket.NoRecord())
		if err != nil || !g.closed || time.Since(began) != 500*time.Millisecond {
			t.Errorf("Close = %v after %v, closed %v", err, time.Since(began), g.closed)
		}
	})
}

type hanging struct{ closed bool }

func (*hanging) Post(ctx context.Context, _ string, _ push.Frame) error {
	<-ctx.Done()
	return ctx.Err()
}

func (g *hanging) Delete(ctx context.Context, _ string) error {
	g.closed = ctx.Err() == nil
	return ctx.Err()
}

func TestCloseTellsThenCloses(t *testing.T) {
	t.Parallel()
	gone, broken := fmt.Errorf("410: %w", push.ErrGone), errors.New("500")
	both := []string{"post connection_error to a=", "close a="}
	for _, tt := range []struct {
		name    string
		gateway gateway
		want    []string
		fails   bool
	}{
		{name: "well", want: both},
		{name: "gone already", gateway: gateway{post: gone}, want: both[:1]},
		{name: "gone between", gateway: gateway{delete: gone}, want: both},
		{name: "not told, but closed", gateway: gateway{post: broken}, want: both},
		{name: "not closed", gateway: gateway{delete: broken}, want: both, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := tt.gateway
			err := socket.Close(t.Context(), &g, "a=", event.TypeConnectionError, time.Now(), socket.NoRecord())
			if diff := cmp.Diff(tt.want, g.did); diff != "" || (err != nil) != tt.fails {
				t.Errorf("Close = %v; calls (-want +got):\n%s", err, diff)
			}
		})
	}
}
