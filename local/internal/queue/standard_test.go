package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	none, long := time.Duration(0), 15*time.Minute
	tests := []struct {
		name    string
		queue   time.Duration
		message *time.Duration
		want    time.Duration
	}{
		{"of the queue", 10 * time.Second, nil, 10 * time.Second},
		{"of the message beats the queue's", 10 * time.Second, &none, 0},
		{"of the message alone", 0, &long, long},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				def := standard("Q")
				def.Delay = tt.queue
				s := open(t, Config{Queues: []template.Queue{def}})
				began := time.Now()
				s.mustSend(t, "Q", Message{Body: "x", Delay: tt.message})
				if _, _, later := s.byName["Q"].counts(); (later == 1) != (tt.want > 0) {
					t.Errorf("%d delayed, want one = %v", later, tt.want > 0)
				}
				got, err := s.byName["Q"].receive(t.Context(), reception{messages: 1, wait: -1})
				if waited := time.Since(began); len(got) != 1 || err != nil || waited != tt.want {
					t.Errorf("received %d, %v after %v, want 1 after %v", len(got), err, waited, tt.want)
				}
			})
		})
	}
}

func TestDelayedFIFOQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		def := fifo("Q")
		def.Delay = 10 * time.Second
		s := open(t, Config{Queues: []template.Queue{def}})
		s.mustSend(t, "Q", Message{Body: "a1", GroupID: "a"})
		time.Sleep(5 * time.Second)
		s.mustSend(t, "Q", Message{Body: "a2", GroupID: "a"})
		time.Sleep(5 * time.Second)
		if got := bodies(s.receiveNow(t, "Q")); got != "a1" {
			t.Errorf("after 10 s received %q, want a1", got)
		}
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		def := redriven(standard("Q"), "Dead", 1)
		def.Retention = time.Hour
		dead := standard("Dead")
		dead.Retention = 2 * time.Hour
		s := open(t, Config{Queues: []template.Queue{def, dead}})
		s.mustSend(t, "Q", Message{Body: "unlucky"})
		s.receiveNow(t, "Q")
		time.Sleep(30 * time.Minute)
		s.receiveNow(t, "Q") // moves it
		s.mustSend(t, "Q", Message{Body: "young"})
		time.Sleep(time.Hour - 1)
		if visible, _, _ := s.byName["Q"].counts(); visible != 1 {
			t.Errorf("%d messages before the end of the retention, want 1", visible)
		}
		time.Sleep(time.Nanosecond)
		if visible, _, _ := s.byName["Q"].counts(); visible != 0 || s.byName["Q"].bytes != 0 {
			t.Errorf("%d messages, %d bytes after the retention, want none", visible, s.byName["Q"].bytes)
		}
		// A standard message takes its age along into the dead-letter queue.
		time.Sleep(30 * time.Minute)
		if got := bodies(s.receiveNow(t, "Dead")); got != "" {
			t.Errorf("2 h after the send the dead-letter queue gives %q, want nothing", got)
		}
	})
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: []template.Queue{standard("Q")}})
		q := s.byName["Q"]
		type outcome struct {
			bodies string
			after  time.Duration
		}
		began := time.Now()
		outcomes := make(chan outcome, 3)
		for range 3 {
			go func() {
				got, _ := q.receive(t.Context(), reception{messages: 1, wait: maxWait, visibility: time.Hour})
				outcomes <- outcome{bodies(got), time.Since(began)}
			}()
		}
		synctest.Wait()
		time.Sleep(time.Second)
		s.mustSend(t, "Q", Message{Body: "x"})
		s.mustSend(t, "Q", Message{Body: "y"})
		var got []outcome
		for range 3 {
			got = append(got, <-outcomes)
		}
		slices.SortFunc(got, func(a, b outcome) int { return strings.Compare(a.bodies, b.bodies) })
		want := []outcome{{"", maxWait}, {"x", time.Second}, {"y", time.Second}}
		if !slices.Equal(got, want) {
			t.Errorf("three receivers got %v, want %v", got, want)
		}
	})
}

func TestReceiverThatGivesUpPassesTheMessageOn(t *testing.T) {
	t.Parallel()
	for range 32 { // which of two events at once a receiver sees first is chance
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Config{Queues: []template.Queue{standard("Q")}})
			q := s.byName["Q"]
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			received := make(chan time.Time, 2)
			for _, ctx := range []context.Context{ctx, t.Context()} {
				go func() {
					if got, _ := q.receive(ctx, reception{messages: 1, wait: maxWait, visibility: time.Hour}); len(got) == 1 {
						received <- time.Now()
					}
				}()
				synctest.Wait()
			}
			// Both at once: the first receiver is told of the message and gives up.
			began := time.Now()
			q.mu.Lock()
			cancel()
			q.add(&message{Message: Message{Body: "x"}, id: "1", sent: began}, began, 0)
			q.mu.Unlock()
			if at := <-received; !at.Equal(began) {
				t.Errorf("the message was received after %v, want at once by the one or the other", at.Sub(began))
			}
		})
	}
}

