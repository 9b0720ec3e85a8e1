package main

import (
	"testing"
	"time"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	hundred := make(latencies, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, tt := range []struct {
		name string
		of   latencies
		p    float64
		want time.Duration
	}{
		{"none", nil, 50, 0},
		{"of one, the median", latencies{7}, 50, 7},
		{"of one, the 99th", latencies{7}, 99, 7},
		{"of two, the median is the smaller", latencies{9, 3}, 50, 3},
		{"of three", latencies{9, 3, 5}, 50, 5},
		{"the 99th of a few is the greatest", latencies{9, 3, 5}, 99, 9},
		{"of a hundred, the median", hundred, 50, 50},
		{"of a hundred, the 99th", hundred, 99, 99},
		{"the greatest", hundred, 100, 100},
		{"the smallest", hundred, 0, 1},
	} {
		if got := tt.of.percentile(tt.p); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the latencies were sorted in place")
	}
}

func TestAFigureIsTheMedianBetweenSmallestAndGreatest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of   figure
		want string
	}{
		{nil, "–"},
		{figure{1.234}, "1.23"},
		{figure{3.5, 1.25}, "2.38 (1.25–3.50)"},
		{figure{9, 1, 120.4, 5, 2}, "5 (1–120)"},
		{figure{99.94, 99.96, 12.345}, "99.9 (12.3–100)"},
		{figure{9.994, 9.996, 0}, "9.99 (0–10.0)"},
		{figure{-0.5}, "-0.50"},
	} {
		if got := tt.of.String(); got != tt.want {
			t.Errorf("%v = %q, want %q", []float64(tt.of), got, tt.want)
		}
	}
}

func TestAReportIsMarkdownInTheOrderOfImportance(t *testing.T) {
	t.Parallel()
	r := newReport()
	for _, v := range []float64{3, 1, 2} {
		r.add(titleStart, "exec to ready", "ms", v)
	}
	r.addPercentiles(titleRoundTrip, "ping", "", latencies{2 * time.Millisecond})
	r.add(titleRoundTrip, "auth", "p99, ms", 4)
	r.addUsage(titleCPU, "ping", usage{}, 1) // not measured: no table
	const want = `
| round trip | p50, ms | p99, ms |
|---|---:|---:|
| ping | 2 | 2 |
| auth | – | 4 |

| start | ms |
|---|---:|
| exec to ready | 2 (1–3) |
`
	if got := r.String(); got != want {
		t.Errorf("report = %s\nwant %s", got, want)
	}
}
