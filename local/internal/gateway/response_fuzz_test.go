package gateway

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzParseResponse: whatever a function answers, what is taken has an HTTP status and a header that can't break the handshake.
func FuzzParseResponse(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"body":"x","headers":{"Sec-WebSocket-Protocol":"a"}}`))
	f.Add([]byte(`{"statusCode":2e2}`))
	f.Add([]byte(`{"statusCode":"200","multiValueHeaders":{"sec-websocket-protocol":["a\r\nb"]}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := parseResponse(payload)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "malformed Lambda proxy response") {
				t.Errorf("refused: %v", err)
			}
			return
		}
		if answer.status < 200 || answer.status > 599 || strings.ContainsFunc(answer.subprotocol, unicode.IsControl) {
			t.Errorf("taken: %+v", answer)
		}
	})
}
