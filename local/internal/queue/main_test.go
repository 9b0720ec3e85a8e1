package queue

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
	"github.com/purposepath/realtime/local/internal/template"
)

// TestMain fails the run when a goroutine of this package is left.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(5 * time.Second); code == 0; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if strings.Count(string(stacks), "internal/queue.") == strings.Count(string(stacks), "internal/queue.TestMain") {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines left:\n%s", stacks)
			code = 1
		}
	}
	os.Exit(code)
}

// invoker lets a test be the function.
type invoker func(function string, payload []byte) (lambda.Result, error)

func (f invoker) Invoke(_ context.Context, function string, payload []byte) (lambda.Result, error) {
	return f(function, payload)
}

func queuesOf(all ...template.Queue) []template.Queue { return all }

func standard(name string) template.Queue {
	return template.Queue{
		ID: name, Name: name, VisibilityTimeout: 30 * time.Second, Retention: 4 * 24 * time.Hour,
		MaximumMessageBytes: 1 << 20,
	}
}

func fifo(name string) template.Queue {
	q := standard(name)
	q.FIFO, q.ContentBasedDeduplication = true, true
	q.DeduplicationScope, q.FifoThroughputLimit = scopeGroup, "perMessageGroupId"
	return q
}

// redriven gives a queue a dead-letter queue.
func redriven(q template.Queue, to string, most int) template.Queue {
	q.DeadLetterQueue, q.MaxReceiveCount = to, most
	return q
}

func open(t testing.TB, cfg Config) *Queues {
	t.Helper()
	cfg.Region, cfg.AccountID, cfg.Log = "eu-west-1", "123456789012", slog.New(slog.DiscardHandler)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *Queues) mustSend(t testing.TB, queue string, m Message) string {
	t.Helper()
	id, err := s.Send(t.Context(), queue, m)
	if err != nil {
		t.Fatalf("Send to %s: %v", queue, err)
	}
	return id
}

// receiveNow returns what one short poll for ten messages finds.
func (s *Queues) receiveNow(t testing.TB, queue string) []delivery {
	t.Helper()
	q := s.byName[queue]
	got, err := q.receive(t.Context(), reception{messages: maxReceive, visibility: q.def.VisibilityTimeout})
	if err != nil {
		t.Fatalf("receive from %s: %v", queue, err)
	}
	return got
}

func bodies(batch []delivery) string {
	var all []string
	for _, d := range batch {
		all = append(all, d.Body)
	}
	return strings.Join(all, " ")
}
