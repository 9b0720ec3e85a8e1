package main

import (
	"fmt"
	"os"
	"strings"
)

// A page is what docs/SAM-LOCAL.md says about invocations, in its order.
type page struct {
	invocations []invocation
	refusals    []refusal
}

// An invocation is one row of the table that begins with invocationHead.
type invocation struct {
	function string
	sample   string // name of a file of events/, without .json
	live     bool   // what `rtlocal event` makes of it, not the file itself
	answer   string // JSON with placeholders, as compare takes it
	frame    string // type of the one frame that the connected client gets; "" = none
}

func (i invocation) String() string {
	if i.live {
		return "rtlocal event " + i.sample + " | sam local invoke " + i.function
	}
	return "sam local invoke " + i.function + " -e events/" + i.sample + ".json"
}

// A refusal is one row of the table that begins with refusalHead: what a function does without the stack's address.
type refusal struct {
	function string
	sample   string
	answer   string // as an invocation's; "" = it refuses to start
}

const (
	invocationHead = "| function | event | answer | the client gets |"
	refusalHead    = "| function | event | without the stack's address |"
	refuses        = "refuses to start"
)

func readPage(path string) (page, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return page{}, fmt.Errorf("read the page of expected answers: %w", err)
	}
	return parsePage(path, string(data))
}

func parsePage(path, text string) (page, error) {
	var p page
	head := "" // of the table that the line belongs to
	for i, line := range strings.Split(text, "\n") {
		switch {
		case line == invocationHead || line == refusalHead:
			head = line
			continue
		case !strings.HasPrefix(line, "|"):
			head = ""
		}
		if head == "" || strings.HasPrefix(line, "|---") {
			continue
		}
		if err := p.add(head, cells(line)); err != nil {
			return page{}, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	if len(p.invocations) == 0 || len(p.refusals) == 0 {
		return page{}, fmt.Errorf("%s: it needs the tables %q and %q", path, invocationHead, refusalHead)
	}
	return p, nil
}

func cells(line string) []string {
	parts := strings.Split(strings.Trim(line, "|"), "|")
	for i := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(parts[i]), "`")
	}
	return parts
}

func (p *page) add(head string, c []string) error {
	if want := strings.Count(head, "|") - 1; len(c) != want {
		return fmt.Errorf("%d cells, want %d", len(c), want)
	}
	sample, isFile := strings.CutPrefix(c[1], "events/")
	if isFile {
		sample = strings.TrimSuffix(sample, ".json")
	}
	sample, isLive := strings.CutPrefix(sample, "rtlocal event ")
	if isFile == isLive {
		return fmt.Errorf("event %q is neither events/NAME.json nor rtlocal event NAME", c[1])
	}
	if head == invocationHead {
		p.invocations = append(p.invocations, invocation{function: c[0], sample: sample, live: isLive, answer: c[2], frame: c[3]})
		return nil
	}
	if isLive {
		return fmt.Errorf("event %q: without a stack there is no rtlocal event", c[1])
	}
	answer := c[2]
	if answer == refuses {
		answer = ""
	}
	p.refusals = append(p.refusals, refusal{function: c[0], sample: sample, answer: answer})
	return nil
}
