package handler_test

import (
	"encoding/json"
	"testing"

	"github.com/purposepath/realtime/shared/socket"
)

// FuzzHandle: whatever a member sends to ping ends in an answer of bounded size, and at most one page is posted for it.
func FuzzHandle(f *testing.F) {
	f.Add(`{"action":"ping","lastSequence":5,"ref":"r"}`)
	f.Add(`{"action":"ping","lastSequence":9007199254740991}`)
	f.Add(`{"lastSequence":-1,"ref":7}`)
	f.Add("\xff{")
	f.Fuzz(func(t *testing.T, body string) {
		fixture := newFixture(t, false)
		var req socket.Request
		req.RequestContext.ConnectionID, req.Body = id, body
		response, err := fixture.handler.Handle(t.Context(), req)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("Handle = %+v, %v", response, err)
		}
		if len(response.Body) > 2048 || !json.Valid([]byte(response.Body)) {
			t.Errorf("answer of %d bytes: %.200s", len(response.Body), response.Body)
		}
		if posts := len(fixture.gateway.Frames(id)); posts > 2 {
			t.Errorf("%d posts, a page has 2", posts)
		}
	})
}
