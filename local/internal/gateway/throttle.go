package gateway

import (
	"sync"
	"time"
)

// A bucket holds tokens that grow at a constant rate up to a burst. The nil bucket never runs out.
type bucket struct {
	rate, burst float64 // tokens a second; most tokens

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// newBucket returns a full bucket, or nil for a negative rate.
func newBucket(rate, burst int, now time.Time) *bucket {
	if rate < 0 {
		return nil
	}
	return &bucket{rate: float64(rate), burst: float64(burst), tokens: float64(burst), last: now}
}

// take removes one token, or returns false when there is none.
func (b *bucket) take(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.tokens = min(b.burst, b.tokens+passed*b.rate)
		b.last = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
