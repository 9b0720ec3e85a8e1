package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/telemetry"
)

func TestEmitWritesOneLineInEmbeddedMetricFormat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	metrics := telemetry.NewMetrics(&out, "broadcaster", func() time.Time { return time.UnixMilli(1_700_000_000_123) })
	metrics.Emit("reason", "unknown_type", telemetry.Count("eventsRefused", 2), telemetry.Milliseconds("latency", 1500*time.Microsecond, 2*time.Millisecond),
		telemetry.Milliseconds("nothing"))
	var got any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	want := map[string]any{
		"function": "broadcaster", "reason": "unknown_type", "eventsRefused": []any{2.0}, "latency": []any{1.5, 2.0},
		"_aws": map[string]any{
			"Timestamp": 1_700_000_000_123.0,
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": telemetry.Namespace, "Dimensions": []any{[]any{"function", "reason"}},
				"Metrics": []any{map[string]any{"Name": "eventsRefused", "Unit": "Count"}, map[string]any{"Name": "latency", "Unit": "Milliseconds"}},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != 1 || out.Bytes()[out.Len()-1] != '\n' {
		t.Errorf("%d lines, want one that ends", lines)
	}
}

func TestWhatCanNotBeWrittenIsLeftOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	metrics := telemetry.NewMetrics(&out, "pusher", time.Now)
	metrics.Emit("", "", telemetry.Metric{Name: "broken", Values: []float64{math.NaN()}})
	metrics.Emit("", "", telemetry.Milliseconds("nothing"))
	var none *telemetry.Metrics
	none.Emit("", "", telemetry.Count("posts", 1))
	if out.Len() != 0 {
		t.Errorf("wrote %s", out.Bytes())
	}
}

func TestOneMetricHoldsAtMostAHundredValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	telemetry.NewMetrics(&out, "pusher", time.Now).Emit("", "", telemetry.Milliseconds("latency", make([]time.Duration, 250)...))
	var line struct{ Latency []float64 }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || len(line.Latency) != 100 {
		t.Errorf("%d values (%v), want 100", len(line.Latency), err)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		level               string
		debug, info, errors bool
	}{
		{level: "DEBUG", debug: true, info: true, errors: true},
		{level: "INFO", info: true, errors: true},
		{level: "ERROR", errors: true},
		{level: "", info: true, errors: true},
		{level: "nonsense", info: true, errors: true},
	} {
		for name, logger := range map[string]*slog.Logger{"": telemetry.Logger(tt.level), "with": telemetry.Logger(tt.level).With("k", "v").WithGroup("g")} {
			got := []bool{logger.Enabled(t.Context(), slog.LevelDebug), logger.Enabled(t.Context(), slog.LevelInfo), logger.Enabled(t.Context(), slog.LevelError)}
			if diff := cmp.Diff([]bool{tt.debug, tt.info, tt.errors}, got); diff != "" {
				t.Errorf("level %q %s: debug, info, error (-want +got):\n%s", tt.level, name, diff)
			}
		}
	}
}
