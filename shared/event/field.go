package event

import (
	"reflect"
	"slices"
	"strings"
)

// Types of payload fields; each carries its own rule. A plain string is text that may be empty, a float64 any number.
type (
	// ID names something or somebody: 1 to 256 characters.
	ID string
	// Title is text that is never empty.
	Title string
	// Timestamp is a moment in RFC 3339, UTC, with exactly three decimals and Z. Any other RFC 3339 form is accepted and brought into this one.
	Timestamp string
	// Date is a day of the calendar, YYYY-MM-DD.
	Date string
	// Percent is a number from 0 to 100.
	Percent float64
)

// A Kind is the rule a field's value obeys.
type Kind string

// The kinds of field. KindOpenEnum lists known values without excluding others; KindEvents and KindObject occur in control and client messages only.
const (
	KindID        Kind = "id"
	KindTitle     Kind = "title"
	KindText      Kind = "text"
	KindTimestamp Kind = "timestamp"
	KindDate      Kind = "date"
	KindNumber    Kind = "number"
	KindInteger   Kind = "integer"
	KindPercent   Kind = "percent"
	KindBool      Kind = "boolean"
	KindEnum      Kind = "enum"
	KindOpenEnum  Kind = "openEnum"
	KindList      Kind = "list"
	KindEvents    Kind = "events"
	KindObject    Kind = "object"
)

// A Field is one field of a payload or message, as its struct declares it.
type Field struct {
	Name     string // JSON key
	Kind     Kind
	Required bool     // false: may be absent, and null counts as absent
	Nullable bool     // null is a value of it
	Values   []string // of an enum
	Enum     string   // name of the enum's Go type; empty where `only` narrows it
	Doc      string   // what the name does not say
	Fields   []Field  // of an object
}

// Fields lists the fields of a payload or message struct in the order of its JSON.
func Fields(payload any) []Field { return fieldsOf(reflect.TypeOf(payload), false) }

func fieldsOf(t reflect.Type, optional bool) []Field {
	fields := make([]Field, 0, 16)
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous {
			fields = append(fields, fieldOf(f, optional))
			continue
		}
		embedded, pointer := f.Type, f.Type.Kind() == reflect.Pointer
		if pointer {
			embedded = f.Type.Elem()
		}
		for _, inner := range fieldsOf(embedded, pointer) {
			if !slices.ContainsFunc(fields, func(own Field) bool { return own.Name == inner.Name }) {
				fields = append(fields, inner)
			}
		}
	}
	return fields
}

func fieldOf(f reflect.StructField, optional bool) Field {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	field := Field{Name: name, Required: !optional && options == "", Doc: f.Tag.Get("doc")}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		field.Nullable = options == ""
		t = t.Elem()
	}
	field.Kind = kindOf(t)
	switch field.Kind {
	case KindEnum, KindOpenEnum:
		field.Enum, field.Values = t.Name(), valuesOf(t)
	case KindObject:
		field.Fields = fieldsOf(t, false)
	}
	if only := f.Tag.Get("only"); only != "" {
		field.Kind, field.Enum, field.Values = KindEnum, "", []string{only}
	}
	return field
}

func kindOf(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[ID]():
		return KindID
	case reflect.TypeFor[Title]():
		return KindTitle
	case reflect.TypeFor[Timestamp]():
		return KindTimestamp
	case reflect.TypeFor[Date]():
		return KindDate
	case reflect.TypeFor[Percent]():
		return KindPercent
	case reflect.TypeFor[Reason]():
		return KindOpenEnum
	case reflect.TypeFor[[]string]():
		return KindList
	}
	switch t.Kind() {
	case reflect.Bool:
		return KindBool
	case reflect.Int, reflect.Int64:
		return KindInteger
	case reflect.Float64:
		return KindNumber
	case reflect.Slice:
		return KindEvents
	case reflect.Struct:
		return KindObject
	}
	if valuesOf(t) != nil {
		return KindEnum
	}
	return KindText
}

// valuesOf asks an enum's type for its values; nil when t is none.
func valuesOf(t reflect.Type) []string {
	if enum, ok := reflect.Zero(t).Interface().(interface{ Values() []string }); ok {
		return enum.Values()
	}
	return nil
}
