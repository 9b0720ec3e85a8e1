package gateway_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

// What differs from run to run is checked for its form and replaced, everything else is in the golden files.
var variable = []struct {
	form        *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`"connectionId":"[A-Za-z0-9_-]{15}="`), `"connectionId":"CONNECTION"`},
	{regexp.MustCompile(`"messageId":"[A-Za-z0-9_-]{15}="`), `"messageId":"MESSAGE"`},
	{regexp.MustCompile(`"(extendedRequestId|requestId)":"[A-Za-z0-9_-]{15}="`), `"$1":"REQUEST"`},
	{regexp.MustCompile(`"requestTime":"\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000"`), `"requestTime":"CLF"`},
	{regexp.MustCompile(`"(connectedAt|requestTimeEpoch)":\d{13}\b`), `"$1":"MILLISECONDS"`},
	{regexp.MustCompile(`"apiId":"[a-z0-9]{10}"`), `"apiId":"API"`},
	{regexp.MustCompile(`"Root=1-[0-9a-f]{8}-[0-9a-f]{24}"`), `"TRACE"`},
}

func TestEvents(t *testing.T) { // §2
	t.Parallel()
	const agent = "User-Agent: Mozilla/5.0\r\n"
	const all = "Origin: https://app.example\r\nCookie: a=1; b=2\r\nAccept-Language: de\r\nAccept-Language: en\r\n" +
		"X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: http\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n"
	tests := []struct {
		golden   string
		path     string // in place of /dev
		headers  string
		function string
	}{
		{"connect.json", "/dev?token=a%2Bb&room=1&room=%C3%BC&flag", agent + all, "connect"},
		{"connect-bare.json", "/dev", "", "connect"},
		{"message.json", "/dev?token=x", agent + all, "say"},
		{"message-bare.json", "/dev", "", "say"},
		{"disconnect.json", "/dev?token=x", agent + all, "disconnect"},
		{"disconnect-bare.json", "/dev", "", "disconnect"},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil, nil)
			client := s.tcp()
			client.send([]byte("GET " + tt.path + upgrade[len("GET /dev"):] + tt.headers + "\r\n"))
			if response := client.response(); response.StatusCode != 101 {
				t.Fatal(response.Status)
			}
			client.send(frame(0x81, `{"action":"say","text":"hallo"}`))
			s.of(t, "say", 1)
			client.send(frame(0x88, ""))
			s.of(t, "disconnect", 1)
			got := s.of(t, tt.function, 1)[0].raw

			var known events.APIGatewayWebsocketProxyRequest
			if err := json.Unmarshal(got, &known); err != nil {
				t.Errorf("aws-lambda-go can't read the event: %v", err)
			}
			if known.RequestContext.RequestID != known.RequestContext.ExtendedRequestID {
				t.Error("requestId and extendedRequestId differ")
			}
			for _, v := range variable {
				got = v.form.ReplaceAll(got, []byte(v.replacement))
			}
			golden, err := os.ReadFile(filepath.Join("testdata", tt.golden))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decode(t, golden), decode(t, got)); diff != "" {
				t.Errorf("event differs (-want +got):\n%s\n%s", diff, got)
			}
		})
	}
}

func decode(t *testing.T, data []byte) (value map[string]any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return value
}
