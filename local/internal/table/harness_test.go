package table

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/purposepath/realtime/local/internal/template"
)

const engineDir = "../../engine"

// patience bounds every wait for another process; a test that needs it has failed.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(stackVariable) != "" {
		runStack()
		return
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if code == 0 && !eventually(func() bool { return runtime.NumGoroutine() <= before }) {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}

// eventually polls until holds is true; false if that takes too long.
func eventually(holds func() bool) bool {
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// stackVariable makes the test binary a stack of its own, for tests that end it.
const stackVariable = "TABLE_TEST_STACK"

// runStack starts two engines, writes their addresses and waits to be killed. On an interrupt it says whether the engines
// still answer, ends them and leaves.
func runStack() {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT)
	var engines []*Engine
	for range 2 {
		e, err := Start(context.Background(), Config{EngineDir: engineDir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		engines = append(engines, e)
	}
	fmt.Println(engines[0].URL(), engines[1].URL())
	<-interrupted
	for _, e := range engines {
		res, err := http.Get(e.URL())
		if err != nil {
			fmt.Println("dead:", err)
			continue
		}
		_ = res.Body.Close()
		fmt.Println("alive")
		_ = e.Close()
	}
}

var (
	connections = template.Table{ID: "Connections", Name: "Connections", TTLAttribute: "expiresAt", Create: []byte(`{
		"TableName": "Connections", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [
			{"AttributeName": "connectionId", "AttributeType": "S"},
			{"AttributeName": "deadlineShard", "AttributeType": "N"},
			{"AttributeName": "deadline", "AttributeType": "N"}],
		"KeySchema": [{"AttributeName": "connectionId", "KeyType": "HASH"}],
		"GlobalSecondaryIndexes": [{"IndexName": "byDeadline", "Projection": {"ProjectionType": "KEYS_ONLY"},
			"KeySchema": [{"AttributeName": "deadlineShard", "KeyType": "HASH"}, {"AttributeName": "deadline", "KeyType": "RANGE"}]}]}`)}
	events = template.Table{ID: "Events", Name: "Events", TTLAttribute: "expiresAt", Create: []byte(`{
		"TableName": "Events", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "tenantId", "AttributeType": "S"}, {"AttributeName": "entry", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "tenantId", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}]}`)}
)

// startEngine runs an engine with those tables for one test.
func startEngine(t testing.TB, tables ...template.Table) *Engine {
	t.Helper()
	return startConfig(t, Config{Tables: tables, EngineDir: engineDir})
}

func startConfig(t testing.TB, cfg Config) *Engine {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// serve makes an engine reachable as the stack does.
func serve(t testing.TB, e http.Handler) string {
	t.Helper()
	server := httptest.NewServer(e)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(server.Close)
	return server.URL
}

// client is the SDK's client, as the functions make it.
func client(t testing.TB, url string, credentials aws.CredentialsProvider, region string) *dynamodb.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return dynamodb.NewFromConfig(aws.Config{
		Region: region, Credentials: credentials, BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
	})
}

func keyPair(id string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: "secret"}, nil
	})
}

// send makes one unsigned call by hand and returns the status and the answer.
func send(t testing.TB, url, operation, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(answer)
}

// A logBuffer holds what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
