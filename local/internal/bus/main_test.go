package bus

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/template"
)

// TestMain fails the run when a goroutine of this package is left.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(5 * time.Second); code == 0; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if strings.Count(string(stacks), "internal/bus.") == strings.Count(string(stacks), "internal/bus.TestMain") {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines left:\n%s", stacks)
			code = 1
		}
	}
	os.Exit(code)
}

// invoker lets a test be the functions.
type invoker func(function string, payload []byte) (lambda.Result, error)

func (f invoker) Invoke(_ context.Context, function string, payload []byte) (lambda.Result, error) {
	return f(function, payload)
}

// stack is a bus with the real queues behind it.
type stack struct {
	*Bus
	queues *queue.Queues
}

func open(t testing.TB, cfg Config) stack {
	t.Helper()
	cfg.Region, cfg.AccountID = "eu-west-1", "123456789012"
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	define := func(name string, fifo bool) template.Queue {
		return template.Queue{
			ID: name, Name: name, FIFO: fifo, ContentBasedDeduplication: fifo, DeduplicationScope: "queue", FifoThroughputLimit: "perQueue",
			VisibilityTimeout: 30 * time.Second, Retention: 14 * 24 * time.Hour, MaximumMessageBytes: 1 << 20,
		}
	}
	queues, err := queue.New(queue.Config{
		Queues: []template.Queue{define("Failed", false), define("Dead", false), define("Plain", false), define("Fifo", true)},
		Clock:  cfg.Clock, Log: cfg.Log, Region: cfg.Region, AccountID: cfg.AccountID,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queues.Close)
	if cfg.Queues == nil {
		cfg.Queues = queues
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return stack{b, queues}
}

// function is one with AWS's defaults and an OnFailure queue.
func function(name string) template.Function {
	return template.Function{ID: name, Name: name, Async: template.Async{
		MaximumRetryAttempts: 2, MaximumEventAge: 6 * time.Hour, OnFailureQueue: "Failed",
	}}
}

func to(function string) template.Target {
	return template.Target{Function: function, RetryAttempts: 185, MaximumEventAge: 24 * time.Hour, DeadLetterQueue: "Dead"}
}

func toQueue(queue, group string) template.Target {
	return template.Target{Queue: queue, MessageGroupID: group, RetryAttempts: 185, MaximumEventAge: 24 * time.Hour, DeadLetterQueue: "Dead"}
}

// domain is a rule of the bus Events.
func domain(pattern string, targets ...template.Target) template.Rule {
	return template.Rule{ID: "Rule", Name: "domain-events", Bus: "Events", Pattern: []byte(pattern), Enabled: true, Targets: targets}
}
