package queue

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/template"
)

// tenant is a FIFO queue with its dead letters, like the product's.
func tenant() []template.Queue {
	return []template.Queue{redriven(fifo("Tenant"), "Dead", 3), fifo("Dead")}
}

func TestReceiveFillsUpWithOneGroupThenTheNext(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Queues: tenant()})
	for _, m := range []string{"a1", "b1", "a2", "c1", "b2", "a3"} {
		s.mustSend(t, "Tenant", Message{Body: m, GroupID: m[:1]})
	}
	if got, want := bodies(s.receiveNow(t, "Tenant")), "a1 a2 a3 b1 b2 c1"; got != want {
		t.Errorf("received %q, want %q", got, want)
	}
}

func TestGroupInFlightYieldsNothingFurther(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Queues: tenant()})
	q := s.byName["Tenant"]
	for _, m := range []string{"a1", "a2", "b1"} {
		s.mustSend(t, "Tenant", Message{Body: m, GroupID: m[:1]})
	}
	first, _ := q.receive(t.Context(), reception{messages: 1, visibility: time.Minute})
	s.mustSend(t, "Tenant", Message{Body: "a3", GroupID: "a"})
	if got, want := bodies(s.receiveNow(t, "Tenant")), "b1"; got != want {
		t.Errorf("while a1 is in flight received %q, want %q", got, want)
	}
	if err := q.delete(first[0].handle); err != nil {
		t.Fatal(err)
	}
	if got, want := bodies(s.receiveNow(t, "Tenant")), "a2 a3"; got != want {
		t.Errorf("after a1 was deleted received %q, want %q", got, want)
	}
}

func TestOrderIsKeptAfterRedelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: tenant()})
		q := s.byName["Tenant"]
		for _, m := range []string{"a1", "a2", "a3"} {
			s.mustSend(t, "Tenant", Message{Body: m, GroupID: "a"})
		}
		batch := s.receiveNow(t, "Tenant")
		if err := q.delete(batch[1].handle); err != nil {
			t.Fatal(err)
		}
		// a3 is visible at once, but a1 is not: the group stays blocked.
		if err := q.hide(batch[2].handle, 0); err != nil {
			t.Fatal(err)
		}
		s.mustSend(t, "Tenant", Message{Body: "a4", GroupID: "a"})
		if got := bodies(s.receiveNow(t, "Tenant")); got != "" {
			t.Errorf("while a1 is in flight received %q, want nothing", got)
		}
		time.Sleep(q.def.VisibilityTimeout)
		again := s.receiveNow(t, "Tenant")
		if got, want := bodies(again), "a1 a3 a4"; got != want {
			t.Errorf("after the visibility received %q, want %q", got, want)
		}
		if again[0].handle == batch[0].handle {
			t.Error("the receipt handle is that of the first receive")
		}
		if again[0].receives != 2 || again[2].receives != 1 {
			t.Errorf("receive counts %d and %d, want 2 and 1", again[0].receives, again[2].receives)
		}
	})
}

func TestShortenedVisibilityWakesAWaitingReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: tenant()})
		q := s.byName["Tenant"]
		s.mustSend(t, "Tenant", Message{Body: "a1", GroupID: "a"})
		first := s.receiveNow(t, "Tenant")
		if err := q.hide(first[0].handle, 2*time.Second); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		again, err := q.receive(t.Context(), reception{messages: 1, wait: maxWait})
		if waited := time.Since(began); len(again) != 1 || err != nil || waited != 2*time.Second {
			t.Errorf("received %q, %v after %v, want a1 after 2s", bodies(again), err, waited)
		}
	})
}

