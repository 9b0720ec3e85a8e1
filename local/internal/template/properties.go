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
	text, _ := n.scalar()
	base := 10
	if n.kind == numberKind {
		base = 0 // YAML's 0x3c and 1_000
	}
	number, err := strconv.ParseInt(text, base, 32)
	if err != nil || int(number) < least || int(number) > most {
		p.problem(key, "%s must be a whole number from %d to %d, not %s", key, least, most, n.describe())
		return standard
	}
	return int(number)
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
	o, ok := p.within(p.n.get(key))
	if !ok {
		p.problem(key, "%s must be a map, not %s", key, o.n.describe())
		o.n = nil
	}
	o.line = p.lineOf(key)
	return o
}

// within is what a map within this one has; its values are resolved when they are asked for, like this one's. False if n is
// no map.
func (p properties) within(n *node) (properties, bool) {
	o := properties{l: p.l, n: n, resolved: p.resolved}
	if n == nil {
		return o, true
	}
	if _, _, ok := n.function(); ok && !o.resolved {
		o.n, o.resolved = p.l.resolve(n), true
	}
	o.line = n.line
	return o, o.n == nil || o.n.kind == objectKind || o.n.kind == nullKind
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
	n := p.n.get(key)
	if n == nil {
		return nil
	}
	resolved := p.resolved
	if _, _, ok := n.function(); ok && !resolved {
		n, resolved = p.l.resolve(n), true
	}
	if n == nil || n.kind != listKind {
		p.problem(key, "%s must be a list, not %s", key, n.describe())
		return nil
	}
	var all []properties
	for _, item := range n.list {
		o, ok := properties{l: p.l, resolved: resolved}.within(item)
		switch {
		case !ok:
			p.l.problems.add(item.line, "%s must be a list of maps, not of %s", key, item.describe())
		case o.n != nil:
			all = append(all, o)
		}
	}
	return all
}
