package bus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A pattern is a compiled event pattern (EventBridge user guide, "Creating event patterns"). All fields of a pattern must
// match; a field matches if one of its alternatives does. Where the event has an array of objects, one and the same
// element must match everything the pattern says about it. A dot in a name stands for one level, on both sides.
type pattern struct {
	object object
}

// object is what a pattern says about one JSON object.
type object struct {
	fields []field
	either [][]object // from each list at least one must match ("$or")
}

// field is what it says about one member: a leaf or an object.
type field struct {
	name  string
	leaf  *leaf
	below *object
}

// leaf is a member's list of alternatives.
type leaf struct {
	path    string // from the root, joined by dots
	matches []matcher
	absent  bool // matches, too, where the event has no such member
}

// A patternError says why a pattern is not valid, in AWS's words where they are known.
type patternError struct{ reason string }

func (e *patternError) Error() string { return "Event pattern is not valid. Reason: " + e.reason }

func bad(format string, args ...any) error { return &patternError{fmt.Sprintf(format, args...)} }

// compile reads an event pattern; the error is a *patternError. What is not understood is refused, never ignored.
func compile(text []byte) (*pattern, error) {
	value, err := decode(text)
	if err != nil {
		return nil, bad("%v", err)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, bad("Filter is not an object")
	}
	o, err := compileObject(members, "")
	if err != nil {
		return nil, err
	}
	return &pattern{o}, nil
}

// decode keeps numbers as they are written. Of a key that is given twice the last one counts.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more after the end of the JSON value")
	}
	return value, nil
}

func compileObject(members map[string]any, path string) (object, error) {
	var o object
	if len(members) == 0 {
		return o, bad("Empty objects are not allowed")
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if alternatives, ok := isOr(name, members[name]); ok {
			var list []object
			for _, alternative := range alternatives {
				below, err := compileObject(alternative, path)
				if err != nil {
					return o, err
				}
				list = append(list, below)
			}
			o.either = append(o.either, list)
			continue
		}
		var f field
		here := path + name
		switch value := members[name].(type) {
		case map[string]any:
			below, err := compileObject(value, here+".")
			if err != nil {
				return o, err
			}
			f.below = &below
		case []any:
			l, err := compileLeaf(value, here)
			if err != nil {
				return o, err
			}
			f.leaf = l
		default:
			return o, bad("%q must be an object or an array", name)
		}
		levels := strings.Split(name, ".")
		for i, level := range slices.Backward(levels) {
			f.name = level
			if i > 0 {
				f = field{below: &object{fields: []field{f}}}
			}
		}
		o.fields = append(o.fields, f)
	}
	return o, nil
}

// isOr: "$or" is an operator if its value is a list of two or more objects none of which uses an operator's name as a
// member; otherwise it is a name like any other (aws/event-ruler, "The $or Primitive").
func isOr(name string, value any) ([]map[string]any, bool) {
	list, _ := value.([]any)
	if name != "$or" || len(list) < 2 {
		return nil, false
	}
	alternatives := make([]map[string]any, len(list))
	for i, item := range list {
		members, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		for member := range members {
			if isOperator(member) {
				return nil, false
			}
		}
		alternatives[i] = members
	}
	return alternatives, true
}

// isOperator: the names that a match expression can have.
func isOperator(name string) bool {
	switch name {
	case "exists", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr":
		return true
	}
	return false
}

func compileLeaf(alternatives []any, path string) (*leaf, error) {
	if len(alternatives) == 0 {
		return nil, bad("Empty arrays are not allowed")
	}
	l := &leaf{path: path}
	for _, alternative := range alternatives {
		expression, ok := alternative.(map[string]any)
		if !ok {
			if _, list := alternative.([]any); list {
				return nil, bad("Match value must be String, number, true, false, or null")
			}
			l.matches = append(l.matches, equals(alternative))
			continue
		}
		if len(expression) != 1 {
			return nil, bad("Only one key allowed in match expression")
		}
		for operator, operand := range expression {
			if operator == "exists" {
				exists, ok := operand.(bool)
				if !ok {
					return nil, bad("exists match pattern must be either true or false.")
				}
				if exists {
					l.matches = append(l.matches, func(any) bool { return true })
				} else {
					l.absent = true
				}
				continue
			}
			m, err := compileOperator(operator, operand)
			if err != nil {
				return nil, err
			}
			l.matches = append(l.matches, m)
		}
	}
	return l, nil
}

// match says whether an event matches that decode has read.
func (p *pattern) match(event map[string]any) bool {
	return p.object.match(event, "", &comparison{event, map[*leaf]bool{}})
}

// A comparison is of one event.
type comparison struct {
	event map[string]any
	found map[*leaf]bool // the leaves that were searched for
}

// absent says whether a leaf occurs nowhere in the event. It searches once: arrays ask again for each element.
func (c *comparison) absent(l *leaf) bool {
	found, known := c.found[l]
	if !known {
		found = occurs(c.event, l.path)
		c.found[l] = found
	}
	return !found
}

// match compares with the members of one JSON object whose names begin with prefix: an event's "a.b" is a's b.
func (o *object) match(members map[string]any, prefix string, c *comparison) bool {
	for i := range o.fields {
		if !o.fields[i].match(members, prefix, c) {
			return false
		}
	}
	for _, list := range o.either {
		if !slices.ContainsFunc(list, func(alternative object) bool { return alternative.match(members, prefix, c) }) {
			return false
		}
	}
	return true
}

func (f *field) match(members map[string]any, prefix string, c *comparison) bool {
	value, ok := members[prefix+f.name]
	if f.leaf != nil {
		return ok && f.leaf.matchValue(value) || f.leaf.absent && c.absent(f.leaf)
	}
	// The second half finds names with dots, and whether all that is said below is that it must be absent.
	return ok && f.below.matchValue(value, c) || f.below.match(members, prefix+f.name+".", c)
}

// matchValue compares with an object or with each element of an array.
func (o *object) matchValue(value any, c *comparison) bool {
	switch value := value.(type) {
	case map[string]any:
		return o.match(value, "", c)
	case []any:
		return slices.ContainsFunc(value, func(element any) bool { return o.matchValue(element, c) })
	}
	return false
}

// matchValue compares with a scalar or with each element of an array. An object is no leaf.
func (l *leaf) matchValue(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return false
	case []any:
		return slices.ContainsFunc(value, l.matchValue)
	}
	return slices.ContainsFunc(l.matches, func(m matcher) bool { return m(value) })
}

// occurs says whether there is a leaf at a path, anywhere in the event.
func occurs(value any, path string) bool {
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			if name == path && occurs(below, "") {
				return true
			}
			if rest, ok := strings.CutPrefix(path, name); ok && strings.HasPrefix(rest, ".") && occurs(below, rest[1:]) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(value, func(element any) bool { return occurs(element, path) })
	}
	return path == ""
}
