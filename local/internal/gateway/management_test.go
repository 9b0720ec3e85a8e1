package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"

	"github.com/purposepath/realtime/local/internal/gateway"
)

const unknownID = "R1kmxc2VNjMCFIA="

func TestManagementAnswers(t *testing.T) {
	t.Parallel()
	signed := http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=local"}}
	tests := []struct {
		name   string
		method string
		path   string // "ID" stands for an open connection
		header http.Header
		body   string
		status int
		kind   string
		answer string
	}{
		{name: "7.1 POST", method: "POST", path: "/dev/@connections/ID", body: "hi", status: 200},
		{name: "7.1 POST without stage", method: "POST", path: "/@connections/ID", body: "hi", status: 200},
		{name: "7.1 POST with @ escaped", method: "POST", path: "/dev/%40connections/ID", body: "hi", status: 200},
		{name: "7.1 POST of nothing", method: "POST", path: "/dev/@connections/ID", status: 200},
		{name: "7.2 DELETE", method: "DELETE", path: "/dev/@connections/ID", status: 204},
		{name: "7.3 GET without stage", method: "GET", path: "/@connections/ID", status: 200},
		{name: "7.4 POST to an unknown connection", method: "POST", path: "/dev/@connections/" + unknownID, body: "hi", status: 410, kind: "GoneException"},
		{name: "7.4 GET of an unknown connection", method: "GET", path: "/dev/@connections/" + unknownID, status: 410, kind: "GoneException"},
		{name: "7.4 DELETE of an unknown connection", method: "DELETE", path: "/dev/@connections/" + unknownID, status: 410, kind: "GoneException"},
		{name: "7.5 id with more behind", method: "POST", path: "/dev/@connections/WDGT8fY4joECJrQ=test", status: 400, kind: "BadRequestException", answer: `{"message":"Invalid connectionId: WDGT8fY4joECJrQ=test"}`},
		{name: "7.5 id of another emulator", method: "GET", path: "/dev/@connections/cjy8i76bx002884le6n17d49b", status: 400, kind: "BadRequestException", answer: `{"message":"Invalid connectionId: cjy8i76bx002884le6n17d49b"}`},
		{name: "7.5 id with an escaped slash", method: "DELETE", path: "/dev/@connections/a%2Fb%22", status: 400, kind: "BadRequestException", answer: `{"message":"Invalid connectionId: a/b\""}`},
		{name: "7.6 unsigned", method: "POST", path: "/dev/@connections/ID", header: http.Header{}, body: "hi", status: 403, kind: "MissingAuthenticationTokenException", answer: `{"message":"Missing Authentication Token"}`},
		{name: "7.6 signed in the query", method: "POST", path: "/dev/@connections/ID?X-Amz-Signature=abc", header: http.Header{}, body: "hi", status: 200},
		{name: "7.6 wrong stage", method: "POST", path: "/prod/@connections/ID", body: "hi", status: 403, kind: "ForbiddenException", answer: `{"message":"Forbidden"}`},
		{name: "7.6 no id", method: "POST", path: "/dev/@connections/", body: "hi", status: 403, kind: "ForbiddenException", answer: `{"message":"Forbidden"}`},
		{name: "7.6 more than an id", method: "GET", path: "/dev/@connections/ID/x", status: 403, kind: "ForbiddenException", answer: `{"message":"Forbidden"}`},
		{name: "7.7 body of 131072 bytes", method: "POST", path: "/dev/@connections/ID", body: strings.Repeat("x", 131072), status: 200},
		{name: "7.7 body of 131073 bytes", method: "POST", path: "/dev/@connections/ID", body: strings.Repeat("x", 131073), status: 413, kind: "PayloadTooLargeException", answer: `{"message":"Payload too large"}`},
		{name: "7.9 PUT", method: "PUT", path: "/dev/@connections/ID", status: 403, kind: "MissingAuthenticationTokenException", answer: `{"message":"Missing Authentication Token"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil, nil)
			client, id := s.dial()
			go func() { _, _, _ = client.Read(s.timeout()) }() // answers the close frame of DELETE
			header := tt.header
			if header == nil {
				header = signed
			}
			got := s.request(tt.method, strings.Replace(tt.path, "ID", strings.ReplaceAll(id, "=", "%3D"), 1), tt.body, header.Clone())
			if got.status != tt.status || got.header.Get("x-amzn-ErrorType") != tt.kind {
				t.Fatalf("answer = %d %s, want %d %s", got.status, got.header.Get("x-amzn-ErrorType"), tt.status, tt.kind)
			}
			if tt.method != "GET" && got.body != tt.answer {
				t.Errorf("body = %s, want %s", got.body, tt.answer)
			}
			for name, form := range map[string]string{
				"x-amzn-RequestId": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
				"x-amz-apigw-id":   `^[A-Za-z0-9_-]{15}=$`,
				"x-amzn-trace-id":  `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
			} {
				if value := got.header.Get(name); !regexp.MustCompile(form).MatchString(value) {
					t.Errorf("%s = %q", name, value)
				}
			}
			wantType := "application/json"
			if tt.status == 204 {
				wantType = ""
			}
			if kind := got.header.Get("Content-Type"); kind != wantType {
				t.Errorf("Content-Type = %q, want %q", kind, wantType)
			}
			if length := got.header.Get("Content-Length"); tt.status == 410 && length != "0" || tt.name == "7.1 POST" && length != "0" {
				t.Errorf("Content-Length = %q, want 0", length)
			}
		})
	}
}

