package main

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"time"
)

const statLine = "23648 (cat) R 23636 23636 8146 0 -1 4194304 100 0 0 0 12 5 0 0 20 0 1 0 392074 3133440 394 18446744073709551615 94291246518272 0 0"

func TestAStatLineIsAProcess(t *testing.T) {
	t.Parallel()
	page := int64(os.Getpagesize())
	cat := process{pid: 23648, parent: 23636, begun: 3920740 * time.Millisecond, cpu: 170 * time.Millisecond, resident: 394 * page}
	for _, tt := range []struct {
		name, line string
		want       process
		wrong      bool
	}{
		{name: "as Linux writes it", line: statLine + "\n", want: cat},
		{name: "a program named to confuse", line: "23648 (a) R 1 (b)" + statLine[len("23648 (cat)"):], want: cat},
		{name: "cut off", line: statLine[:60], wrong: true},
		{name: "empty", line: "", wrong: true},
		{name: "parentheses in the wrong order", line: ")(", wrong: true},
		{name: "no number", line: "x" + statLine, wrong: true},
		{name: "a negative time", line: "23648 (cat) R 23636 23636 8146 0 -1 4194304 100 0 0 0 -12 5 0 0 20 0 1 0 392074 3133440 394 1", wrong: true},
	} {
		got, err := parseStat([]byte(tt.line))
		if got != tt.want || errors.Is(err, errNoStat) != tt.wrong {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statLine))
	f.Add([]byte("1 (systemd) S 0 1 1 0 -1"))
	f.Fuzz(func(t *testing.T, line []byte) {
		p, err := parseStat(line)
		if err != nil && p != (process{}) {
			t.Errorf("%+v in spite of %v", p, err)
		}
		if p.pid < 0 || p.parent < 0 {
			t.Errorf("%+v", p)
		}
	})
}

func TestACensusCountsTheProcessItself(t *testing.T) {
	t.Parallel()
	c := takeCensus(os.Getpid())
	if runtime.GOOS != "linux" {
		if c != nil {
			t.Error("a census without /proc")
		}
		return
	}
	if c == nil || c.stack.pid != os.Getpid() || c.stack.parent != os.Getppid() || c.stack.resident <= 0 {
		t.Errorf("census = %+v", c)
	}
	if takeCensus(1<<30) != nil { // beyond the greatest process id
		t.Error("a census of no process")
	}
}

func TestUsageCountsWhatBeganInBetweenWhole(t *testing.T) {
	t.Parallel()
	before := &census{stack: process{cpu: 100}, engine: process{cpu: 10}, functions: map[int]process{1: {cpu: 5}, 2: {cpu: 50}}}
	after := &census{stack: process{cpu: 130}, engine: process{cpu: 12}, functions: map[int]process{1: {cpu: 9}, 3: {cpu: 7}}}
	if got, want := after.since(before), (usage{measured: true, stack: 30, engine: 2, functions: 11}); got != want {
		t.Errorf("since = %+v, want %+v", got, want)
	}
	if got := after.since(nil); got.measured {
		t.Errorf("since no census = %+v", got)
	}
}

func TestTheProcessorIsNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ info, want string }{
		{"processor\t: 0\nmodel name\t: AMD EPYC: 7B13\nmodel name\t: other\n", "AMD EPYC: 7B13"},
		{"processor\t: 0\nBogoMIPS\t: 50.00\n", "of unknown model"}, // as on arm64
		{"", "of unknown model"},
	} {
		if got := parseProcessor([]byte(tt.info)); got != tt.want {
			t.Errorf("processor of %q = %q, want %q", tt.info, got, tt.want)
		}
	}
}
