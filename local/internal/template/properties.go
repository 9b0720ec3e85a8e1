package template

import (
	"strconv"
	"strings"
	"time"
)

// properties reads the properties of one resource, or of a map within them. A value is resolved when it is asked for, so
// that a function that can't be resolved here (an ImportValue in a policy) is no problem where nobody asks.
type properties struct {
	l        *loader
	line     int
	n        *node // nil = empty
	resolved bool
}

func (l *loader) propertiesOf(r *resource) properties {
	return properties{l: l, line: r.line, n: r.properties}
}

func (p properties) value(key string) *node {
	n := p.n.get(key)
	if n != nil && !p.resolved {
		n = p.l.resolve(n)
	}
	if n != nil && n.kind == nullKind {
		return nil
	}
	return n
}

func (p properties) has(key string) bool { return p.value(key) != nil }

// lineOf is where a property stands, or what it belongs to.
func (p properties) lineOf(key string) int {
	if n := p.n.get(key); n != nil {
		return n.line
	}
	return p.line
}

func (p properties) problem(key, format string, args ...any) {
	p.l.problems.add(p.lineOf(key), format, args...)
}

func (p properties) text(key string) string {
	n := p.value(key)
	if n == nil {
		return ""
	}
	text, ok := n.scalar()
	if !ok {
		p.problem(key, "%s must be a text, not %s", key, n.describe())
	}
	return text
}

// required reports a missing or empty text.
func (p properties) required(key string) string {
	before := len(p.l.problems.found)
	text := p.text(key)
	if text == "" && len(p.l.problems.found) == before {
		p.problem(key, "%s is missing", key)
	}
	return text
}

// number reads a whole number between least and most.
func (p properties) number(key string, standard, least, most int) int {
	n := p.value(key)
	if n == nil {
		return standard
	}
	text, ok := n.scalar()
	number, err := strconv.Atoi(text)
	if !ok || err != nil || number < least || number > most {
		p.problem(key, "%s must be a whole number from %d to %d, not %s", key, least, most, n.describe())
		return standard
	}
	return number
}

func (p properties) seconds(key string, standard time.Duration, least, most int) time.Duration {
	return time.Duration(p.number(key, int(standard/time.Second), least, most)) * time.Second
}

// flag reads a bool; YAML 1.1, which CloudFormation reads, knows yes and on as well.
func (p properties) flag(key string, standard bool) bool {
	n := p.value(key)
	if n == nil {
		return standard
	}
	text, _ := n.scalar()
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true
	case "false", "no", "off":
		return false
	}
	p.problem(key, "%s must be true or false, not %s", key, n.describe())
	return standard
}

// choice reads one of a few words.
func (p properties) choice(key, standard string, words ...string) string {
	text := p.text(key)
	if text == "" {
		return standard
	}
	for _, word := range append(words, standard) {
		if text == word {
			return text
		}
	}
	p.problem(key, "%s must be %s or %s, not %q", key, strings.Join(words, ", "), standard, text)
	return standard
}

// object reads a map; a missing one is empty.
func (p properties) object(key string) properties {
	n := p.value(key)
	if n != nil && n.kind != objectKind {
		p.problem(key, "%s must be a map, not %s", key, n.describe())
		n = nil
	}
	return properties{l: p.l, line: p.lineOf(key), n: n, resolved: true}
}

func (p properties) list(key string) []*node {
	n := p.value(key)
	if n == nil {
		return nil
	}
	if n.kind != listKind {
		p.problem(key, "%s must be a list, not %s", key, n.describe())
		return nil
	}
	return n.list
}

// objects reads a list of maps.
func (p properties) objects(key string) []properties {
	var all []properties
	for _, item := range p.list(key) {
		if item.kind != objectKind {
			p.l.problems.add(item.line, "%s must be a list of maps, not of %s", key, item.describe())
			continue
		}
		all = append(all, properties{l: p.l, line: item.line, n: item, resolved: true})
	}
	return all
}
