// Package telemetry is what the functions write for their operators: structured lines and metrics, both on standard output.
//
// Neither ever holds a payload, a token or a whole message; a tenant's id is a field of lines, never a dimension of metrics
// (each dimension value is a metric of its own, and is billed as one).
package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Logger returns Lambda's own structured logger (JSON with timestamp, level, message, requestId) that drops lines below the
// level, one of DEBUG, INFO, WARN and ERROR; any other is INFO.
//
// The level is filtered here. Lambda's own ApplicationLogLevel never stands above INFO: it would drop the
// lines of metrics too.
func Logger(level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	return slog.New(leveled{lambdacontext.NewLogHandler(), least})
}

type leveled struct {
	slog.Handler
	least slog.Level
}

func (h leveled) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs), h.least}
}

func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.least}
}

// ExitOn ends the process with a line that says why it can't start, if it can't.
func ExitOn(log *slog.Logger, err error) {
	if err != nil {
		log.Error("the function can't start", "error", err)
		os.Exit(1)
	}
}

// Namespace is that of all metrics.
const Namespace = "PurposePath/Realtime"

// A Metric is one figure. Values that were measured several times in one invocation are a distribution.
type Metric struct {
	Name   string
	Unit   string // CloudWatch's: Count, Milliseconds, Bytes
	Values []float64
}

// Count is the metric of something that happened n times.
func Count(name string, n int) Metric { return Metric{name, "Count", []float64{float64(n)}} }

// Milliseconds is the metric of something that took so long.
func Milliseconds(name string, took ...time.Duration) Metric {
	m := Metric{name, "Milliseconds", make([]float64, len(took))}
	for i, d := range took {
		m.Values[i] = float64(d.Microseconds()) / 1000
	}
	return m
}

// Metrics writes lines in CloudWatch's embedded metric format. The nil Metrics writes none.
type Metrics struct {
	mu       sync.Mutex
	w        io.Writer
	now      func() time.Time
	function string
}

// NewMetrics returns the metrics of one function.
func NewMetrics(w io.Writer, function string, now func() time.Time) *Metrics {
	return &Metrics{w: w, function: function, now: now}
}

// maxValues is how many values one metric of a line may have (EMF specification).
const maxValues = 100

// Emit writes the metrics in one line, dimensioned by the function and the one further name and value, if that is not "". Metrics
// without a value are left out.
func (m *Metrics) Emit(dimension, value string, metrics ...Metric) {
	if m == nil {
		return
	}
	dimensions := []string{"function"}
	line := map[string]any{"function": m.function}
	if dimension != "" {
		dimensions = append(dimensions, dimension)
		line[dimension] = value
	}
	type definition struct {
		Name string
		Unit string
	}
	var definitions []definition
	for _, metric := range metrics {
		if len(metric.Values) == 0 {
			continue
		}
		definitions = append(definitions, definition{metric.Name, metric.Unit})
		line[metric.Name] = metric.Values[:min(len(metric.Values), maxValues)]
	}
	if len(definitions) == 0 {
		return
	}
	line["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": [][]string{dimensions}, "Metrics": definitions}},
	}
	encoded, err := json.Marshal(line)
	if err != nil {
		return // numbers that JSON lacks: no figure is better than a wrong one
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(encoded, '\n')) // standard output: there is nowhere else to say that it fails
}