func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: []template.Queue{standard("Standard"), fifo("Fifo")}})
		for name, q := range s.byName {
			q.maxInFlight = 2
			for i := range 3 {
				s.mustSend(t, name, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i)})
			}
			batch, err := q.receive(t.Context(), reception{messages: 10, visibility: time.Hour})
			if len(batch) != 2 || err != nil {
				t.Fatalf("%s: received %d, %v; want 2 of 3", name, len(batch), err)
			}
			more, err := q.receive(t.Context(), reception{messages: 10})
			var refused *Error
			if over := errors.As(err, &refused) && refused.Code == "OverLimit"; over == q.def.FIFO || len(more) > 0 {
				t.Errorf("%s: beyond the limit received %d, %v", name, len(more), err)
			}
			// Room wakes who waits for it.
			go func() {
				time.Sleep(time.Second)
				if err := q.delete(batch[0].handle); err != nil {
					t.Error(err)
				}
			}()
			began := time.Now()
			more, err = q.receive(t.Context(), reception{messages: 10, wait: maxWait, visibility: time.Hour})
			if len(more) != 1 || err != nil || time.Since(began) != time.Second {
				t.Errorf("%s: received %d, %v after %v; want 1 as soon as there is room", name, len(more), err, time.Since(began))
			}
		}
	})
}

func TestPurgeIsAllowedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: []template.Queue{fifo("Q")}})
		q := s.byName["Q"]
		for i := range 5 {
			s.mustSend(t, "Q", Message{Body: fmt.Sprint(i), GroupID: "a"})
		}
		q.receive(t.Context(), reception{messages: 2, visibility: time.Hour})
		if err := q.purge(); err != nil {
			t.Fatal(err)
		}
		if visible, hidden, later := q.counts(); visible+hidden+later != 0 || len(q.groups) != 0 || q.bytes != 0 {
			t.Errorf("after the purge: %d, %d, %d messages, %d groups, %d bytes", visible, hidden, later, len(q.groups), q.bytes)
		}
		if err := q.purge(); err == nil || err.Status != 403 || err.Code != "PurgeQueueInProgress" {
			t.Errorf("second purge = %v, want PurgeQueueInProgress", err)
		}
		time.Sleep(time.Minute)
		if err := q.purge(); err != nil {
			t.Errorf("purge a minute later = %v", err)
		}
	})
}

func TestFullQueueThrottles(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Queues: []template.Queue{standard("Q")}})
	s.byName["Q"].maxStored = 10
	s.mustSend(t, "Q", Message{Body: "0123456789"})
	var refused *Error
	if _, err := s.Send(t.Context(), "Q", Message{Body: "x"}); !errors.As(err, &refused) || refused.Code != "RequestThrottled" || !refused.Retryable() {
		t.Errorf("Send to a full queue = %v, want RequestThrottled, to be retried", err)
	}
	if err := s.byName["Q"].delete(s.receiveNow(t, "Q")[0].handle); err != nil {
		t.Fatal(err)
	}
	s.mustSend(t, "Q", Message{Body: "x"})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		queue   template.Queue
		mapping template.Mapping
		want    string
	}{
		{"dead-letter queue missing", redriven(fifo("Q"), "Nowhere", 1), template.Mapping{ID: "M", Queue: "Q", BatchSize: 1}, "queue Q: the dead-letter queue Nowhere does not exist"},
		{"dead-letter queue of the other type", redriven(fifo("Q"), "Standard", 1), template.Mapping{ID: "M", Queue: "Q", BatchSize: 1}, "queue Q: its dead-letter queue Standard must be of the same type, standard or FIFO"},
		{"mapping of no queue", fifo("Q"), template.Mapping{ID: "M", Queue: "Nowhere", BatchSize: 1}, "event source mapping M: the queue Nowhere does not exist"},
		{"batch of none", fifo("Q"), template.Mapping{ID: "M", Queue: "Q"}, "event source mapping M: BatchSize is 0, must be at least 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Config{
				Queues: queuesOf(tt.queue, standard("Standard")), Mappings: []template.Mapping{tt.mapping},
				Log: slog.New(slog.DiscardHandler),
			})
			if err == nil || err.Error() != tt.want {
				t.Errorf("New = %v, want %s", err, tt.want)
			}
		})
	}
}
