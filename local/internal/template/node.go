package template

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds on one template, so that no input (aliases of aliases, a Sub within a Sub) takes the process down. CloudFormation
// itself takes at most 1 MB and 500 resources.
const (
	maxTemplateBytes = 4 << 20
	maxNodes         = 200_000
	maxDepth         = 100
	maxTextBytes     = 16 << 20 // of all texts that functions make
)

// kind is the form of a node.
type kind int

const (
	nullKind kind = iota
	textKind
	numberKind
	boolKind
	listKind
	objectKind
)

// A node is one value of a template with the line it stands on. The short form of a function (!Ref x) is read as the long
// one ({"Ref": "x"}), as SAM does, so that YAML and JSON look the same from here on. Nodes are never changed once read.
type node struct {
	line   int
	kind   kind
	text   string // of a text, number or bool, as written
	list   []*node
	fields []field // of an object, in the template's order
}

type field struct {
	key   string
	line  int
	value *node
}

func textNode(line int, text string) *node { return &node{line: line, kind: textKind, text: text} }

func listNode(line int, items ...*node) *node { return &node{line: line, kind: listKind, list: items} }

func objectNode(line int, fields ...field) *node {
	return &node{line: line, kind: objectKind, fields: fields}
}

// get returns the value of a key, nil where there is none; so it does on nil and on what is no object.
func (n *node) get(keys ...string) *node {
	for _, key := range keys {
		if n == nil {
			return nil
		}
		i := slices.IndexFunc(n.fields, func(f field) bool { return f.key == key })
		if i < 0 {
			return nil
		}
		n = n.fields[i].value
	}
	return n
}

// with returns a copy of an object in which key has the given value.
func (n *node) with(key string, value *node) *node {
	c := *n
	c.fields = slices.DeleteFunc(slices.Clone(n.fields), func(f field) bool { return f.key == key })
	c.fields = append(c.fields, field{key: key, line: value.line, value: value})
	return &c
}

// scalar returns the text of a text, number or bool.
func (n *node) scalar() (string, bool) {
	if n == nil {
		return "", false
	}
	return n.text, n.kind == textKind || n.kind == numberKind || n.kind == boolKind
}

// function says which intrinsic function an object is, if it is one: {"Ref": …}, {"Condition": …} or {"Fn::…": …}.
func (n *node) function() (name string, argument *node, ok bool) {
	if n == nil || n.kind != objectKind || len(n.fields) != 1 {
		return "", nil, false
	}
	name = n.fields[0].key
	return name, n.fields[0].value, name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::")
}

// describe names the form of a node for an error.
func (n *node) describe() string {
	if n == nil {
		return "nothing"
	}
	switch n.kind {
	case nullKind:
		return "null"
	case listKind:
		return "a list"
	case objectKind:
		return "a map"
	}
	return strconv.Quote(n.text)
}

// json writes a resolved node. Numbers that JSON can't express as written (0x1f, 1_000) are rewritten.
func (n *node) json() json.RawMessage {
	var b bytes.Buffer
	n.writeJSON(&b)
	return b.Bytes()
}

func (n *node) writeJSON(b *bytes.Buffer) {
	switch {
	case n == nil || n.kind == nullKind:
		b.WriteString("null")
	case n.kind == textKind:
		writeJSONString(b, n.text)
	case n.kind == boolKind:
		b.WriteString(n.text)
	case n.kind == numberKind:
		b.WriteString(jsonNumber(n.text))
	case n.kind == listKind:
		b.WriteByte('[')
		for i, item := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			item.writeJSON(b)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		for i, f := range n.fields {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSONString(b, f.key)
			b.WriteByte(':')
			f.value.writeJSON(b)
		}
		b.WriteByte('}')
	}
}

// writeJSONString writes s without the escapes for HTML: a pattern's "<" stays readable.
func writeJSONString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes, and a buffer always takes it
	b.Truncate(b.Len() - 1)
}

func jsonNumber(text string) string {
	if json.Valid([]byte(text)) {
		return text
	}
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return strconv.FormatInt(i, 10)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return string(strconv.AppendQuote(nil, text))
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// A reader turns YAML, and JSON as a part of it, into nodes.
type reader struct {
	problems *problems
	nodes    int
	stopped  bool // a bound was reached and reported
}

func (r *reader) read(y *yaml.Node, depth int) *node {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		if !r.stopped {
			r.problems.add(y.Line, "the template is too large or too deeply nested (over %d values or %d levels): do aliases repeat?", maxNodes, maxDepth)
		}
		r.stopped = true
		return &node{line: y.Line}
	}
	if r.stopped {
		return &node{line: y.Line}
	}
	if name, ok := functionOfTag(y.Tag); ok {
		plain := *y
		plain.Tag = ""
		argument := r.readPlain(&plain, depth+1)
		return objectNode(y.Line, field{key: name, line: y.Line, value: argument})
	}
	return r.readPlain(y, depth)
}

// functionOfTag turns !Sub into Fn::Sub.
func functionOfTag(tag string) (string, bool) {
	name, ok := strings.CutPrefix(tag, "!")
	if !ok || name == "" || strings.HasPrefix(name, "!") {
		return "", false
	}
	if name == "Ref" || name == "Condition" {
		return name, true
	}
	return "Fn::" + name, true
}

func (r *reader) readPlain(y *yaml.Node, depth int) *node {
	switch y.Kind {
	case yaml.AliasNode:
		return r.read(y.Alias, depth+1)
	case yaml.SequenceNode:
		n := listNode(y.Line)
		for _, item := range y.Content {
			n.list = append(n.list, r.read(item, depth+1))
		}
		return n
	case yaml.MappingNode:
		return r.readMapping(y, depth)
	case yaml.ScalarNode:
		n := textNode(y.Line, y.Value)
		switch y.ShortTag() {
		case "!!null":
			n.kind, n.text = nullKind, ""
		case "!!bool":
			n.kind, n.text = boolKind, strings.ToLower(y.Value)
		case "!!int", "!!float":
			n.kind = numberKind
		}
		return n
	}
	return &node{line: y.Line}
}

func (r *reader) readMapping(y *yaml.Node, depth int) *node {
	n := objectNode(y.Line)
	seen := make(map[string]bool, len(y.Content)/2)
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], r.read(y.Content[i+1], depth+1)
		switch {
		case key.Kind != yaml.ScalarNode:
			r.problems.add(key.Line, "a key must be a text")
		case key.ShortTag() == "!!merge":
			if value.kind == listKind {
				merged = append(merged, value.list...)
			} else {
				merged = append(merged, value)
			}
		case seen[key.Value]:
			r.problems.add(key.Line, "the key %s stands twice in one map: remove one", key.Value)
		default:
			seen[key.Value] = true
			n.fields = append(n.fields, field{key: key.Value, line: key.Line, value: value})
		}
	}
	for _, m := range merged {
		for _, f := range m.fields {
			if !seen[f.key] {
				seen[f.key] = true
				n.fields = append(n.fields, f)
			}
		}
	}
	return n
}

// parse reads one document.
func parse(data []byte, p *problems) *node {
	if len(data) > maxTemplateBytes {
		p.add(1, "the template has %d bytes, more than %d", len(data), maxTemplateBytes)
		return nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		p.addYAML(err)
		return nil
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		p.add(1, "the template must be a map with Resources")
		return nil
	}
	r := reader{problems: p}
	root := r.read(document.Content[0], 0)
	if r.stopped {
		return nil
	}
	return root
}
