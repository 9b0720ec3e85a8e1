package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Line is one line of a function's output, or one note of the Runtime about a function. A Go program's last panic is one
// Line, however many lines it has.
type Line struct {
	Time      time.Time
	Function  string
	RequestID string // "" outside invocations
	Level     string // DEBUG, INFO, WARN, ERROR, FATAL; "" where the line does not say
	Message   string // may have several lines
	Fields    []Field
	Metrics   bool   // CloudWatch embedded metrics: for a machine
	Raw       []byte // as it was written, without its last newline
}

// A Field is one further member of a structured line.
type Field struct{ Key, Value string }

// emit hands on a line that the process wrote.
func (p *process) emit(requestID string, raw []byte) {
	if p.quiet.Load() {
		return
	}
	line := parseLine(raw)
	line.Function = p.f.Name
	if line.RequestID == "" {
		line.RequestID = requestID
	}
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	p.f.rt.cfg.Log(line)
}

// note hands on what the Runtime itself has to say about the process, in the form of the functions' own lines.
func (p *process) note(level, requestID, message string, fields ...Field) {
	line := Line{Time: time.Now(), Function: p.f.Name, RequestID: requestID, Level: level, Message: message, Fields: fields}
	object := map[string]string{
		"timestamp": line.Time.UTC().Format(time.RFC3339Nano),
		"level":     level,
		"message":   message,
		"function":  line.Function,
	}
	if requestID != "" {
		object["requestId"] = requestID
	}
	for _, f := range fields {
		object[f.Key] = f.Value
	}
	line.Raw, _ = json.Marshal(object) // strings always marshal
	p.f.rt.cfg.Log(line)
}

// parseLine reads one line: structured as Lambda's loggers write it (JSON with timestamp, level, message, requestId), an
// error that aws-lambda-go reports, or any text.
func parseLine(raw []byte) Line {
	line := Line{Raw: raw}
	text := withoutDate(raw)
	if len(text) > 0 && text[0] == '{' && line.parseObject(text) {
		return line
	}
	line.Message = string(text)
	if bytes.HasPrefix(raw, []byte("panic: ")) || bytes.HasPrefix(raw, []byte("fatal error: ")) {
		line.Level = "FATAL"
	}
	return line
}

// withoutDate cuts off what package log puts before a line: "2026/11/25 09:52:58 ", or with microseconds.
func withoutDate(raw []byte) []byte {
	const form = "dddd/dd/dd dd:dd:dd"
	if len(raw) <= len(form) {
		return raw
	}
	for i := range len(form) {
		digit := raw[i] >= '0' && raw[i] <= '9'
		if form[i] == 'd' && !digit || form[i] != 'd' && raw[i] != form[i] {
			return raw
		}
	}
	rest := raw[len(form):]
	if rest[0] == '.' {
		rest = bytes.TrimLeft(rest[1:], "0123456789")
	}
	if len(rest) == 0 || rest[0] != ' ' {
		return raw
	}
	return rest[1:]
}

// parseObject reads a JSON object in the order of its members and reports whether text is one.
func (line *Line) parseObject(text []byte) bool {
	if !json.Valid(text) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return false
	}
	var failure lambdaFailure
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return false
		}
		line.member(key.(string), value, &failure) // in a valid object every other token is a string
	}
	if failure.kind != "" && line.Message == "" {
		line.Level = "ERROR"
		line.Message = failure.String()
	}
	return true
}

// member takes in one member of a structured line.
func (line *Line) member(key string, value json.RawMessage, failure *lambdaFailure) {
	text := plain(value)
	switch key {
	case "timestamp", "time":
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			line.Time = t
			return
		}
	case "level":
		line.Level = strings.ToUpper(text)
		return
	case "message", "msg":
		line.Message = text
		return
	case "requestId":
		line.RequestID = text
		return
	case "_aws":
		line.Metrics = true
	case "errorType":
		failure.kind = text
		return
	case "errorMessage":
		failure.message = text
		return
	case "stackTrace":
		if json.Unmarshal(value, &failure.frames) == nil {
			return
		}
	}
	line.Fields = append(line.Fields, Field{key, text})
}

// plain is a JSON string's text, or any other value as it stands.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil && len(value) > 0 && value[0] == '"' {
		return text
	}
	return string(value)
}

// A lambdaFailure is the error object that aws-lambda-go writes to its log when a handler fails or panics.
type lambdaFailure struct {
	kind, message string
	frames        []struct {
		Path  string `json:"path"`
		Line  int    `json:"line"`
		Label string `json:"label"`
	}
}

// String is the error and, for a panic, the function's own part of the stack.
func (f *lambdaFailure) String() string {
	var b strings.Builder
	b.WriteString(f.kind + ": " + f.message)
	for _, frame := range f.frames {
		if strings.HasPrefix(frame.Path, "runtime/") || strings.HasPrefix(frame.Path, "reflect/") ||
			strings.Contains(frame.Path, "aws-lambda-go@") {
			continue
		}
		fmt.Fprintf(&b, "\n  at %s (%s:%d)", frame.Label, frame.Path, frame.Line)
	}
	return b.String()
}
