package push_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/push"
)

func management(t *testing.T, handler http.HandlerFunc) *push.Management {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	vars := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "MANAGEMENT_ENDPOINT": server.URL + "/dev",
	}
	env := awsenv.New(func(name string) string { return vars[name] })
	m := push.NewManagement(env, 4)
	if err := env.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPostSendsTheFrameSignedWithItsHash(t *testing.T) {
	t.Parallel()
	m := management(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.EscapedPath() != "/dev/@connections/R1kmxc2VNjMCFIA%3D" || string(body) != `{"type":"pong"}` || r.ContentLength != int64(len(body)) {
			t.Errorf("got %s %s %q, %d bytes", r.Method, r.URL.EscapedPath(), body, r.ContentLength)
		}
		if got, want := r.Header.Get("Authorization"), sign(t, r, body); got != want {
			t.Errorf("Authorization = %s\nwant            %s", got, want)
		}
	})
	if err := m.Post(t.Context(), "R1kmxc2VNjMCFIA=", push.NewFrame([]byte(`{"type":"pong"}`))); err != nil {
		t.Fatal(err)
	}
}

// sign signs a received request anew, with the hash of the body that came, as AWS checks it.
func sign(t *testing.T, r *http.Request, body []byte) string {
	t.Helper()
	_, list, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	again := r.Clone(t.Context())
	again.URL.Host, again.Header = r.Host, http.Header{}
	for name := range strings.SplitSeq(list, ";") {
		if values := r.Header.Values(name); len(values) > 0 && name != "x-amz-date" {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}
	err = v4.NewSigner().SignHTTP(t.Context(), credentials, again, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", at)
	if err != nil {
		t.Error(err)
	}
	return again.Header.Get("Authorization")
}

func TestStatusSaysWhatToDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                       string
		status                     int
		gone, throttled, transient bool
	}{
		{name: "client left", status: http.StatusGone, gone: true},
		{name: "account limit reached", status: http.StatusTooManyRequests, throttled: true, transient: true},
		{name: "service failure", status: http.StatusInternalServerError, transient: true},
		{name: "service overloaded", status: http.StatusServiceUnavailable, transient: true},
		{name: "payload over 128 KB", status: http.StatusRequestEntityTooLarge},
		{name: "policy forbids", status: http.StatusForbidden},
		{name: "malformed id", status: http.StatusBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			m := management(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.WriteHeader(tt.status) // without x-amzn-ErrorType
			})
			for _, err := range []error{m.Post(t.Context(), "a=", push.NewFrame([]byte("x"))), m.Delete(t.Context(), "a=")} {
				if err == nil || errors.Is(err, push.ErrGone) != tt.gone || errors.Is(err, push.ErrThrottled) != tt.throttled || errors.Is(err, backoff.ErrTransient) != tt.transient {
					t.Errorf("error = %v, want gone %v, throttled %v, transient %v", err, tt.gone, tt.throttled, tt.transient)
				}
			}
			if calls.Load() != 2 {
				t.Errorf("%d requests, want one for each call: retries are the pusher's", calls.Load())
			}
		})
	}
}

func TestAServerThatIsNotThereIsTransient(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	vars := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "MANAGEMENT_ENDPOINT": server.URL}
	m := push.NewManagement(awsenv.New(func(name string) string { return vars[name] }), 1)
	if err := m.Post(t.Context(), "a=", push.NewFrame([]byte("x"))); !errors.Is(err, backoff.ErrTransient) {
		t.Errorf("error = %v, want transient", err)
	}
}

func TestConnectionsToTheGatewayAreReused(t *testing.T) {
	t.Parallel()
	var dialed atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	const concurrency = 32
	vars := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "MANAGEMENT_ENDPOINT": server.URL}
	m := push.NewManagement(awsenv.New(func(name string) string { return vars[name] }), concurrency)
	results := push.New(m, concurrency, backoff.RealClock()).Push(t.Context(), everyone(1000))
	for i, c := range results {
		if c != counts(1) {
			t.Fatalf("delivery %d = %v", i, c)
		}
	}
	// A connection that becomes free while another is dialed for its post leaves one too many; without reuse there are hundreds.
	if n := dialed.Load(); n > 2*concurrency {
		t.Errorf("1,000 posts, %d at a time, took %d connections", concurrency, n)
	}
}
