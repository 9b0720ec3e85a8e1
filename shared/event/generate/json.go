package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(compact(m.name))
		b.WriteByte(':')
		b.Write(compact(m.value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// compact is a value as JSON on one line, without the escapes that only HTML needs.
func compact(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("the catalogue holds what JSON can't: %v", err))
	}
	return bytes.TrimSpace(b.Bytes())
}

// pretty is a value as an indented JSON document.
func pretty(value any) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, compact(value), "", "  "); err != nil {
		panic(err) // compact wrote it
	}
	b.WriteByte('\n')
	return b.Bytes()
}