func TestDeduplication(t *testing.T) {
	t.Parallel()
	perQueue := fifo("Q")
	perQueue.DeduplicationScope = "queue"
	tests := []struct {
		name   string
		queue  template.Queue
		first  Message
		wait   time.Duration
		second Message
		same   bool
	}{
		{name: "same id within five minutes", queue: fifo("Q"), wait: 5*time.Minute - 1, same: true,
			first: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}, second: Message{Body: "y", GroupID: "a", DeduplicationID: "1"}},
		{name: "same id after five minutes", queue: fifo("Q"), wait: 5 * time.Minute,
			first: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}, second: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}},
		{name: "scope messageGroup: same id in another group", queue: fifo("Q"),
			first: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}, second: Message{Body: "x", GroupID: "b", DeduplicationID: "1"}},
		{name: "scope queue: same id in another group", queue: perQueue, same: true,
			first: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}, second: Message{Body: "x", GroupID: "b", DeduplicationID: "1"}},
		{name: "same body, id from its hash", queue: fifo("Q"), same: true,
			first: Message{Body: "x", GroupID: "a"}, second: Message{Body: "x", GroupID: "a", Attributes: map[string]Attribute{"k": String("v")}}},
		{name: "an explicit id beats the hash", queue: fifo("Q"),
			first: Message{Body: "x", GroupID: "a"}, second: Message{Body: "x", GroupID: "a", DeduplicationID: "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, Config{Queues: []template.Queue{tt.queue}})
				q := s.byName["Q"]
				put := func(m Message) sent {
					t.Helper()
					if err := q.check(&m); err != nil {
						t.Fatal(err)
					}
					got, err := q.put(m)
					if err != nil {
						t.Fatal(err)
					}
					return got
				}
				first := put(tt.first)
				// Deduplication outlives the message.
				if err := q.delete(s.receiveNow(t, "Q")[0].handle); err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.wait)
				second := put(tt.second)
				if (first == second) != tt.same {
					t.Errorf("answers %v and %v, same = %v, want %v", first, second, first == second, tt.same)
				}
				if got := len(s.receiveNow(t, "Q")); (got == 0) != tt.same {
					t.Errorf("the second send gave %d messages, want none = %v", got, tt.same)
				}
			})
		})
	}
}

func TestSequenceNumbersGrow(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Queues: []template.Queue{fifo("Q")}})
	last := ""
	for i := range 20 {
		s.mustSend(t, "Q", Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i % 3)})
	}
	for _, d := range append(s.receiveNow(t, "Q"), s.receiveNow(t, "Q")...) {
		if len(d.sequence) != 20 {
			t.Errorf("sequence number %q has %d digits, want 20", d.sequence, len(d.sequence))
		}
		if d.GroupID == "0" && d.sequence <= last {
			t.Errorf("sequence number %s follows %s", d.sequence, last)
		} else if d.GroupID == "0" {
			last = d.sequence
		}
	}
}

func TestMessageReceivedTooOftenBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: tenant()})
		visibility := s.byName["Tenant"].def.VisibilityTimeout
		id := s.mustSend(t, "Tenant", Message{Body: "poison", GroupID: "a"})
		s.mustSend(t, "Tenant", Message{Body: "good", GroupID: "a"})
		for range 3 {
			batch, _ := s.byName["Tenant"].receive(t.Context(), reception{messages: 1, visibility: visibility})
			if got := bodies(batch); got != "poison" {
				t.Fatalf("received %q, want poison", got)
			}
			time.Sleep(visibility)
		}
		sent := s.byName["Tenant"].byID[id].sent
		if got := bodies(s.receiveNow(t, "Tenant")); got != "good" {
			t.Errorf("the fourth receive gave %q, want what comes after the dead letter", got)
		}
		dead := s.receiveNow(t, "Dead")
		if len(dead) != 1 || dead[0].id != id || dead[0].GroupID != "a" || !dead[0].sent.After(sent) {
			t.Fatalf("dead letters %+v, want %s of group a with a new enqueue time", dead, id)
		}
		attributes := dead[0].systemAttributes(nil, "me")
		if got, want := attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:eu-west-1:123456789012:Tenant"; got != want {
			t.Errorf("DeadLetterQueueSourceArn = %q, want %q", got, want)
		}
		if got := attributes["ApproximateReceiveCount"]; got != "4" {
			t.Errorf("ApproximateReceiveCount = %s, want 4: receives across all queues", got)
		}
	})
}

