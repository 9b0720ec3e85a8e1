package main

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want, got string
		problem         string // "" = they agree
	}{
		{"equal", `{"batchItemFailures":[]}`, `{"batchItemFailures": []}`, ""},
		{"null is an answer", `null`, `null`, ""},
		{"no answer", `null`, ``, "it is not JSON"},
		{"null and another", `null`, `{"statusCode":200}`, "want absent"},
		{"what is null counts as absent", `{"statusCode":200}`, `{"statusCode":200,"headers":null}`, ""},
		{"a member is missing", `{"statusCode":200,"body":""}`, `{"statusCode":200}`, `answer.body is absent, want ""`},
		{"a member too many", `{"statusCode":200}`, `{"statusCode":200,"body":""}`, `answer.body is "", want absent`},
		{"another number", `{"statusCode":200}`, `{"statusCode":500}`, "answer.statusCode is 500, want 200"},
		{"a number as text", `{"statusCode":200}`, `{"statusCode":"200"}`, `answer.statusCode is "200", want 200`},
		{"a body is JSON in a text", `{"body":{"type":"pong"}}`, `{"body":"{\"type\":\"pong\"}"}`, ""},
		{"another body", `{"body":{"type":"pong"}}`, `{"body":"{\"type\":\"ping\"}"}`, `answer.body.type is "ping", want "pong"`},
		{"a body that is no JSON", `{"body":{"type":"pong"}}`, `{"body":"pong"}`, `answer.body is "pong"`},
		{"more behind the body", `{"body":{"type":"pong"}}`, `{"body":"{\"type\":\"pong\"}{}"}`, "answer.body is"},
		{"a time", `{"t":"<time>"}`, `{"t":"2026-11-25T11:06:47.814Z"}`, ""},
		{"a time without milliseconds", `{"t":"<time>"}`, `{"t":"2026-11-25T11:06:47Z"}`, "answer.t is"},
		{"a number above zero", `{"n":"<number>"}`, `{"n":1795604876300}`, ""},
		{"zero", `{"n":"<number>"}`, `{"n":0}`, "answer.n is 0"},
		{"the connection", `{"c":"<connection>"}`, `{"c":"L0SM9cOFvHcCIhw="}`, ""},
		{"another connection", `{"c":"<connection>"}`, `{"c":"other"}`, `answer.c is "other"`},
		{"a list that is longer", `{"a":["batch"]}`, `{"a":["batch","gzip"]}`, "answer.a is"},
		{"a list's element", `{"a":["batch"]}`, `{"a":["gzip"]}`, `answer.a[0] is "gzip", want "batch"`},
		{"an object instead of a list", `{"a":[]}`, `{"a":{}}`, "answer.a is {}, want []"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := compare(tt.want, tt.got, "L0SM9cOFvHcCIhw=")
			if (err == nil) != (tt.problem == "") || (err != nil && !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("compare(%s, %s) = %v, want %q", tt.want, tt.got, err, tt.problem)
			}
		})
	}
}

func TestWithoutAConnectionNoneMatches(t *testing.T) {
	t.Parallel()
	if compare(`{"c":"<connection>"}`, `{"c":""}`, "") == nil {
		t.Error("an empty id passes for the connection of a client that is not there")
	}
}
