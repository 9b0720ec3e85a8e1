package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A latencies is what one run measured, in any order.
type latencies []time.Duration

// percentile is the smallest latency that p percent are not above (nearest rank). Of none it is 0.
func (l latencies) percentile(p float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// milliseconds is a duration as the tables show it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// A figure is one measured value, one for each run.
type figure []float64

// median is the middle value, or the mean of the two in the middle.
func (f figure) median() float64 {
	sorted := slices.Sorted(slices.Values(f))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// String is the median and, of several runs, the smallest and the greatest.
func (f figure) String() string {
	switch len(f) {
	case 0:
		return "–"
	case 1:
		return number(f[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(f.median()), number(slices.Min(f)), number(slices.Max(f)))
}

// number shows three digits, or all before the point. A whole number is shown as one.
func number(v float64) string {
	switch magnitude := math.Abs(v); {
	case v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case magnitude >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case magnitude >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
