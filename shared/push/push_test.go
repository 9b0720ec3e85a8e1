package push_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/push"
)

// A gateway answers each attempt as its script for the connection says: the errors in turn, then success.
type gateway struct {
	mu       sync.Mutex
	script   map[string][]error
	latency  time.Duration
	got      map[string][]string // frames that arrived, by connection
	attempts []time.Time
	active   int
	most     int // posts under way at once
}

var (
	errGone    = fmt.Errorf("410: %w", push.ErrGone)
	errBusy    = fmt.Errorf("429: %w: %w", push.ErrThrottled, backoff.ErrTransient)
	errService = fmt.Errorf("500: %w", backoff.ErrTransient)
	errRefused = errors.New("403")
	errHang    = errors.New("hang") // until the attempt's time is over
)

func (g *gateway) Post(ctx context.Context, id string, frame push.Frame) error {
	g.mu.Lock()
	g.active++
	g.most = max(g.most, g.active)
	g.attempts = append(g.attempts, time.Now())
	var err error
	if script := g.script[id]; len(script) > 0 {
		err, g.script[id] = script[0], script[1:]
	}
	g.mu.Unlock()
	time.Sleep(g.latency)
	if errors.Is(err, errHang) {
		<-ctx.Done()
		err = fmt.Errorf("no answer: %w: %w", backoff.ErrTransient, ctx.Err())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.active--
	if err == nil {
		if g.got == nil {
			g.got = map[string][]string{}
		}
		g.got[id] = append(g.got[id], string(frame.Data()))
	}
	return err
}

func frames(texts ...string) []push.Frame {
	list := make([]push.Frame, len(texts))
	for i, text := range texts {
		list[i] = push.NewFrame([]byte(text))
	}
	return list
}

func newPusher(g *gateway, concurrency int) *push.Pusher {
	clock := backoff.RealClock()
	clock.Random = func() float64 { return 0.5 }
	return push.New(g, concurrency, clock)
}

func counts(of ...int) (c push.Counts) { copy(c[:], of); return c }

func TestPush(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	tests := []struct {
		name   string
		script []error
		valid  time.Duration // from now
		frames []push.Frame
		want   push.Counts
		got    []string
		took   time.Duration
	}{
		{name: "frames arrive in order", valid: hour, frames: frames("1", "2", "3"), want: counts(3), got: []string{"1", "2", "3"}},
		{name: "429 and 5xx are tried again", script: []error{errBusy, errService}, valid: hour, frames: frames("1", "2"),
			want: counts(2), got: []string{"1", "2"}, took: 75 * time.Millisecond},
		{name: "gone ends the recipient", script: []error{nil, errGone}, valid: hour, frames: frames("1", "2", "3"), want: counts(1, 2), got: []string{"1"}},
		{name: "a refused frame costs one attempt and the next is posted", script: []error{errRefused}, valid: hour, frames: frames("1", "2"),
			want: counts(1, 0, 0, 0, 1), got: []string{"2"}},
		{name: "throttled to the end, the next frame still goes", script: []error{errBusy, errBusy, errBusy, errBusy, errBusy}, valid: hour, frames: frames("1", "2"),
			want: counts(1, 0, 0, 1), got: []string{"2"}, took: 375 * time.Millisecond},
		{name: "one who reads slowly gets one attempt for each further frame", valid: hour, frames: frames("1", "2", "3", "4"),
			script: []error{errBusy, errBusy, errBusy, errBusy, errBusy, errBusy, errBusy}, want: counts(1, 0, 0, 3), got: []string{"4"}, took: 375 * time.Millisecond},
		{name: "a token that has run out gets no attempt", valid: 0, frames: frames("1", "2"), want: counts(0, 0, 2)},
		{name: "a token that runs out between two attempts gets no further one", script: []error{errBusy, errBusy, nil}, valid: 60 * time.Millisecond, frames: frames("1", "2"),
			want: counts(0, 0, 2), took: 75 * time.Millisecond},
		{name: "a hung post is not repeated and the next ones get little time", script: []error{errHang, errHang, errHang}, valid: hour, frames: frames("1", "2", "3", "4"),
			want: counts(1, 0, 0, 0, 3), got: []string{"4"}, took: push.AttemptTimeout + 2*push.StalledTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{script: map[string][]error{"bad=": tt.script}}
				began := time.Now()
				result := newPusher(g, 8).Push(t.Context(), []push.Delivery{
					{Recipient: push.Recipient{ConnectionID: "bad=", ValidUntil: began.Add(tt.valid)}, Frames: tt.frames},
					{Recipient: push.Recipient{ConnectionID: "good=", ValidUntil: began.Add(hour)}, Frames: frames("x", "y")},
				})
				if diff := cmp.Diff([]push.Counts{tt.want, counts(2)}, result); diff != "" {
					t.Errorf("counts: delivered, gone, expired, throttled, failed (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.got, g.got["bad="]); diff != "" {
					t.Errorf("frames (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"x", "y"}, g.got["good="]); diff != "" {
					t.Errorf("the other's frames (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestReplayEndsAtTheFirstFrameThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{script: map[string][]error{"a=": {nil, errBusy, nil, errRefused}}}
		d := push.Delivery{Recipient: push.Recipient{ConnectionID: "a=", ValidUntil: time.Now().Add(time.Hour)}, Frames: frames("1", "2", "3", "4")}
		if delivered, last := newPusher(g, 1).Replay(t.Context(), d); delivered != 2 || last != push.Failed {
			t.Errorf("Replay = %d, %v, want 2, failed", delivered, last)
		}
		d.Frames = d.Frames[2:]
		if delivered, last := newPusher(g, 1).Replay(t.Context(), d); delivered != 2 || last != push.Delivered {
			t.Errorf("Replay = %d, %v, want 2, delivered", delivered, last)
		}
		d.ValidUntil = time.Now()
		if delivered, last := newPusher(g, 1).Replay(t.Context(), d); delivered != 0 || last != push.Expired {
			t.Errorf("Replay = %d, %v, want 0, expired", delivered, last)
		}
	})
}

func everyone(n int) []push.Delivery {
	list := make([]push.Delivery, n)
	for i := range list {
		list[i] = push.Delivery{Recipient: push.Recipient{ConnectionID: fmt.Sprint(i), ValidUntil: time.Now().Add(time.Hour)}, Frames: frames("1")}
	}
	return list
}

func TestPostsUnderWayAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{latency: 10 * time.Millisecond}
		began := time.Now()
		newPusher(g, 16).Push(t.Context(), everyone(160))
		if g.most != 16 {
			t.Errorf("%d posts under way at once, want 16", g.most)
		}
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("160 posts of 10 ms took %v, want ten rounds", took)
		}
	})
}

func TestThePaceHalvesOnceForOneThrottledRoundAndGrowsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{latency: 10 * time.Millisecond, script: map[string][]error{}}
		for i := range 16 {
			g.script[fmt.Sprint(i)] = []error{errBusy}
		}
		p := newPusher(g, 16)
		p.Push(t.Context(), everyone(400))
		perRound := map[time.Duration]int{}
		for _, at := range g.attempts {
			perRound[at.Sub(g.attempts[0])]++
		}
		const second = 35 * time.Millisecond // the first round's latency and its backoff
		if perRound[0] != 16 || perRound[second] != 8 {
			t.Errorf("attempts of the first rounds = %d, %d, want 16, then 8", perRound[0], perRound[second])
		}
		g.most = 0
		p.Push(t.Context(), everyone(160))
		if g.most != 16 {
			t.Errorf("%d posts under way after 400 successes, want 16 again", g.most)
		}
	})
}

func TestOneSlowReaderSlowsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		busy := make([]error, 1000)
		for i := range busy {
			busy[i] = errBusy
		}
		g := &gateway{latency: 10 * time.Millisecond, script: map[string][]error{"0": busy}}
		began := time.Now()
		newPusher(g, 16).Push(t.Context(), everyone(160))
		if g.most != 16 {
			t.Errorf("%d posts under way at once, want 16", g.most)
		}
		slowest := 5*10*time.Millisecond + 375*time.Millisecond // its own attempts and waits
		if took := time.Since(began); took > slowest+10*time.Millisecond {
			t.Errorf("took %v, want no longer than the slow reader alone, %v", took, slowest)
		}
	})
}

func TestASlowReaderDelaysTheNextPushNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{script: map[string][]error{"0": {errBusy, errBusy, errBusy, errBusy, errBusy, errBusy, nil, errBusy}}}
		p := newPusher(g, 4)
		var took []time.Duration
		for range 4 {
			began := time.Now()
			p.Push(t.Context(), everyone(2))
			took = append(took, time.Since(began))
		}
		// Throttled to the end; one attempt; it reads again; and then it is tried again like everybody.
		want := []time.Duration{375 * time.Millisecond, 0, 0, 25 * time.Millisecond}
		if diff := cmp.Diff(want, took); diff != "" {
			t.Errorf("pushes took (-want +got):\n%s", diff)
		}
	})
}

func TestManyVanishedClientsCostSecondsNotTheFunctionsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const concurrency, vanished = 16, 400
		g := &gateway{script: map[string][]error{}}
		for i := range vanished {
			g.script[fmt.Sprint(i)] = []error{errHang}
		}
		began := time.Now()
		results := newPusher(g, concurrency).Push(t.Context(), everyone(vanished+1))
		if results[vanished] != counts(1) {
			t.Errorf("the one that lives: %v", results[vanished])
		}
		want := 2*push.AttemptTimeout + (vanished/concurrency)*push.StalledTimeout // 50 s, if each had the whole time
		if took := time.Since(began); took > want {
			t.Errorf("took %v, want at most %v", took, want)
		}
	})
}

func TestPushEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g := &gateway{script: map[string][]error{}}
		all := everyone(10)
		for _, d := range all {
			g.script[d.ConnectionID] = []error{errHang, errHang}
		}
		began := time.Now()
		results := newPusher(g, 2).Push(ctx, all)
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
		for i, c := range results {
			if c != counts(0, 0, 0, 0, 1) {
				t.Errorf("delivery %d = %v, want failed", i, c)
			}
		}
	})
}
