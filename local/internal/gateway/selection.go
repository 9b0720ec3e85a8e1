package gateway

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A selection is a route selection expression: it makes a route key of a message.
//
// Supported are $request.body.a.b[0]['c'] as the whole expression, any mix of ${request.body.…} and literal text, and \$
// for a dollar sign. It is evaluated once; what a message brings in is never itself evaluated.
type selection []part

// A part is literal text or, when path is not nil, a value of the message.
type part struct {
	literal string
	path    []step
}

// A step goes one level down: to the key of an object, or to the index of an array.
type step struct {
	key     string
	index   int
	isIndex bool
}

const bodyVariable = "request.body"

func parseSelection(expression string) (selection, error) {
	if expression == "" {
		return nil, fmt.Errorf("route selection expression is empty: write $request.body.action or the like")
	}
	refuse := func(format string, args ...any) (selection, error) {
		return nil, fmt.Errorf("route selection expression %q: %s", expression, fmt.Sprintf(format, args...))
	}
	var parts selection
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := expression; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal.WriteByte('$')
			rest = rest[2:]
		case strings.HasPrefix(rest, "${"):
			variable, after, closed := strings.Cut(rest[2:], "}")
			if !closed {
				return refuse("${ without }")
			}
			path, err := parseVariable(variable)
			if err != nil {
				return refuse("%v", err)
			}
			flush()
			parts = append(parts, part{path: path})
			rest = after
		case rest[0] == '$':
			if len(rest) != len(expression) {
				return refuse("a variable beside other text needs braces: ${request.body.action}; a dollar sign is written \\$")
			}
			path, err := parseVariable(rest[1:])
			if err != nil {
				return refuse("%v", err)
			}
			parts = append(parts, part{path: path})
			rest = ""
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	flush()
	return parts, nil
}

// parseVariable reads request.body followed by at least one step.
func parseVariable(variable string) ([]step, error) {
	rest, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
		return nil, fmt.Errorf("%q is not supported, only request.body.… is", variable)
	}
	var path []step
	for rest != "" {
		var next step
		var err error
		if rest[0] == '.' {
			next, rest, err = parseName(rest[1:])
		} else {
			next, rest, err = parseBracket(rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", variable, err)
		}
		path = append(path, next)
	}
	if path == nil {
		return nil, fmt.Errorf("%q needs a path below the body, as in request.body.action", variable)
	}
	return path, nil
}

// parseName reads the name of a key up to the next step.
func parseName(s string) (step, string, error) {
	end := strings.IndexAny(s, ".[")
	if end < 0 {
		end = len(s)
	}
	name := s[:end]
	for _, r := range name {
		switch {
		case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '_', r == '-', r >= utf8.RuneSelf:
		default:
			return step{}, "", fmt.Errorf("%q in the name %q: quote such a key, ['…'], and put a variable beside other text in braces", r, name)
		}
	}
	if name == "" {
		return step{}, "", fmt.Errorf("a name is missing after a dot")
	}
	return step{key: name}, s[end:], nil
}

// parseBracket reads [2], ['key'] or ["key"].
func parseBracket(s string) (step, string, error) {
	if s[0] != '[' {
		return step{}, "", fmt.Errorf("%q where . or [ should be", s[0])
	}
	if len(s) > 1 && (s[1] == '\'' || s[1] == '"') {
		key, after, closed := strings.Cut(s[2:], s[1:2]+"]")
		if !closed {
			return step{}, "", fmt.Errorf("[%c without %c]", s[1], s[1])
		}
		return step{key: key}, after, nil
	}
	inner, after, closed := strings.Cut(s[1:], "]")
	index, err := strconv.ParseUint(inner, 10, 31)
	if !closed || err != nil {
		return step{}, "", fmt.Errorf("[%s: only an index or a quoted key may stand in brackets", inner)
	}
	return step{index: int(index), isIndex: true}, after, nil
}

// key is the route key a message asks for, "" when it asks for none: a message that is not JSON, or that lacks every
// value the expression names, selects nothing.
func (s selection) key(message []byte) string {
	var key strings.Builder
	checked := false
	for _, p := range s {
		if p.path == nil {
			key.WriteString(p.literal)
			continue
		}
		if !checked && !json.Valid(message) {
			return ""
		}
		checked = true
		key.WriteString(text(find(message, p.path)))
	}
	return key.String()
}

// find goes down the path in a valid document and returns nil where it ends early. Of doubled keys the last counts.
func find(document json.RawMessage, path []step) json.RawMessage {
	for _, next := range path {
		if next.isIndex {
			var array []json.RawMessage
			if json.Unmarshal(document, &array) != nil || next.index >= len(array) {
				return nil
			}
			document = array[next.index]
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(document, &object) != nil {
			return nil
		}
		document = object[next.key]
		if document == nil {
			return nil
		}
	}
	return document
}

// text is a value as API Gateway puts it into a key: strings as they are, numbers and booleans as written, null and a
// missing value empty, arrays and objects in the notation of Java ("[a, b]", "{k=v}").
func text(value json.RawMessage) string {
	if len(value) == 0 || value[0] == 'n' {
		return ""
	}
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.UseNumber()
	var b strings.Builder
	writeJava(&b, decoder)
	return b.String()
}

// writeJava reads the next value of a document already known to be valid.
func writeJava(b *strings.Builder, decoder *json.Decoder) {
	token, err := decoder.Token()
	if err != nil {
		return
	}
	switch token {
	case json.Delim('['):
		b.WriteByte('[')
		for i := 0; decoder.More(); i++ {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJava(b, decoder)
		}
		_, _ = decoder.Token()
		b.WriteByte(']')
	case json.Delim('{'):
		b.WriteByte('{')
		for i := 0; decoder.More(); i++ {
			if i > 0 {
				b.WriteString(", ")
			}
			name, _ := decoder.Token()
			fmt.Fprintf(b, "%v=", name)
			writeJava(b, decoder)
		}
		_, _ = decoder.Token()
		b.WriteByte('}')
	case nil:
		b.WriteString("null")
	default:
		fmt.Fprint(b, token)
	}
}
