package table

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// before is an Engine in front of any server, for what dynoxide itself never does.
func before(t *testing.T, server string) *Engine {
	t.Helper()
	return startConfig(t, Config{Endpoint: server})
}

func TestAnswerIsTheEnginesOwn(t *testing.T) {
	t.Parallel()
	e := startEngine(t, events)
	address := serve(t, e)
	big := strings.Repeat("x", 300_000)
	for n := range 3 {
		send(t, address, "PutItem", fmt.Sprintf(`{"TableName":"Events","Item":{"tenantId":{"S":"t1"},"entry":{"S":"%d"},"data":{"S":%q}}}`, n, big))
	}
	for name, tt := range map[string]struct {
		operation, body string
		status, least   int
	}{
		"of 900 KB":     {"Query", `{"TableName":"Events","KeyConditionExpression":"tenantId = :t","ExpressionAttributeValues":{":t":{"S":"t1"}}}`, 200, 900_000},
		"a refusal":     {"GetItem", `{"TableName":"Events","Key":{"tenantId":{"S":"t1"}}}`, 400, 1},
		"to no JSON":    {"GetItem", `{`, 400, 1},
		"to no body":    {"GetItem", ``, 400, 1},
		"no such call":  {"Nonsense", `{}`, 400, 1},
		"no such table": {"GetItem", `{"TableName":"Other","Key":{"k":{"S":"t1"}}}`, 400, 1},
	} {
		res, got := send(t, address, tt.operation, tt.body)
		if res.StatusCode != tt.status || len(got) < tt.least || res.Header.Get("X-Amz-Crc32") == "" || res.Header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("%s: status %d, %d bytes, headers %v; want %d, at least %d bytes, checksum and request id",
				name, res.StatusCode, len(got), res.Header, tt.status, tt.least)
		}
		if want := direct(t, e, tt.operation, tt.body); len(got) != len(want) || !reflect.DeepEqual(decode(t, got), decode(t, want)) {
			t.Errorf("%s: %d bytes differ from the engine's %d", name, len(got), len(want))
		}
	}
}

// decode makes two answers comparable: the engine writes an item's attributes in any order.
func decode(t *testing.T, answer string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Errorf("answer is no JSON: %v", err)
	}
	return v
}

// direct asks the engine without the stack in between.
func direct(t *testing.T, e *Engine, operation, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Content-Type": {contentType}, "X-Amz-Target": {"DynamoDB_20120810." + operation}, "X-Amz-Date": {"20260101T000000Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0"},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestOversizedRequestIsRefused(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(engine.Close)
	address := serve(t, before(t, engine.URL))
	for size, want := range map[int]int{maxRequestBytes: http.StatusOK, maxRequestBytes + 1: http.StatusRequestEntityTooLarge} {
		res, err := http.Post(address, contentType, bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d", size, res.StatusCode, want)
		}
	}
}

// seen is what a server behind the proxy received.
type seen struct {
	method, path, body string
	header             http.Header
}

