package lambda

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

const ping = "/2015-03-31/functions/ping/invocations"

func TestInvokeNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	tests := []struct {
		name, path string
		status     int
	}{
		{"physical name", ping, 200},
		{"logical id", "/2015-03-31/functions/PingFunction/invocations", 200},
		{"name with qualifier", "/2015-03-31/functions/ping:$LATEST/invocations", 200},
		{"qualifier in the query", ping + "?Qualifier=$LATEST", 200},
		{"partial ARN", "/2015-03-31/functions/123456789012:function:ping/invocations", 200},
		{"ARN", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:ping/invocations", 200},
		{"ARN, escaped, with qualifier", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aping%3A%24LATEST/invocations", 200},
		{"final slash", ping + "/", 200},
		{"unknown function", "/2015-03-31/functions/pong/invocations", 404},
		{"version", ping + "?Qualifier=7", 404},
		{"alias in the name", "/2015-03-31/functions/ping:live/invocations", 404},
		{"two qualifiers", "/2015-03-31/functions/ping:live/invocations?Qualifier=$LATEST", 400},
		{"no name", "/2015-03-31/functions//invocations", 400},
		{"bad name", "/2015-03-31/functions/p%20ng/invocations", 400},
		{"slash in the name", "/2015-03-31/functions/a/b/invocations", 400},
		{"another operation", "/2015-03-31/functions/ping/configuration", 404},
		{"another path", "/", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := s.post(tt.path, `{}`)
			if resp.StatusCode != tt.status {
				t.Errorf("status = %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
		})
	}
}

func TestInvokeAnswer(t *testing.T) {
	t.Parallel()
	s := start(t)
	resp, body := s.post(ping, `{"text":"hi"}`)
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("body %s: %v", body, err)
	}
	for name, want := range map[string]string{
		"Content-Type":           "application/json",
		"X-Amz-Executed-Version": "$LATEST",
		"X-Amzn-Requestid":       a.RequestID,
		"X-Amzn-Trace-Id":        a.Trace,
		"X-Amz-Function-Error":   "",
		"X-Amz-Log-Result":       "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	resp, _ = s.post(ping, `{"do":"error"}`)
	if got := resp.Header.Get("X-Amz-Function-Error"); resp.StatusCode != 200 || got != "Unhandled" {
		t.Errorf("failed function: status %d, X-Amz-Function-Error %q, want 200 and Unhandled", resp.StatusCode, got)
	}
}

func TestInvokePassesOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	who := base64.StdEncoding.EncodeToString([]byte(`{"custom":{"who":"me"}}`))
	_, body := s.post(ping, ``, "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793", "X-Amz-Client-Context", who)
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil { // also: a call without a payload is one with {}
		t.Fatalf("body %s: %v", body, err)
	}
	if a.Trace != "Root=1-5759e988-bd862e3fe1be46a994272793" || a.Client != "me" {
		t.Errorf("function saw trace %q and client %q", a.Trace, a.Client)
	}
}

func TestInvokeErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	context := func(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }
	tests := []struct {
		name   string
		body   string
		header []string
		status int
		code   string
		want   string // the body
	}{
		{
			name: "payload that is not JSON", body: `{"a`,
			status: 400, code: "InvalidRequestContentException",
			want: `{"Type":"User","message":"Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input"}`,
		},
		{
			name: "asynchronous payload that is not JSON", body: `nope`, header: []string{"X-Amz-Invocation-Type", "Event"},
			status: 400, code: "InvalidRequestContentException",
			want: `{"Type":"User","message":"Could not parse request body into json: Could not parse payload into json: invalid character 'o' in literal null (expecting 'u')"}`,
		},
		{
			name: "over 6 MB", body: `"` + strings.Repeat("x", 6291455) + `"`,
			status: 413, code: "RequestTooLargeException",
			want: `{"Type":"User","message":"6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"}`,
		},
		{
			name: "asynchronous over 1 MB", body: `"` + strings.Repeat("x", 1048575) + `"`, header: []string{"X-Amz-Invocation-Type", "Event"},
			status: 413, code: "RequestTooLargeException",
			want: `{"Type":"User","message":"1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"}`,
		},
		{
			name: "unknown invocation type", body: `{}`, header: []string{"X-Amz-Invocation-Type", "Later"},
			status: 400, code: "ValidationException",
			want: `{"Type":"User","message":"1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"}`,
		},
		{
			name: "client context that is not JSON", body: `{}`, header: []string{"X-Amz-Client-Context", context("{")},
			status: 400, code: "InvalidRequestContentException",
			want: `{"Type":"User","message":"Client context must be a valid Base64-encoded JSON object."}`,
		},
		{
			name: "client context that would split a header", body: `{}`, header: []string{"X-Amz-Client-Context", context("{\r\n\"a\":1}")},
			status: 400, code: "InvalidRequestContentException",
			want: `{"Type":"User","message":"Client context must be a valid Base64-encoded JSON object."}`,
		},
		{
			name: "client context over 3,583 bytes", body: `{}`, header: []string{"X-Amz-Client-Context", context(`{"custom":{"a":"` + strings.Repeat("x", 3000) + `"}}`)},
			status: 400, code: "InvalidRequestContentException",
			want: `{"Type":"User","message":"Client context must be a valid Base64-encoded JSON object."}`,
		},
		{
			name: "nobody takes asynchronous invocations", body: `{}`, header: []string{"X-Amz-Invocation-Type", "Event"},
			status: 500, code: "ServiceException",
			want: `{"Message":"Nothing here takes asynchronous invocations.","Type":"Service"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := s.post(ping, tt.body, tt.header...)
			if resp.StatusCode != tt.status || resp.Header.Get("X-Amzn-Errortype") != tt.code || body != tt.want {
				t.Errorf("got %d %s %s\nwant %d %s %s", resp.StatusCode, resp.Header.Get("X-Amzn-Errortype"), body, tt.status, tt.code, tt.want)
			}
		})
	}
}

func TestPayloadOfUnknownLengthIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	for size, want := range map[int]int{100: 200, maxSyncPayload: 200, maxSyncPayload + 1: 413} {
		body := struct{ *strings.Reader }{strings.NewReader(`{"text":"` + strings.Repeat("x", size-11) + `"}`)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+ping, body) // no length: it is no plain Reader
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d", size, resp.StatusCode, want)
		}
	}
}

func TestUnknownFunctionIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t)
	resp, body := s.post("/2015-03-31/functions/pong:live/invocations", `{}`)
	want := `{"Message":"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:pong:live","Type":"User"}`
	if resp.Header.Get("X-Amzn-Errortype") != "ResourceNotFoundException" || body != want {
		t.Errorf("got %s %s, want %s", resp.Header.Get("X-Amzn-Errortype"), body, want)
	}
}

func TestOnlyPost(t *testing.T) {
	t.Parallel()
	rt := New(Config{})
	defer rt.Close()
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, httptest.NewRequest(http.MethodGet, ping, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("status = %d, want 405", w.Code)
	}
}

func TestEventIsHandedOver(t *testing.T) {
	t.Parallel()
	type event struct{ function, payload string }
	taken := make(chan event, 1)
	s := start(t, func(cfg *Config) {
		cfg.Async = func(function string, payload []byte) { taken <- event{function, string(payload)} }
	})
	resp, body := s.post("/2015-03-31/functions/PingFunction/invocations", `{"a":1}`, "X-Amz-Invocation-Type", "Event")
	if resp.StatusCode != http.StatusAccepted || body != "" || resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("got %d %q, want 202 without a body", resp.StatusCode, body)
	}
	if got, want := <-taken, (event{"ping", `{"a":1}`}); got != want {
		t.Errorf("Async got %+v, want %+v", got, want)
	}
	if s.log.has("cold start") {
		t.Error("the function ran")
	}
}

func TestDryRunRunsNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	resp, body := s.post(ping, `{}`, "X-Amz-Invocation-Type", "DryRun")
	if resp.StatusCode != http.StatusNoContent || body != "" {
		t.Errorf("got %d %q, want 204", resp.StatusCode, body)
	}
	if resp, _ := s.post("/2015-03-31/functions/pong/invocations", `{}`, "X-Amz-Invocation-Type", "DryRun"); resp.StatusCode != 404 {
		t.Errorf("unknown function: status %d, want 404", resp.StatusCode)
	}
	if s.log.has("cold start") {
		t.Error("the function ran")
	}
}

func TestLogTail(t *testing.T) {
	t.Parallel()
	s := start(t)
	tests := []struct{ name, event, want string }{
		{"what the function wrote", `{"do":"log","text":"one","n":2}`, "one\none\n"},
		{"the last 4 KB", `{"do":"log","text":"0123456789abcde","n":1000}`, strings.Repeat("0123456789abcde\n", 256)},
		{"nothing", `{}`, ""},
	}
	for _, tt := range tests { // one after the other: each must see its own lines alone
		resp, _ := s.post(ping, tt.event, "X-Amz-Log-Type", "Tail")
		got, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Amz-Log-Result"))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: tail = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
	resp, _ := s.post(ping, `{"do":"panic aside"}`, "X-Amz-Log-Type", "Tail")
	got, _ := base64.StdEncoding.DecodeString(resp.Header.Get("X-Amz-Log-Result"))
	if !strings.HasPrefix(string(got), "panic: ouch aside\n\ngoroutine ") {
		t.Errorf("tail of a panic = %q", got)
	}
}

// Whatever the path and query, decoding ends in a call for a plain name or in an error of AWS's form.
func FuzzDecodeCall(f *testing.F) {
	for _, seed := range []string{
		"/2015-03-31/functions/ping/invocations",
		"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aping%3A%24LATEST/invocations?Qualifier=%24LATEST",
		"/2015-03-31/functions/%/invocations",
		"/2015-03-31/functions/a:b:c/invocations/",
		"/2015-03-31/functions//invocations?Qualifier=1",
	} {
		f.Add(seed, "Event", "Tail", "e30=")
	}
	rt := New(Config{Region: "eu-west-1"})
	f.Cleanup(func() { _ = rt.Close() })
	f.Fuzz(func(t *testing.T, target, kind, logType, clientContext string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		u, err := r.URL.Parse(target)
		if err != nil {
			return
		}
		r.URL = u
		r.Header = http.Header{"X-Amz-Invocation-Type": {kind}, "X-Amz-Log-Type": {logType}, "X-Amz-Client-Context": {clientContext}}
		c, err := rt.decodeCall(r)
		if err != nil {
			w := httptest.NewRecorder()
			writeError(w, err)
			if w.Code < 400 || w.Header().Get("X-Amzn-Errortype") == "" || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%q: %d %s", target, w.Code, w.Body)
			}
			return
		}
		if c.function == "" || strings.ContainsAny(c.function, ":/% ") {
			t.Errorf("%q is function %q", target, c.function)
		}
		if c.clientContext != "" && (!json.Valid([]byte(c.clientContext)) || strings.ContainsAny(c.clientContext, "\r\n")) {
			t.Errorf("client context %q", c.clientContext)
		}
	})
}

// BenchmarkInvoke is one warm invocation of a 600-byte event through the whole path: Client, Invoke API, Runtime API,
// process and back.
func BenchmarkInvoke(b *testing.B) {
	dir := b.TempDir()
	install(b, dir, "PingFunction")
	rt := New(Config{Functions: []template.Function{{ID: "PingFunction", Name: "ping", Timeout: time.Minute}}, Dir: dir})
	server := httptest.NewServer(rt)
	b.Cleanup(func() {
		_ = rt.Close()
		server.Close()
	})
	if err := rt.Warm(b.Context()); err != nil {
		b.Fatal(err)
	}
	client := NewClient(server.URL, nil)
	event := []byte(`{"text":"` + strings.Repeat("x", 600) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Invoke(b.Context(), "ping", event); err != nil {
			b.Fatal(err)
		}
	}
}
