package socket_test

import (
	"strings"
	"testing"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/socket"
)

// FuzzReadAuth: an auth message is read within its bounds or refused with a text that holds nothing of its token.
func FuzzReadAuth(f *testing.F) {
	f.Add(`{"action":"auth","token":"t0ken","lastSequence":5,"lastEventId":"e","accept":["batch"],"protocol":1,"client":{"name":"n","version":"v"},"replaces":"c","ref":"r"}`)
	f.Add(`{"token":["t0ken"],"ref":"r"}`)
	f.Add(`{"token":"t0ken","lastSequence":9007199254740992}`)
	f.Add(`{"token":"t0ken","protocol":"1","ref":7}`)
	f.Add("\xff{")
	f.Fuzz(func(t *testing.T, body string) {
		message, failure := socket.Read[event.AuthMessage](body)
		if len(message.Ref) > 256 {
			t.Errorf("ref of %d bytes", len(message.Ref))
		}
		if failure != nil {
			if failure.Code != event.CodeValidationError || failure.Error == "" || len(failure.Error) > 128 {
				t.Errorf("failure = %+v", failure)
			}
			if len(message.Token) > 16 && strings.Contains(failure.Error, message.Token) {
				t.Errorf("the answer holds the token: %s", failure.Error)
			}
			return
		}
		if len(message.LastEventID) > 256 || message.LastSequence != nil && (*message.LastSequence < 0 || *message.LastSequence > event.MaxSequence) {
			t.Errorf("taken: %+v", message)
		}
	})
}
