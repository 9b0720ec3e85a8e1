package lambda

import (
	"os"
	"strings"
	"testing"
	"time"
)

func at(ms int) time.Time { return time.Date(2026, 11, 25, 9, 52, 58, ms*1_000_000, time.Local) }

func TestPrinter(t *testing.T) {
	t.Parallel()
	id := "7879bf17-9395-44e4-b4f7-e25643b60bf0"
	tests := []struct {
		name  string
		lines []Line
		want  string
	}{
		{
			name:  "time, function, level, request, message, fields",
			lines: []Line{{Time: at(7), Function: "ping", RequestID: id, Level: "INFO", Message: "answered", Fields: []Field{{"action", "ping"}, {"why", "so it is"}, {"ids", `["a b"]`}, {"none", ""}}}},
			want:  `09:52:58.007 ping INFO  7879bf17 answered action=ping why="so it is" ids=["a b"] none=""` + "\n",
		},
		{
			name: "columns stay where the longest name puts them",
			lines: []Line{
				{Time: at(1), Function: "broadcaster", Level: "WARN", Message: "a"},
				{Time: at(2), Function: "ping", Message: "b"},
			},
			want: "09:52:58.001 broadcaster WARN           a\n" +
				"09:52:58.002 ping                       b\n",
		},
		{
			name:  "a message of several lines is one block, its fields in the first",
			lines: []Line{{Time: at(1), Function: "ping", RequestID: id, Level: "FATAL", Message: "panic: ouch\n\ngoroutine 1 [running]:\n\tmain.go:1", Fields: []Field{{"a", "1"}}}},
			want:  "09:52:58.001 ping FATAL 7879bf17 panic: ouch a=1\n    \n    goroutine 1 [running]:\n    \tmain.go:1\n",
		},
		{
			name:  "metrics are for machines",
			lines: []Line{{Time: at(1), Function: "ping", Metrics: true, Message: "x"}},
		},
		{
			name:  "escape sequences do nothing",
			lines: []Line{{Time: at(1), Function: "ping", Message: "\x1b]0;title\x07\u202e", Fields: []Field{{"k\x1b", "\x1b[2J"}}}},
			want:  `09:52:58.001 ping                \x1b]0;title\a\u202e k\x1b="\x1b[2J"` + "\n",
		},
		{
			name:  "very long messages and fields are cut",
			lines: []Line{{Time: at(1), Function: "ping", Message: strings.Repeat("m", 9000), Fields: []Field{{"f", strings.Repeat("f", 2000)}}}},
			want:  "09:52:58.001 ping                " + strings.Repeat("m", 8192) + "… (808 bytes more) f=\"" + strings.Repeat("f", 1024) + "… (976 bytes more)\"\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			p := NewPrinter(&b)
			for _, line := range tt.lines {
				p.Print(line)
			}
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
		})
	}
}

func TestPrinterInColour(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := NewPrinter(&b)
	p.Colour = true
	p.Print(Line{Time: at(1), Function: "ping", Level: "ERROR", RequestID: "7879bf17-", Message: "boom", Fields: []Field{{"a", "1"}}})
	want := "\x1b[2m09:52:58.001\x1b[0m \x1b[36mping\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2m7879bf17\x1b[0m boom \x1b[2ma=\x1b[0m1\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPrinterPassesJSONThrough(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := NewPrinter(&b)
	p.JSON, p.Colour = true, true
	for _, raw := range []string{`{"message":"hi"}`, `{"_aws":{}}`, "text\x1b"} {
		p.Print(parseLine([]byte(raw)))
	}
	if want := "{\"message\":\"hi\"}\n{\"_aws\":{}}\ntext\x1b\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestWantsColour(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.Open(os.DevNull) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	tests := []struct {
		name string
		f    *os.File
		env  map[string]string
		want bool
	}{
		{"terminal", device, nil, true},
		{"file", file, nil, false},
		{"NO_COLOR", device, map[string]string{"NO_COLOR": "1"}, false},
		{"empty NO_COLOR", device, map[string]string{"NO_COLOR": ""}, true},
		{"dumb terminal", device, map[string]string{"TERM": "dumb"}, false},
	}
	for _, tt := range tests {
		if got := WantsColour(tt.f, func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%s: WantsColour = %v, want %v", tt.name, got, tt.want)
		}
	}
}