func TestExpiredHandle(t *testing.T) {
	t.Parallel()
	const expired = "The receipt handle has expired."
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: []template.Queue{fifo("Fifo"), standard("Standard")}})
		f, st := s.byName["Fifo"], s.byName["Standard"]
		s.mustSend(t, "Fifo", Message{Body: "x", GroupID: "a"})
		s.mustSend(t, "Standard", Message{Body: "x"})
		inFIFO, inStandard := s.receiveNow(t, "Fifo")[0], s.receiveNow(t, "Standard")[0]
		time.Sleep(30 * time.Second)
		for name, err := range map[string]*Error{"delete": f.delete(inFIFO.handle), "change": f.hide(inFIFO.handle, time.Second)} {
			if err == nil || err.QueryCode != "InvalidParameterValue" || !strings.HasSuffix(err.Message, expired) {
				t.Errorf("FIFO, %s with an expired handle = %v, want %s", name, err, expired)
			}
		}
		// A standard queue knows the message by an old handle, too: the last one deletes it, an older one does not.
		if err := st.hide(inStandard.handle, 10*time.Second); err != nil {
			t.Errorf("standard, change with a handle whose visibility is over = %v, want nil", err)
		}
		time.Sleep(10 * time.Second)
		again := s.receiveNow(t, "Standard")[0]
		if err := st.delete(inStandard.handle); err != nil || len(st.byID) != 1 {
			t.Errorf("standard, delete with an older handle = %v, %d messages left; want nil, 1", err, len(st.byID))
		}
		if err := st.delete(again.handle); err != nil || len(st.byID) != 0 {
			t.Errorf("standard, delete = %v, %d messages left; want nil, 0", err, len(st.byID))
		}
		if err := st.delete(again.handle); err != nil {
			t.Errorf("delete of what is gone = %v, want nil", err)
		}
	})
}

func TestVisibilityEndsTwelveHoursAfterTheReceive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: []template.Queue{fifo("Q")}})
		q := s.byName["Q"]
		s.mustSend(t, "Q", Message{Body: "x", GroupID: "a"})
		got := s.receiveNow(t, "Q")
		if err := q.hide(got[0].handle, maxVisibility); err != nil {
			t.Errorf("12 h at once = %v, want nil", err)
		}
		time.Sleep(time.Second)
		if err := q.hide(got[0].handle, maxVisibility); err == nil {
			t.Error("12 h again one second later = nil, want beyond the limit")
		}
		if err := q.hide(got[0].handle, maxVisibility+time.Second); err == nil {
			t.Error("43201 s = nil, want an error")
		}
	})
}

func TestFastClockEndsVisibilitySooner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: tenant(), Clock: clock.New(600)})
		s.mustSend(t, "Tenant", Message{Body: "x", GroupID: "a"})
		s.receiveNow(t, "Tenant")
		began := time.Now()
		got, err := s.byName["Tenant"].receive(t.Context(), reception{messages: 1, wait: -1})
		waited := time.Since(began)
		if len(got) != 1 || err != nil || waited < 50*time.Millisecond || waited > 52*time.Millisecond {
			t.Fatalf("received %d, %v after %v of real time, want 30 s / 600", len(got), err, waited)
		}
		// Whoever reads the message keeps real time.
		attributes := got[0].systemAttributes(s.cfg.Clock, "me")
		if want := fmt.Sprint(began.UnixMilli()); attributes["SentTimestamp"] != want || attributes["ApproximateFirstReceiveTimestamp"] != want {
			t.Errorf("attributes %v, want sent and received at %s", attributes, want)
		}
	})
}

func TestFIFOQueueRefuses(t *testing.T) {
	t.Parallel()
	delay := time.Second
	explicit := fifo("Explicit")
	explicit.ContentBasedDeduplication = false
	s := open(t, Config{Queues: []template.Queue{fifo("Q"), explicit}})
	tests := []struct {
		name, queue string
		message     Message
		code, text  string
	}{
		{"no group", "Q", Message{Body: "x"}, "MissingParameter", "The request must contain the parameter MessageGroupId."},
		{"no deduplication id", "Explicit", Message{Body: "x", GroupID: "a"}, "InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
		{"group of 129 characters", "Q", Message{Body: "x", GroupID: strings.Repeat("a", 129)}, "InvalidParameterValue", "1 to 128 in length"},
		{"group with a space", "Q", Message{Body: "x", GroupID: "a b"}, "InvalidParameterValue", "MessageGroupId"},
		{"deduplication id with an umlaut", "Q", Message{Body: "x", GroupID: "a", DeduplicationID: "ä"}, "InvalidParameterValue", "MessageDeduplicationId"},
		{"delay of a message", "Q", Message{Body: "x", GroupID: "a", Delay: &delay}, "InvalidParameterValue", "Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Send(t.Context(), tt.queue, tt.message)
			var refused *Error
			if !errors.As(err, &refused) || refused.QueryCode != tt.code || !strings.Contains(refused.Message, tt.text) {
				t.Errorf("Send = %v, want %s: …%s", err, tt.code, tt.text)
			}
		})
	}
}