func TestRequestAsTheEngineGetsIt(t *testing.T) {
	t.Parallel()
	got := make(chan seen, 1)
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.URL.RequestURI(), string(body), r.Header}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(engine.Close)
	db := client(t, serve(t, before(t, engine.URL+"/base?a=b")), keyPair("AKIAEXAMPLE"), "us-east-1")
	if _, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Events")}); err != nil {
		t.Fatal(err)
	}
	r := <-got
	var body struct{ TableName string }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || body.TableName != "Events" {
		t.Errorf("body %q, want the client's", r.body)
	}
	if r.method != "POST" || r.path != "/base?a=b" || r.header.Get("X-Amz-Target") != "DynamoDB_20120810.DescribeTable" || r.header.Get("Content-Type") != contentType {
		t.Errorf("engine got %+v", r)
	}
	if auth := r.header.Get("Authorization"); !strings.Contains(auth, "Credential=local/") || strings.Contains(auth, "AKIAEXAMPLE") {
		t.Errorf("engine got the credentials %q, want the stack's", auth)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	closeAfter := make(chan bool, 1)
	closeAfter <- false
	engine := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := <-closeAfter
		if last {
			w.Header().Set("Connection", "close")
		}
		closeAfter <- last
		_, _ = io.WriteString(w, "{}")
	}))
	engine.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	engine.Start()
	t.Cleanup(engine.Close)
	e := before(t, engine.URL)
	address := serve(t, e)
	ask := func(want int32) {
		t.Helper()
		for range 3 {
			if res, answer := send(t, address, "ListTables", "{}"); res.StatusCode != 200 {
				t.Fatalf("status %d: %s", res.StatusCode, answer)
			}
		}
		if n := opened.Load(); n != want {
			t.Errorf("%d connections so far, want %d", n, want)
		}
	}
	ask(1)
	c := <-e.upstream.idle
	c.used = c.used.Add(-maxIdleTime)
	e.upstream.idle <- c
	ask(2) // what was idle for long may be about to be closed from the other side
	<-closeAfter
	closeAfter <- true
	ask(4) // the kept one, then one for each
}

func TestEndpointOverTLS(t *testing.T) {
	t.Parallel()
	engine := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	engine.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(engine.Close)
	res, answer := send(t, serve(t, before(t, engine.URL)), "ListTables", "{}")
	if certificate := (*tls.CertificateVerificationError)(nil); res.StatusCode != 500 || !strings.Contains(answer, "certificate") {
		t.Errorf("a certificate that nobody vouches for: %d %s, want %T in an InternalServerError", res.StatusCode, answer, certificate)
	}
}

// TestHalfAnAnswerIsNone: what the engine broke off must not look whole to the client.
func TestHalfAnAnswerIsNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		status int // 0: the exchange breaks off
	}{
		"nothing":      {"", 500},
		"not HTTP":     {"SSH-2.0-OpenSSH\r\n\r\n", 500},
		"half a head":  {"HTTP/1.1 200 OK\r\nContent-Le", 500},
		"half a body":  {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Items\":[", 0},
		"half a chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"Items\":[", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 4096))
					_, _ = io.WriteString(c, tt.answer)
					_ = c.Close()
				}
			}()
			res, err := http.Post(serve(t, before(t, "http://"+listener.Addr().String())), contentType, strings.NewReader("{}"))
			if err != nil {
				if tt.status != 0 {
					t.Errorf("Post = %v, want status %d", err, tt.status)
				}
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if tt.status == 0 && err == nil || tt.status != 0 && res.StatusCode != tt.status {
				t.Errorf("status %d, body %q, %v; want status %d, or a body that breaks off", res.StatusCode, body, err, tt.status)
			}
		})
	}
}

// BenchmarkGetItem compares the way through the stack with the engine's own.
func BenchmarkGetItem(b *testing.B) {
	e := startEngine(b, events)
	through := serve(b, e)
	send(b, through, "PutItem", `{"TableName":"Events","Item":{"tenantId":{"S":"t1"},"entry":{"S":"head"}}}`)
	for name, raw := range map[string]string{"engine": e.URL(), "stack": through} {
		b.Run(name, func(b *testing.B) {
			u, err := url.Parse(raw)
			if err != nil {
				b.Fatal(err)
			}
			direct := newUpstream(u, make(chan struct{}))
			b.Cleanup(direct.closeIdle)
			body := []byte(`{"TableName":"Events","ConsistentRead":true,"Key":{"tenantId":{"S":"t1"},"entry":{"S":"head"}}}`)
			b.ReportAllocs()
			for b.Loop() {
				err := direct.exchange(b.Context(), "DynamoDB_20120810.GetItem", contentType, body, func(res *http.Response) error {
					if res.StatusCode != 200 {
						return fmt.Errorf("status %d", res.StatusCode)
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Second)/float64(b.Elapsed())*float64(b.N), "calls/s")
		})
	}
}