func TestChunkedPost(t *testing.T) { // 7.7: without a Content-Length the limit holds as well
	t.Parallel()
	s := start(t, nil, nil)
	client, id := s.dial()
	for size, want := range map[int]int{131072: 200, 131073: 413} {
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", size))) // of unknown length to net/http
		r, err := http.NewRequestWithContext(s.timeout(), http.MethodPost, s.url+"/@connections/"+id, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256")
		if got := s.do(r); got.status != want {
			t.Errorf("%d bytes = %d, want %d", size, got.status, want)
		}
	}
	if got := s.read(client); len(got) != 131072 {
		t.Errorf("read %d bytes", len(got))
	}
}

func TestGetConnection(t *testing.T) { // 7.3, 5.8, 5.9
	t.Parallel()
	s := start(t, map[string]handler{"echo": echo}, nil)
	client := s.tcp()
	client.send([]byte(upgrade + "User-Agent: a\"b\r\n\r\n"))
	client.response()
	id := s.of(t, "connect", 1)[0].Context.ConnectionID
	layout := regexp.MustCompile(`^\{\n  "identity" : \{\n    "sourceIp" : "127\.0\.0\.1",\n    "userAgent" : "a\\"b"\n  \},\n` +
		`  "connectedAt" : "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",\n  "lastActiveAt" : "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\n\}$`)
	if got := s.call("GET", "/dev/@connections/"+id, ""); !layout.MatchString(got.body) {
		t.Errorf("body = %s", got.body)
	}
	info := func() gateway.Info { return s.gateway.Connections()[0] }
	connected := info()
	if !connected.LastActive.Equal(connected.ConnectedAt) {
		t.Errorf("active %v before any message", connected.LastActive.Sub(connected.ConnectedAt))
	}
	client.send(frame(0x89, "ping"))
	if first, payload := client.readFrame(); first != 0x8a || payload != "ping" {
		t.Fatalf("5.9 answer to a ping = %#x %q", first, payload)
	}
	if got := info().LastActive; !got.Equal(connected.LastActive) {
		t.Error("5.9 a ping counted as activity")
	}
	client.send(frame(0x81, `{"action":"say"}`))
	s.of(t, "say", 1)
	heard := info()
	if !heard.LastActive.After(connected.LastActive) || heard.Received != 1 {
		t.Errorf("5.8 after a message: %+v", heard)
	}
	s.post(id, "x")
	if told := info(); !told.LastActive.After(heard.LastActive) || told.Sent != 1 {
		t.Errorf("5.8 after a post: %+v", told)
	}
	bare := s.raw()
	id = s.of(t, "connect", 2)[1].Context.ConnectionID
	if got := s.call("GET", "/dev/@connections/"+id, ""); strings.Contains(got.body, "userAgent") {
		t.Errorf("body = %s, want no userAgent when the client sent none", got.body)
	}
	_ = bare.Close()
}

func TestPostsKeepTheirOrder(t *testing.T) { // 7.11, 7.12
	t.Parallel()
	s := start(t, nil, nil)
	client, id := s.dial()
	for i := range 100 {
		if got := s.post(id, strconv.Itoa(i)); got.status != 200 {
			t.Fatal(got)
		}
	}
	for i := range 100 {
		if got := s.read(client); got != strconv.Itoa(i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
}

func TestLongPostIsSplit(t *testing.T) { // 5.6
	t.Parallel()
	s := start(t, nil, nil)
	client := s.raw()
	id := s.of(t, "connect", 1)[0].Context.ConnectionID
	message := strings.Repeat("é", 32768) + "!" // 65,537 bytes, cut inside a character
	if got := s.post(id, message); got.status != 200 {
		t.Fatal(got)
	}
	var got strings.Builder
	for i, want := range []struct {
		first  byte
		length int
	}{{0x01, 32768}, {0x00, 32768}, {0x80, 1}} {
		first, payload := client.readFrame()
		if first != want.first || len(payload) != want.length {
			t.Errorf("frame %d = %#x of %d bytes, want %#x of %d", i, first, len(payload), want.first, want.length)
		}
		got.WriteString(payload)
	}
	if got.String() != message {
		t.Error("the message changed on its way")
	}
}

// TestSlowConsumer holds a client that does not read to its buffer, and gives it everything once it reads again.
func TestSlowConsumer(t *testing.T) { // 6.8, 7.8, 7.10
	t.Parallel()
	s := start(t, nil, func(cfg *gateway.Config) { cfg.OutboundBufferBytes = 256 << 10 })
	slow := s.raw()
	id := s.of(t, "connect", 1)[0].Context.ConnectionID
	accepted := 0
	var refused answer
	for refused.status == 0 {
		message := fmt.Sprintf("%06d", accepted) + strings.Repeat("x", 100<<10)
		switch got := s.post(id, message); got.status {
		case 200:
			accepted++
		default:
			refused = got
		}
	}
	if refused.status != 429 || refused.header.Get("x-amzn-ErrorType") != "LimitExceededException" || accepted < 2 {
		t.Fatalf("after %d posts: %+v", accepted, refused)
	}
	other, otherID := s.dial()
	if got := s.post(otherID, "you"); got.status != 200 || s.read(other) != "you" {
		t.Error("another connection suffers")
	}
	if got := s.post(id, strings.Repeat("x", 100<<10)); got.status != 429 {
		t.Errorf("post = %d, want 429 still", got.status)
	}
	for i := range accepted {
		message := ""
		for first := byte(0); first&0x80 == 0; {
			var payload string
			first, payload = slow.readFrame()
			message += payload
		}
		if len(message) != 6+100<<10 || message[:6] != fmt.Sprintf("%06d", i) {
			t.Fatalf("message %d begins %q", i, message[:6])
		}
	}
	if got := s.post(id, "again"); got.status != 200 {
		t.Fatalf("post after reading = %d", got.status)
	}
	if _, got := slow.readFrame(); got != "again" {
		t.Errorf("read %q", got)
	}
}

// TestSDK lets AWS's own client judge the answers.
func TestSDK(t *testing.T) {
	t.Parallel()
	s := start(t, nil, nil)
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: aws.String(s.url + "/dev"), Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
	client, id := s.dial()
	ctx := s.timeout()
	post := func(id, message string) error {
		_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(message)})
		return err
	}
	if err := post(id, "hello"); err != nil {
		t.Fatal(err)
	}
	if got := s.read(client); got != "hello" {
		t.Errorf("read %q", got)
	}
	info, err := api.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	if err != nil || *info.Identity.SourceIp != "127.0.0.1" || info.LastActiveAt.Before(*info.ConnectedAt) {
		t.Errorf("GetConnection = %+v, %v", info, err)
	}
	var large *types.PayloadTooLargeException
	if err := post(id, string(bytes.Repeat([]byte("x"), 200_000))); !errors.As(err, &large) || *large.Message == "" {
		t.Errorf("over the limit: %v", err)
	}
	var bad smithy.APIError
	if err := post("bot_X", "x"); !errors.As(err, &bad) || bad.ErrorCode() != "BadRequestException" || bad.ErrorMessage() != "Invalid connectionId: bot_X" {
		t.Errorf("malformed id: %v", err)
	}
	if _, err := api.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id}); err != nil {
		t.Error(err)
	}
	if got := s.closed(client); got.Code != websocket.StatusNormalClosure || got.Reason != "Connection Closed Normally" {
		t.Errorf("6.4 close frame = %v", got)
	}
	var gone *types.GoneException
	if err := post(id, "x"); !errors.As(err, &gone) {
		t.Errorf("after DeleteConnection: %v", err)
	}
}
