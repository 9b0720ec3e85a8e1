package template

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one thing in a file that can't be read as it stands.
type Problem struct {
	File string
	Line int // from 1; 0 where no line is to blame
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// An Error is everything found wrong with one file, one line each, in the file's order.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds what one load reports: past it the file is not a template with mistakes but something else.
const maxProblems = 100

// problems collects what is wrong with one file; what is found twice is told once.
type problems struct {
	file  string
	found []Problem
}

func (p *problems) add(line int, format string, args ...any) {
	problem := Problem{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)}
	if len(p.found) < maxProblems && !slices.Contains(p.found, problem) {
		p.found = append(p.found, problem)
	}
}

// addYAML takes the line out of the YAML package's own text: "yaml: line 3: did not find expected key".
func (p *problems) addYAML(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	p.add(line, "not YAML or JSON: %s", text)
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	return &Error{Problems: p.sorted()}
}

// sorted returns what was found in the file's order.
func (p *problems) sorted() []Problem {
	return slices.SortedStableFunc(slices.Values(p.found), func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}
