package handler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/shared/socket"
)

func TestConnectionsOfAUser(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, f *fixture, n int) {
		for i := range n {
			other := fmt.Sprintf("%02d=", i)
			time.Sleep(time.Second)
			f.connect(t, other)
			if got := f.send(t, other, `{"action":"auth","token":"acme/ana"}`); got.Type != "auth.success" {
				t.Fatalf("connection %d: %+v", i, got)
			}
		}
	}
	closed := func(f *fixture) []string {
		list := []string{}
		for _, call := range f.gateway.Calls() {
			if other, ok := strings.CutPrefix(call, "close "); ok {
				list = append(list, other)
			}
		}
		slices.Sort(list)
		return list
	}

	bubble(t, "twenty are let be", func(t *testing.T, f *fixture) {
		open(t, f, 20)
		equal(t, "closed", []string{}, closed(f))
	})

	bubble(t, "the ones beyond are closed, oldest first, and told why", func(t *testing.T, f *fixture) {
		open(t, f, 22)
		equal(t, "closed", []string{"00=", "01="}, closed(f))
		told := f.gateway.Messages("00=")[0]
		equal(t, "told", "connection_error FORBIDDEN replaced", told.Type+" "+told.Data.Code+" "+told.Data.Reason)
		members, err := f.connections.OfUser(t.Context(), "acme", "ana")
		if err != nil || len(members) != 20 {
			t.Errorf("%d members, %v, want 20", len(members), err)
		}
	})

	bubble(t, "never the one that comes, however old it is", func(t *testing.T, f *fixture) {
		open(t, f, 20)
		var req socket.Request // connected before all others
		req.RequestContext.ConnectionID, req.Body, req.RequestContext.ConnectedAt = id, `{"action":"auth","token":"acme/ana"}`, time.Now().Add(-time.Minute).UnixMilli()
		if _, err := f.handler.Handle(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		equal(t, "closed", []string{"00="}, closed(f))
	})

	bubble(t, "the one that is replaced is closed first and not counted", func(t *testing.T, f *fixture) {
		open(t, f, 20)
		f.auth(t, `"token":"acme/ana","replaces":"07="`)
		equal(t, "closed", []string{"07="}, closed(f))
	})

	bubble(t, "a connection of somebody else can't be replaced", func(t *testing.T, f *fixture) {
		f.connect(t, "bob=")
		f.send(t, "bob=", `{"action":"auth","token":"acme/bob"}`)
		f.connect(t, "rival=")
		f.send(t, "rival=", `{"action":"auth","token":"rival/ana"}`)
		for _, other := range []string{"bob=", "rival=", "none=", id} {
			equal(t, "answer", "auth.success", f.auth(t, `"token":"acme/ana","replaces":"`+other+`"`).Type)
		}
		equal(t, "closed", []string{}, closed(f))
	})

	bubble(t, "users who can't be counted are authenticated all the same", func(t *testing.T, f *fixture) {
		f.connections.Before = func(_ context.Context, step string) error {
			if step == "members of user" {
				return errors.New("table is away")
			}
			return nil
		}
		equal(t, "answer", "auth.success", f.auth(t, `"token":"acme/ana"`).Type)
	})
}
