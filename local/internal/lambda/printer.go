package lambda

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	maxPrintedMessage = 8 * 1024 // bytes
	maxPrintedField   = 1024     // bytes
	maxNameColumn     = 28       // characters
)

// A Printer writes Lines for a person: time, function, level, request, message, then key=value.
//
// Lines of one call are never torn apart by another's. Control characters, escape sequences among them, arrive visible and
// harmless: what a function logs may come from anybody. Metrics are left out.
type Printer struct {
	JSON   bool // lines as the functions wrote them instead, metrics included
	Colour bool

	mu   sync.Mutex
	w    io.Writer
	name int // width of the widest function name so far
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: w} }

// WantsColour says whether f is a terminal whose user has not asked for none (https://no-color.org).
func WantsColour(f *os.File, getenv func(string) string) bool {
	if getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Print writes one Line. It is a Config.Log.
func (p *Printer) Print(line Line) {
	if line.Metrics && !p.JSON {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Where the reader has gone there is nobody to tell.
	if p.JSON {
		_, _ = p.w.Write(append(line.Raw[:len(line.Raw):len(line.Raw)], '\n'))
		return
	}
	_, _ = io.WriteString(p.w, p.format(line))
}

func (p *Printer) format(line Line) string {
	p.name = max(p.name, min(utf8.RuneCountInString(line.Function), maxNameColumn))
	request := line.RequestID[:min(8, len(line.RequestID))]
	var b strings.Builder
	b.WriteString(p.paint(dim, line.Time.Local().Format("15:04:05.000")))
	b.WriteString(" " + p.paint(cyan, pad(visible(line.Function), p.name)))
	b.WriteString(" " + p.paint(levelColour(line.Level), pad(visible(line.Level), 5)))
	b.WriteString(" " + p.paint(dim, pad(visible(request), 8)))
	first, rest, _ := strings.Cut(cut(line.Message, maxPrintedMessage), "\n")
	b.WriteString(" " + visible(first))
	for _, field := range line.Fields {
		b.WriteString(" " + p.paint(dim, visible(field.Key)+"=") + quoted(cut(field.Value, maxPrintedField)))
	}
	if rest != "" {
		for more := range strings.SplitSeq(rest, "\n") {
			b.WriteString("\n    " + visible(more))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

const (
	dim    = "2"
	red    = "31"
	yellow = "33"
	cyan   = "36"
)

func levelColour(level string) string {
	switch level {
	case "ERROR", "FATAL":
		return red
	case "WARN":
		return yellow
	case "DEBUG":
		return dim
	}
	return ""
}

func (p *Printer) paint(colour, s string) string {
	if !p.Colour || colour == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// cut shortens s to limit bytes and says so.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	kept := strings.ToValidUTF8(s[:limit], "")
	return fmt.Sprintf("%s… (%d bytes more)", kept, len(s)-len(kept))
}

// quoted is a field's value, in quotes where it would not read as one word.
func quoted(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || r == '"' || r == '=' || hidden(r) }) && !isJSON(s) {
		return strconv.Quote(s)
	}
	return visible(s)
}

// isJSON says whether s is an object or array, which needs no quotes.
func isJSON(s string) bool { return s[0] == '{' || s[0] == '[' }

// visible writes out what a terminal would act on or hide.
func visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if part := s[i : i+size]; hidden(r) {
			q := strconv.QuoteToGraphic(part)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(part)
		}
		i += size
	}
	return b.String()
}

func hidden(r rune) bool { return r != '\t' && !unicode.IsGraphic(r) || r == utf8.RuneError }
