package queue

import (
	"strings"
	"testing"
)

// The digests are those that SQS answered to these attributes (recorded by others against AWS).
func TestAttributesMD5(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		attributes map[string]Attribute
		want       string
	}{
		{"none", nil, ""},
		{"one", map[string]Attribute{"Hello": String("There")}, "a311262e065454b75da111d535b8dacd"},
		{"two", map[string]Attribute{"Hello": String("There"), "General": String("Kenobi")}, "fca026605781cb4126a1e9044df24232"},
		{"three, sorted by name", map[string]Attribute{"Hello": String("There"), "General": String("Kenobi"), "Help.Me": String("Me")}, "4c360f3fdafd970e05fae2f149d997f5"},
		{"binary", map[string]Attribute{"attr1": {DataType: "Binary", BinaryValue: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")}}, "8cbe4db156db8a94db8b801b7addb984"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := attributesMD5(tt.attributes); got != tt.want {
				t.Errorf("attributesMD5 = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMessageRefused(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Queues: queuesOf(standard("Q"))})
	q := s.byName["Q"]
	tests := []struct {
		name    string
		message Message
		want    string // "" = accepted
	}{
		{"a body of 1 MiB", Message{Body: strings.Repeat("x", maxBytes)}, ""},
		{"a body of 1 MiB and a byte", Message{Body: strings.Repeat("x", maxBytes+1)}, "Message must be shorter than 1048576 bytes."},
		{"a body of 1 MiB and an attribute", Message{Body: strings.Repeat("x", maxBytes), Attributes: map[string]Attribute{"k": String("v")}}, "Message must be shorter than"},
		{"no body", Message{}, "The request must contain the parameter MessageBody."},
		{"a control character", Message{Body: "a\x01"}, "Invalid characters found."},
		{"tabs, lines and an emoji", Message{Body: "a\t\r\n😀"}, ""},
		{"not UTF-8", Message{Body: "\xff"}, "Invalid characters found."},
		{"U+FFFF", Message{Body: "\uffff"}, "Invalid characters found."},
		{"eleven attributes", Message{Body: "x", Attributes: elevenAttributes()}, "Number of message attributes [11] exceeds the allowed maximum [10]."},
		{"an empty attribute", Message{Body: "x", Attributes: map[string]Attribute{"ErrorDetails": String("")}}, "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."},
		{"an attribute without type", Message{Body: "x", Attributes: map[string]Attribute{"k": {StringValue: "v"}}}, "only the following supported type prefixes: Binary, Number, String."},
		{"a number that is none", Message{Body: "x", Attributes: map[string]Attribute{"k": {StringValue: "one", DataType: "Number.int"}}}, "Can't cast the value of message (user) attribute 'k' to a number."},
		{"a number with a label", Message{Body: "x", Attributes: map[string]Attribute{"k": {StringValue: "-1.5e3", DataType: "Number.float"}}}, ""},
		{"a reserved attribute name", Message{Body: "x", Attributes: map[string]Attribute{"aws.k": String("v")}}, "attribute name 'aws.k' is invalid"},
		{"an attribute name with two dots in a row", Message{Body: "x", Attributes: map[string]Attribute{"a..b": String("v")}}, "attribute name 'a..b' is invalid"},
		{"a group in a standard queue", Message{Body: "x", GroupID: "a"}, ""},
		{"a deduplication id in a standard queue", Message{Body: "x", DeduplicationID: "a"}, "not valid for this queue type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := q.check(&tt.message)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Message, tt.want) {
				t.Errorf("check = %v, want %q", err, tt.want)
			}
		})
	}
}

func elevenAttributes() map[string]Attribute {
	all := map[string]Attribute{}
	for _, r := range "abcdefghijk" {
		all[string(r)] = String("v")
	}
	return all
}
