package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a payload: DynamoDB's own limit for nested attributes, so that no reader downstream has a lower one.
const maxDepth = 32

// maxKeys bounds the keys of one object: the catalogue's largest payload has under twenty, keys are compared with each other, and a
// megabyte of them would take a function's seconds.
const maxKeys = 1000

// An object is a JSON object that keeps the order of its members. A member's value is nil, a bool, a string, a json.Number, a []any or an *object.
type object struct{ members []member }

type member struct {
	key   string
	value any
}

func (o *object) index(key string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.key == key })
}

// take removes a member and returns its value; nil when there is none.
func (o *object) take(key string) any {
	i := o.index(key)
	if i < 0 {
		return nil
	}
	value := o.members[i].value
	o.members = slices.Delete(o.members, i, i+1)
	return value
}

// put adds a member under its canonical key. The same key in another spelling may be there already, if it says the same.
func (o *object) put(key string, value any) *Refusal {
	key = camel(key)
	if i := o.index(key); i >= 0 {
		if !bytes.Equal(appendValue(nil, o.members[i].value), appendValue(nil, value)) {
			return invalid(plain(key), "conflict", "be given once, or have the same value in both spellings")
		}
		return nil
	}
	o.members = append(o.members, member{key, value})
	return nil
}

// rename gives a member another key, on the terms of put.
func (o *object) rename(from, to string) *Refusal {
	i := o.index(from)
	if i < 0 {
		return nil
	}
	if o.index(to) < 0 {
		o.members[i].key = to
		return nil
	}
	return o.put(to, o.take(from))
}

// parse reads one JSON object and brings its keys into camelCase, at every depth.
//
// It refuses what two readers could understand differently: bytes that are not UTF-8, a key that stands twice, numbers no float64 can hold.
func parse(text []byte) (*object, *Refusal) {
	if !utf8.Valid(text) {
		return nil, malformed("", "utf8", "be UTF-8")
	}
	if !json.Valid(text) {
		return nil, malformed("", "json", "be valid JSON")
	}
	r := reader{decoder: json.NewDecoder(bytes.NewReader(text)), room: 2 * MaxFrameBytes}
	r.decoder.UseNumber()
	value, refusal := r.value(0)
	if refusal != nil {
		return nil, refusal
	}
	o, ok := value.(*object)
	if !ok {
		return nil, malformed("", "object", "be a JSON object")
	}
	return o, nil
}

// A reader builds the tree of a text that json.Valid has passed.
type reader struct {
	decoder *json.Decoder
	// room is how many bytes of keys and values may still come. It starts at two frames, because canonical form can at most halve a
	// payload (every field given in both spellings), and keeps the work for an entry of a megabyte small.
	room int
}

// token reads the next token and takes its bytes from the room.
func (r *reader) token() (json.Token, *Refusal) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, malformed("", "json", "be valid JSON")
	}
	size := 1
	switch t := token.(type) {
	case string:
		size = len(t) + len(`"",`)
	case json.Number:
		size = len(t)
	}
	if r.room -= size; r.room < 0 {
		return nil, tooLarge()
	}
	return token, nil
}

// value reads the next value; depth counts the objects and lists around it.
func (r *reader) value(depth int) (any, *Refusal) {
	token, refusal := r.token()
	if refusal != nil {
		return nil, refusal
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, malformed("", "depth", fmt.Sprintf("be nested at most %d deep", maxDepth))
		}
		if t == '[' {
			return r.list(depth + 1)
		}
		return r.object(depth + 1)
	case json.Number:
		if _, err := strconv.ParseFloat(t.String(), 64); err != nil {
			return nil, malformed("", "number", "be within the range of a 64-bit floating point number")
		}
	}
	return token, nil
}

func (r *reader) object(depth int) (any, *Refusal) {
	o := &object{}
	var spelled []string
	for r.decoder.More() {
		token, refusal := r.token()
		if refusal != nil {
			return nil, refusal
		}
		if len(spelled) == maxKeys {
			return nil, malformed("", "keys", fmt.Sprintf("have at most %d keys in one object", maxKeys))
		}
		key := token.(string) // valid JSON has nothing else before a colon
		if slices.Contains(spelled, key) {
			return nil, malformed(plain(key), "duplicate", "stand once in its object")
		}
		spelled = append(spelled, key)
		value, refusal := r.value(depth)
		if refusal != nil {
			return nil, refusal.within(plain(key))
		}
		if refusal := o.put(key, value); refusal != nil {
			return nil, refusal
		}
	}
	_, refusal := r.token() // the closing brace
	return o, refusal
}

func (r *reader) list(depth int) (any, *Refusal) {
	list := []any{}
	for r.decoder.More() {
		value, refusal := r.value(depth)
		if refusal != nil {
			return nil, refusal.within("[" + strconv.Itoa(len(list)) + "]")
		}
		list = append(list, value)
	}
	_, refusal := r.token() // the closing bracket
	return list, refusal
}

// camel turns a snake_case key into camelCase and leaves every other key alone.
func camel(key string) string {
	if !snake(key) {
		return key
	}
	words := strings.Split(key, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// snake says whether a key is lower-case words joined by single underscores: goal_id, but neither _id nor GOAL_ID.
func snake(key string) bool {
	underscores, last := 0, byte('_')
	for i := range len(key) {
		c := key[i]
		switch {
		case c == '_' && last != '_':
			underscores++
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
		last = c
	}
	return underscores > 0 && last != '_'
}

// plain makes a key fit for a Refusal's Field: keys are a producer's bytes too.
func plain(key string) string {
	odd := func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < 'A' || 'Z' < r) && (r < '0' || '9' < r) && r != '_' && r != '-'
	}
	if key == "" || len(key) > 64 || strings.ContainsFunc(key, odd) {
		return "*"
	}
	return key
}

// appendValue writes a value as compact JSON.
func appendValue(dst []byte, value any) []byte {
	switch v := value.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case json.Number:
		return append(dst, v...)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, item)
		}
		return append(dst, ']')
	case *object:
		dst = append(dst, '{')
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, m.key), ':')
			dst = appendValue(dst, m.value)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// appendString writes a JSON string in its shortest form, but for two noncharacters: SQS refuses a body that holds U+FFFE or U+FFFF.
// Source: SendMessage, "valid characters" of MessageBody.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
