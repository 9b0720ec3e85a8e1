// Command redrive is for operators: it shows what lies in the dead-letter queues and why, and sends it again (`make redrive`).
//
// Guarantees:
//   - Without --send or --drop nothing changes. A look hides letters while it lasts, and counts one receive of each, which no limit
//     looks at.
//   - A letter is deleted only after its event was accepted, or where --drop names it. It may be ended at any point and be started again;
//     two may run at once.
//   - An event that is sent again stays the same event: it keeps its id, and with it a number that it may have. What is so old that
//     its number may be forgotten is sent only on demand.
//   - Of a payload nothing is printed without --show.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitDone   = 0 // everything asked for was done
	exitFailed = 1 // something could not be done, and trying again may help
	exitUsage  = 2 // the command line was wrong
	exitStays  = 3 // letters stay that can't be sent as they are
)

func main() {
	// `redrive | head` must not kill it while letters are hidden: with a taker for the signal, writing ends with an error instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	quiet := context.AfterFunc(ctx, func() {
		stop() // the next Ctrl-C ends it at once
		_, _ = fmt.Fprintln(os.Stderr, "ending after this page …")
	})
	code := dispatch(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	quiet()
	stop()
	os.Exit(code)
}

func dispatch(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	o, err := parse(args, in, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.Is(err, errUsage):
		return exitUsage
	}
	var s *session
	if err == nil {
		s, err = redrive(ctx, o, out)
	}
	if err != nil {
		_, _ = fmt.Fprintf(errs, "redrive: %s\n", strings.ReplaceAll(err.Error(), "\n", "\nredrive: "))
		return exitFailed
	}
	switch {
	case s.tally[failed] > 0:
		return exitFailed
	case s.sending && s.tally[stays] > 0:
		return exitStays
	}
	return exitDone
}

func redrive(ctx context.Context, o options, out io.Writer) (*session, error) {
	st, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &printer{out, o.show, time.Now}
	s := &session{
		choice: o.choice(), sending: o.send, takes: st.bus.takes, bus: st.bus, tenants: st.tenants, show: p.letter,
		plan:    plan{mend{o.detail, o.detailType}, o.mayRepeat, st.tenants.url, time.Now},
		planned: map[string]bool{}, found: map[string]bool{},
	}
	if o.saveFile != "" {
		s.show = func(l letter, what string) error {
			if err := errors.Join(p.letter(l, what), save(l, o.saveFile)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "    its detail is in %s\n", o.saveFile)
			return err
		}
	}
	received := 0
	for i, b := range []box{st.deadLetters, st.tenantDeadLetters} {
		if s.done() {
			break
		}
		c, err := b.counts(ctx)
		if err != nil {
			return nil, err
		}
		p.heading(b.url, c)
		if c.visible > 0 {
			p.columns()
		}
		seen, err := s.walk(ctx, b)
		received += seen
		if behind := c.visible - seen; i == 1 && behind > 0 && err == nil && !s.done() {
			_, _ = fmt.Fprintf(out, "about %d more are behind these: of one tenant a FIFO queue gives ten letters, and the next when those are gone\n", behind)
		}
		if err != nil {
			_, _ = fmt.Fprintf(out, "\n%s\n", s.summary(received))
			return nil, err
		}
	}
	_, _ = fmt.Fprintf(out, "\n%s\n", s.summary(received))
	return s, s.missing()
}

// summary is the last line.
func (s *session) summary(received int) string {
	var counts []string
	for _, c := range []struct {
		v    verdict
		text string
	}{{ready, "would be sent"}, {sent, "sent"}, {dropped, "dropped"}, {failed, "failed"}, {stays, "stay"}} {
		if s.tally[c.v] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", s.tally[c.v], c.text))
		}
	}
	text := plural(s.shown(), "letter")
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	if s.choice.limit > 0 && s.shown() >= s.choice.limit {
		text += fmt.Sprintf("; there may be more (--limit %d)", s.choice.limit)
	}
	if !s.sending && !s.choice.drop {
		text += fmt.Sprintf(". Nothing was changed; the look received %s once. --send sends.", plural(received, "letter"))
	}
	if s.tally[stays] > 0 {
		text += "\nWhat stays is yours to mend (--only ID --save FILE, edit it, --only ID --detail FILE --send) or to --drop."
	}
	return text
}

// missing names the letters that the operator named and that were not there.
func (s *session) missing() error {
	var ids []string
	for _, id := range s.choice.ids {
		if !s.found[id] {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return fmt.Errorf("no letter %s: another may be looking at it just now, or have sent it; in the FIFO queue it may be behind others of its tenant; another filter may leave it out",
		strings.Join(ids, ", "))
}
