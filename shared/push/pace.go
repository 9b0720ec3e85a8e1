package push

import "sync"

// A pace bounds the posts under way: additive increase, multiplicative decrease, as TCP finds its share of a line.
type pace struct {
	mu      sync.Mutex
	changed sync.Cond
	most    float64
	allowed float64
	active  int
	began   int // turns begun so far
	halved  int // value of began when allowed was last halved
}

type paceResult int

const (
	paceWell paceResult = iota
	paceThrottled
	paceUnknown // says nothing about the quota
)

func newPace(most int) *pace {
	p := &pace{most: float64(most), allowed: float64(most)}
	p.changed.L = &p.mu
	return p
}

// begin waits for a turn. The posts under way all end within their time-out, so it does too.
func (p *pace) begin() (turn int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for float64(p.active) >= p.allowed {
		p.changed.Wait()
	}
	p.active++
	p.began++
	return p.began
}

// end gives the turn back. Those that began before the last halving say nothing new by being throttled as well.
func (p *pace) end(turn int, result paceResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	switch {
	case result == paceThrottled && turn > p.halved:
		p.allowed = max(1, p.allowed/2)
		p.halved = p.began
	case result == paceWell:
		p.allowed = min(p.most, p.allowed+1/p.allowed)
	}
	p.changed.Broadcast()
}
