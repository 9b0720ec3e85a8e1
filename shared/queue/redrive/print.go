package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/purposepath/realtime/shared/event"
)

// A printer writes what the operator sees. Nothing of a payload, unless letters are to be shown whole.
type printer struct {
	out   io.Writer
	whole bool
	now   func() time.Time
}

// row is wide enough for most; a longer value pushes the rest of its line.
const row = "%-36s  %-5s  %-12s  %-18s  %-18s  %-10s  %-12s  %s\n"

// heading begins a queue.
func (p *printer) heading(url string, c counts) {
	hidden := ""
	if c.hidden > 0 {
		hidden = fmt.Sprintf(", %d in others' hands", c.hidden)
	}
	_, _ = fmt.Fprintf(p.out, "\n%s: about %s%s, each kept for %s\n", url, plural(c.visible, "letter"), hidden, brief(c.retention))
}

func (p *printer) columns() {
	_, _ = fmt.Fprintf(p.out, row, "LETTER", "AGE", "FROM", "REASON", "TYPE", "TENANT", "EVENT", "WHAT")
}

// letter writes one letter in one line. What stands in it is others' text, and none of it may move the cursor.
func (p *printer) letter(l letter, what string) error {
	cells := []string{l.id, brief(max(p.now().Sub(l.since), 0)), l.by, l.reason, l.eventType, l.tenantID, l.eventID}
	values := make([]any, 0, len(cells)+1)
	for _, cell := range cells {
		if cell == "" {
			cell = "-"
		}
		values = append(values, plain(clip(cell, 64)))
	}
	if _, err := fmt.Fprintf(p.out, row, append(values, plain(what))...); err != nil || !p.whole {
		return err
	}
	text := l.body
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(text), "", "  ") == nil {
		text = indented.String()
	}
	for line := range strings.Lines(text) {
		if _, err := fmt.Fprintf(p.out, "    %s\n", plain(strings.TrimRight(line, "\r\n"))); err != nil {
			return err
		}
	}
	return nil
}

// because repeats what the one said who gave the letter up, beside its reason.
func because(l letter) string {
	switch {
	case l.more == "":
		return ""
	case l.by == byBroadcaster, l.by == byPusher:
		return " (it was refused for " + l.more + ")"
	}
	return " (" + clip(l.more, 240) + ")"
}

// why says in few words why a letter stays. The letter's own reason stands beside it already.
func why(err error, reason string) string {
	var refusal *event.Refusal
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	text := "the event must " + refusal.Must
	if refusal.Field != "" {
		text = refusal.Field + " must " + refusal.Must
	}
	if refusal.Reason != reason {
		text = refusal.Reason + ": " + text
	}
	return text
}

// plain replaces what a terminal would act on.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func clip(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// brief is a duration as one says it: 40s, 14m, 3h5m, 2d7h.
func brief(d time.Duration) string {
	two := func(large, small time.Duration, of, rest string) string {
		text := fmt.Sprintf("%d%s", d/large, of)
		if part := d % large / small; part > 0 {
			text += fmt.Sprintf("%d%s", part, rest)
		}
		return text
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return two(time.Hour, time.Minute, "h", "m")
	}
	return two(24*time.Hour, time.Hour, "d", "h")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// save writes the detail of a letter's event into a new file, for its owner alone: it is what users wrote.
func save(l letter, file string) (err error) {
	var detail []byte
	switch {
	case l.bus != nil:
		detail = l.bus.Detail
	case l.queued != nil:
		detail = l.queued.Event.Data
	default:
		return fmt.Errorf("save letter %s: %w", l.id, l.unreadable)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, detail, "", "  "); err != nil {
		return fmt.Errorf("save letter %s: %w", l.id, err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save letter %s: %w", l.id, err)
	}
	_, err = fmt.Fprintf(f, "%s\n", text.Bytes())
	return errors.Join(err, f.Close())
}
