package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// timestampLayout is that of every time in the protocol: docs/PROTOCOL.md, Communication.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// compare says where an answer differs from what the page wants. The page may have "<time>" for a timestamp, "<number>" for a positive
// whole number, and "<connection>" for the connected client's id; all else must be equal. Members that are null count as absent, and
// where the page has an object for a body, the answer has its JSON as text.
func compare(want, got, connection string) error {
	wanted, err := decode(want)
	if err != nil {
		return fmt.Errorf("the page's answer %q: %w", want, err)
	}
	answer, err := decode(got)
	if err != nil {
		return fmt.Errorf("the answer %q: %w", got, err)
	}
	if w, ok := wanted.(map[string]any); ok {
		if _, ok := w["body"].(map[string]any); ok {
			answer = unwrapBody(answer)
		}
	}
	if err := match("answer", wanted, answer, connection); err != nil {
		return fmt.Errorf("%w\nthe answer: %s", err, got)
	}
	return nil
}

func decode(text string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the JSON")
	}
	return value, nil
}

// unwrapBody is the answer with its body decoded; a body that is no JSON stays text, and differs.
func unwrapBody(answer any) any {
	a, _ := answer.(map[string]any)
	text, ok := a["body"].(string)
	if !ok {
		return answer
	}
	body, err := decode(text)
	if err != nil {
		return answer
	}
	a = maps.Clone(a)
	a["body"] = body
	return a
}

func match(path string, want, got any, connection string) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		names := slices.Sorted(maps.Keys(w))
		for name := range g {
			if _, wanted := w[name]; !wanted {
				names = append(names, name)
			}
		}
		for _, name := range names {
			if err := match(path+"."+name, w[name], g[name], connection); err != nil {
				return err
			}
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if err := match(fmt.Sprintf("%s[%d]", path, i), w[i], g[i], connection); err != nil {
				return err
			}
		}
		return nil
	case string:
		if matchText(w, got, connection) {
			return nil
		}
	default: // null, a number, true or false
		if w == got {
			return nil
		}
	}
	return fmt.Errorf("%s is %s, want %s", path, show(got), show(want))
}

func matchText(want string, got any, connection string) bool {
	switch want {
	case "<time>":
		text, _ := got.(string)
		_, err := time.Parse(timestampLayout, text)
		return err == nil
	case "<number>":
		number, _ := got.(json.Number)
		value, err := number.Int64()
		return err == nil && value > 0
	case "<connection>":
		return connection != "" && got == connection
	default:
		return got == want
	}
}

func show(value any) string {
	if value == nil {
		return "absent"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
