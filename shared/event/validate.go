package event

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxID bounds an id. eventId and tenantId are counted in bytes, because they become DynamoDB keys (2,048 and 1,024 bytes, and up to three
// bytes for one in percent-encoding); ids inside a payload in characters. maxCorrelationID, in characters, is the protocol's.
const (
	maxID            = 256
	maxCorrelationID = 128
)

// conform holds a payload to its fields: what is missing or wrong is refused, timestamps get the canonical form, and an optional field
// that is null is left out, as many serialisers write null for absent.
func conform(payload *object, fields []Field) *Refusal {
	for _, f := range fields {
		i := payload.index(f.Name)
		switch {
		case i < 0 && f.Required:
			return invalid(f.Name, "required", "be present")
		case i < 0, payload.members[i].value == nil && f.Nullable:
		case payload.members[i].value == nil && !f.Required:
			payload.take(f.Name)
		default:
			value, rule, at := f.check(payload.members[i].value)
			if rule != "" {
				return invalid(f.Name+at, rule, f.Must())
			}
			payload.members[i].value = value
		}
	}
	return nil
}

// check returns the value in canonical form, or the rule it breaks and, for a list, at which item.
func (f Field) check(value any) (canonical any, rule, at string) {
	switch f.Kind {
	case KindBool:
		if _, ok := value.(bool); !ok {
			return nil, "type", ""
		}
		return value, "", ""
	case KindNumber, KindInteger, KindPercent:
		n, ok := value.(json.Number)
		if !ok {
			return nil, "type", ""
		}
		x, _ := n.Float64() // parse has refused what is out of range
		if f.Kind == KindInteger && (x != math.Trunc(x) || math.Abs(x) > MaxSequence) {
			return nil, "type", ""
		}
		if f.Kind == KindPercent && (x < 0 || x > 100) {
			return nil, "range", ""
		}
		return value, "", ""
	case KindList:
		items, ok := value.([]any)
		if !ok {
			return nil, "type", ""
		}
		for i, item := range items {
			if _, ok := item.(string); !ok {
				return nil, "type", "[" + strconv.Itoa(i) + "]"
			}
		}
		return value, "", ""
	}
	text, ok := value.(string)
	if !ok {
		return nil, "type", ""
	}
	canonical, rule = f.checkText(text)
	return canonical, rule, ""
}

func (f Field) checkText(text string) (canonical any, rule string) {
	switch f.Kind {
	case KindID:
		if n := utf8.RuneCountInString(text); n < 1 || n > maxID {
			return nil, "length"
		}
	case KindTitle:
		if text == "" {
			return nil, "length"
		}
	case KindTimestamp:
		t, ok := parseTimestamp(text)
		if !ok {
			return nil, "timestamp"
		}
		return string(TimestampOf(t)), ""
	case KindDate:
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, "date"
		}
	case KindEnum:
		for _, known := range f.Values {
			if text == known {
				return text, ""
			}
		}
		return nil, "enum"
	}
	return text, ""
}

// Must is the field's rule in words that continue "newStatus must …".
func (f Field) Must() string {
	must := ""
	switch f.Kind {
	case KindID:
		must = fmt.Sprintf("be a string of 1 to %d characters", maxID)
	case KindTitle:
		must = "be a string that is not empty"
	case KindTimestamp:
		must = "be a timestamp such as 2026-03-02T08:15:00.000Z"
	case KindDate:
		must = "be a date such as 2026-03-31"
	case KindNumber:
		must = "be a number"
	case KindInteger:
		must = "be an integer"
	case KindPercent:
		must = "be a number from 0 to 100"
	case KindBool:
		must = "be true or false"
	case KindEnum:
		must = "be one of " + strings.Join(f.Values, ", ")
	case KindList:
		must = "be a list of strings"
	case KindEvents:
		must = "be a list of events"
	case KindObject:
		must = "be an object"
	default:
		must = "be a string"
	}
	if f.Nullable {
		must += ", or null"
	}
	return must
}

// identifier checks an id that names an event, its tenant or its cause: a string of 1 to limit characters or bytes that is safe as a key, in
// a log and in a message body (no control character, no noncharacter).
func identifier(name string, value any, limit int, count func(string) int, unit string) (string, *Refusal) {
	id, ok := value.(string)
	if !ok {
		return "", invalid(name, "type", "be a string")
	}
	if n := count(id); n < 1 || n > limit {
		return "", invalid(name, "length", fmt.Sprintf("be 1 to %d %s long", limit, unit))
	}
	if strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r == 0x7F || r == 0xFFFE || r == 0xFFFF }) {
		return "", invalid(name, "characters", "hold no control characters")
	}
	return id, nil
}

// TimestampOf writes a moment as every message of the protocol carries it: UTC, cut to milliseconds.
func TimestampOf(t time.Time) Timestamp {
	return Timestamp(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// parseTimestamp reads RFC 3339 (as strictly as encoding/json does) and cuts to milliseconds. A local time without an offset is nobody's moment.
func parseTimestamp(text string) (time.Time, bool) {
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, false
	}
	return moment(t)
}

// moment is t in UTC, cut to milliseconds, if its year has four digits there.
func moment(t time.Time) (time.Time, bool) {
	t = t.UTC().Truncate(time.Millisecond)
	return t, 0 <= t.Year() && t.Year() <= 9999
}
