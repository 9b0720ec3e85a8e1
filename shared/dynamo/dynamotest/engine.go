// Package dynamotest gives tests the real embedded engine, with the tables of template.yaml.
//
// A test binary calls [Main] from its TestMain; each test then calls [Open] and has tables of its own.
package dynamotest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.yaml.in/yaml/v3"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/dynamo"
)

const readyWithin = 20 * time.Second

// client is the engine's, set once by Main before any test runs.
var client *dynamodb.Client

// Main runs the tests with an engine of their own and returns the exit code.
func Main(m *testing.M) int {
	engine, endpoint, err := start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer engine.stop()
	vars := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": endpoint,
	}
	client = dynamo.Client(awsenv.New(func(name string) string { return vars[name] }))
	if err := ready(client); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

type engine struct {
	cmd   *exec.Cmd
	stdin *os.File
}

// start binds the engine's life to this process by a pipe: when its other end closes, however this process ended, the shell
// kills the engine.
func start() (*engine, string, error) {
	root, err := Root()
	if err != nil {
		return nil, "", err
	}
	binaries, _ := filepath.Glob(filepath.Join(root, "local/engine/node_modules/@dynoxide/*/dynoxide"))
	if len(binaries) == 0 {
		return nil, "", fmt.Errorf("the embedded DynamoDB is not installed: run `npm ci --prefix local/engine` in %s", root)
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command("sh", "-c", `"$@" >/dev/null 2>&1 </dev/null & cat >/dev/null; kill $!`, "sh", binaries[0], "--port", port)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	cmd.Stdin = read
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	_ = read.Close()
	return &engine{cmd, write}, "http://127.0.0.1:" + port, nil
}

func (e *engine) stop() {
	_ = e.stdin.Close()
	_ = e.cmd.Wait()
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

func ready(client *dynamodb.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the embedded DynamoDB is not ready after %v: %w", readyWithin, err)
		}
	}
}

// Root is the folder of go.mod.
func Root() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no go.mod above %s", file)
}

// Tables are the names of one test's tables.
type Tables struct{ Connections, Members, Tenants, Events string }

var opened atomic.Int64

// Open creates the four tables of template.yaml under names of this test's own.
func Open(t *testing.T) (*dynamodb.Client, Tables) {
	t.Helper()
	suffix := fmt.Sprintf("-%d", opened.Add(1))
	for name, definition := range definitions(t) {
		definition["TableName"] = name + suffix
		encoded, err := json.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		var input dynamodb.CreateTableInput
		if err := json.Unmarshal(encoded, &input); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CreateTable(t.Context(), &input); err != nil {
			t.Fatalf("create table %s: %v", name, err)
		}
	}
	return client, Tables{"Connections" + suffix, "Members" + suffix, "Tenants" + suffix, "Events" + suffix}
}

// definitions are the tables as template.yaml defines them, and nowhere else.
func definitions(t *testing.T) map[string]map[string]any {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var template struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.NewDecoder(bufio.NewReader(file)).Decode(&template); err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	for name, resource := range template.Resources {
		if resource.Type != "AWS::DynamoDB::Table" {
			continue
		}
		var properties map[string]any
		if err := resource.Properties.Decode(&properties); err != nil {
			t.Fatalf("table %s: %v", name, err)
		}
		found[name] = map[string]any{}
		for key, value := range properties {
			if strings.HasSuffix(key, "Specification") { // encryption and TTL: not the engine's matter
				continue
			}
			found[name][key] = value
		}
	}
	if len(found) != 4 {
		t.Fatalf("template.yaml defines %d tables, want 4", len(found))
	}
	return found
}
