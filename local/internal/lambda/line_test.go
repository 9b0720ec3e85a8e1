package lambda

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		raw  string
		want Line
	}{
		{
			name: "Lambda's JSON logger",
			raw:  `{"timestamp":"2026-11-25T09:52:58.123456789Z","level":"INFO","message":"answered","tenantId":"t1","ms":3,"ids":["a"],"requestId":"7879bf17"}`,
			want: Line{
				Time: time.Date(2026, 11, 25, 9, 52, 58, 123456789, time.UTC), RequestID: "7879bf17", Level: "INFO", Message: "answered",
				Fields: []Field{{"tenantId", "t1"}, {"ms", "3"}, {"ids", `["a"]`}},
			},
		},
		{
			name: "slog's own names",
			raw:  `{"time":"2026-11-25T09:52:58+01:00","level":"warn","msg":"late"}`,
			want: Line{Time: time.Date(2026, 11, 25, 8, 52, 58, 0, time.UTC), Level: "WARN", Message: "late"},
		},
		{
			name: "a time of another form stays a field",
			raw:  `{"time":"noon","msg":"hi"}`,
			want: Line{Message: "hi", Fields: []Field{{"time", "noon"}}},
		},
		{
			name: "embedded metrics",
			raw:  `{"_aws":{"Timestamp":1},"Posts":4}`,
			want: Line{Metrics: true, Fields: []Field{{"_aws", `{"Timestamp":1}`}, {"Posts", "4"}}},
		},
		{
			name: "an error that aws-lambda-go reports",
			raw:  `2026/11/25 09:52:58 {"errorMessage":"boom","errorType":"errorString"}`,
			want: Line{Level: "ERROR", Message: "errorString: boom"},
		},
		{
			name: "a panic that aws-lambda-go reports",
			raw: `2026/11/25 09:52:58 {"errorMessage":"ouch","errorType":"string","stackTrace":[` +
				`{"path":"github.com/aws/aws-lambda-go@v1.55.1/lambda/errors.go","line":39,"label":"lambdaPanicResponse"},` +
				`{"path":"runtime/panic.go","line":860,"label":"gopanic"},` +
				`{"path":"functions/ping/handler.go","line":7,"label":"(*Handler).Handle"},` +
				`{"path":"reflect/value.go","line":586,"label":"Value.call"}]}`,
			want: Line{Level: "ERROR", Message: "string: ouch\n  at (*Handler).Handle (functions/ping/handler.go:7)"},
		},
		{
			name: "a line that has a message besides an error",
			raw:  `{"message":"refused","errorType":"invalid"}`,
			want: Line{Message: "refused"},
		},
		{name: "package log", raw: `2026/11/25 09:52:58 hello`, want: Line{Message: "hello"}},
		{name: "package log with microseconds", raw: `2026/11/25 09:52:58.123456 hello`, want: Line{Message: "hello"}},
		{name: "not quite a date", raw: `2026/11/25 09:52:5x hello`, want: Line{Message: `2026/11/25 09:52:5x hello`}},
		{name: "a date alone", raw: `2026/11/25 09:52:58`, want: Line{Message: `2026/11/25 09:52:58`}},
		{name: "text", raw: `hello`, want: Line{Message: "hello"}},
		{name: "broken JSON is text", raw: `{"a":`, want: Line{Message: `{"a":`}},
		{name: "two objects are text", raw: `{} {}`, want: Line{Message: `{} {}`}},
		{name: "an array is text", raw: `[1]`, want: Line{Message: `[1]`}},
		{name: "the end of a Go program", raw: "panic: ouch\n\ngoroutine 1 [running]:", want: Line{Level: "FATAL", Message: "panic: ouch\n\ngoroutine 1 [running]:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := parseLine([]byte(tt.raw))
			if string(got.Raw) != tt.raw {
				t.Errorf("raw = %q, want it unchanged", got.Raw)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Line{}, "Raw"), cmpopts.EquateApproxTime(0)); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

// One process answers many calls at once, so that the next begins while the lines of the last are on their way.
func TestEveryLineBelongsToItsInvocation(t *testing.T) {
	t.Parallel()
	s := start(t, func(cfg *Config) { cfg.MaxProcesses = 1 })
	const calls, each = 200, 3
	ids := make(chan [2]string, calls)
	for i := range calls {
		go func() {
			text := fmt.Sprintf("call %d", i)
			result, err := s.client.Invoke(t.Context(), "ping", fmt.Appendf(nil, `{"do":"log","text":%q,"n":%d}`, text, each))
			if err != nil {
				text = err.Error()
			}
			ids <- [2]string{text, result.RequestID}
		}()
	}
	want := make(map[string]string)
	for range calls {
		id := <-ids
		want[id[0]] = id[1]
	}
	s.log.wait(t, "all lines", func(Line) bool { return len(s.log.all()) >= calls*each })
	for _, line := range s.log.all() {
		if id, ok := want[line.Message]; ok && id != line.RequestID {
			t.Errorf("line %q is said to belong to request %s, want %s", line.Message, line.RequestID, id)
		}
	}
}

func TestLinesOfAFunction(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.answer(`{"do":"slog","text":"answered","n":7}`).RequestID
	line := s.log.message(t, "answered")
	if line.Function != "ping" || line.RequestID != id || line.Level != "INFO" || !strings.HasPrefix(string(line.Raw), `{"timestamp":`) {
		t.Errorf("line = %+v", line)
	}
	if diff := cmp.Diff([]Field{{"n", "7"}}, line.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}

	s.answer(`{"do":"stderr","text":"to stderr"}`)
	s.log.message(t, "to stderr")

	s.invoke(`{"do":"panic aside"}`)
	line = s.log.wait(t, "the panic", func(l Line) bool { return l.Level == "FATAL" })
	if !strings.HasPrefix(line.Message, "panic: ouch aside\n\ngoroutine ") || !strings.Contains(line.Message, "main.handle") {
		t.Errorf("the panic is not one message: %q", line.Message)
	}
}

func TestLongLineIsCut(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.answer(`{"do":"log","n":1,"text":"` + strings.Repeat("x", 2*maxLine) + `"}`)
	s.answer(`{"do":"log","n":1,"text":"short"}`)
	s.log.message(t, "short")
	line := s.log.wait(t, "the long line", func(l Line) bool { return strings.HasPrefix(l.Message, "xxx") })
	if len(line.Raw) != maxLine {
		t.Errorf("%d bytes of it were kept, want %d", len(line.Raw), maxLine)
	}
}

// A function may write faster than anybody reads: it waits, and nothing is lost.
func TestSlowReaderLosesNothing(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	var s *stack
	s = start(t, func(cfg *Config) {
		cfg.Log = func(line Line) {
			if line.Message == "line" {
				<-held
			}
			s.log.add(line)
		}
	})
	const lines = 30_000 // at 5 bytes, more than a pipe holds
	answered := make(chan Result)
	go func() { answered <- s.invoke(fmt.Sprintf(`{"do":"log","text":"line","n":%d}`, lines)) }()
	s.running(1, 0)
	close(held)
	<-answered
	s.log.wait(t, "all lines", func(Line) bool {
		n := 0
		for _, l := range s.log.all() {
			if l.Message == "line" {
				n++
			}
		}
		return n == lines
	})
}

// Whatever a function writes, its line keeps every byte and prints as text without control characters.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`{"timestamp":"2026-11-25T09:52:58Z","level":"INFO","message":"answered","n":3}`,
		`2026/11/25 09:52:58 {"errorMessage":"ouch","errorType":"string","stackTrace":[{"path":"a.go","line":1,"label":"f"}]}`,
		`{"errorType":"x","stackTrace":7}`,
		"panic: \x1b[31mred\n\ngoroutine 1",
		`{"level":3,"message":null,"":""}`,
		"\xff\u202e\u009b31m",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		line := parseLine(raw)
		if string(line.Raw) != string(raw) {
			t.Errorf("raw = %q, want %q", line.Raw, raw)
		}
		line.Function = "ping"
		var b strings.Builder
		NewPrinter(&b).Print(line)
		printed := b.String()
		if line.Metrics != (printed == "") {
			t.Errorf("metrics: %v, printed %q", line.Metrics, printed)
		}
		if i := strings.IndexFunc(printed, func(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) }); i >= 0 {
			t.Errorf("control character at %d of %q", i, printed)
		}
	})
}
