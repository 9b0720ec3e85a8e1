package push

import "sync"

// A pace bounds the posts under way: additive increase, multiplicative decrease, as TCP finds its share of a line.
type pace struct {
	mu      sync.Mutex
	changed sync.Cond
	most    float64
	allowed float64
	active  int
	began   int    // turns begun so far
	halved  int    // value of began when allowed was last halved
	suspect string // the recipient that was throttled last
}

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

// end gives a turn back. One that went well lets the pace grow; one that failed says nothing about the quota.
func (p *pace) end(well bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if well {
		p.allowed = min(p.most, p.allowed+1/p.allowed)
	}
	p.changed.Broadcast()
}

// throttled gives a turn back that was answered 429. The first recipient is only suspected of being slow; when another is throttled
// too, it is the quota. Turns that began before the last halving say nothing new.
func (p *pace) throttled(turn int, connectionID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if p.suspect != "" && p.suspect != connectionID && turn > p.halved {
		p.allowed = max(1, p.allowed/2)
		p.halved = p.began
	}
	p.suspect = connectionID
	p.changed.Broadcast()
}
