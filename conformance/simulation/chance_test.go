package simulation_test

import (
	"math"
	"time"
)

// A chance draws everything that is random in a run. A draw depends on the seed and its key alone, never on the draws before it: where
// one client or fault is left out, the others keep their fate, and a failing run can be shrunk.
type chance uint64

func (c chance) bits(key string) uint64 {
	h := uint64(c)*0x9e3779b97f4a7c15 + 0xcbf29ce484222325
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 0x100000001b3
	}
	h ^= h >> 30 // the finalizer of SplitMix64: FNV alone leaves the low bits of similar keys alike
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// share is in [0, 1).
func (c chance) share(key string) float64 { return float64(c.bits(key)>>11) / (1 << 53) }

// below is in [0, n).
func (c chance) below(n int, key string) int { return int(c.bits(key) % uint64(n)) }

// from is in [least, most].
func (c chance) from(least, most int, key string) int { return least + c.below(most-least+1, key) }

// between is in [least, most).
func (c chance) between(least, most time.Duration, key string) time.Duration {
	return least + time.Duration(c.share(key)*float64(most-least))
}

// upTo is mostly far below most: latencies have a long tail.
func (c chance) upTo(most time.Duration, key string) time.Duration {
	return time.Duration(math.Pow(c.share(key), 4)*float64(most)) + 1
}
