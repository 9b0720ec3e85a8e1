package stack

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/purposepath/realtime/local/internal/lambda"
)

// logger is the log of one part of the stack, among the functions' lines and in their form.
func (s *Stack) logger(part string) *slog.Logger {
	if s.cfg.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(lines{part: part, log: s.cfg.Log})
}

type lines struct {
	part   string
	log    func(lambda.Line)
	fields []lambda.Field
}

// Enabled implements slog.Handler: the parts' details are for those who work on them.
func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (l lines) Handle(_ context.Context, r slog.Record) error {
	line := lambda.Line{Time: r.Time, Function: l.part, Level: r.Level.String(), Message: r.Message, Fields: l.fields[:len(l.fields):len(l.fields)]}
	r.Attrs(func(a slog.Attr) bool {
		line.Fields = append(line.Fields, lambda.Field{Key: a.Key, Value: a.Value.String()})
		return true
	})
	raw := map[string]string{"timestamp": r.Time.UTC().Format(time.RFC3339Nano), "level": line.Level, "function": l.part, "message": r.Message}
	for _, field := range line.Fields {
		raw[field.Key] = field.Value
	}
	line.Raw, _ = json.Marshal(raw) // strings always marshal
	l.log(line)
	return nil
}

// WithAttrs implements slog.Handler.
func (l lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := l.fields[:len(l.fields):len(l.fields)]
	for _, a := range attrs {
		fields = append(fields, lambda.Field{Key: a.Key, Value: a.Value.String()})
	}
	l.fields = fields
	return l
}

// WithGroup implements slog.Handler: the parts use none.
func (l lines) WithGroup(string) slog.Handler { return l }
