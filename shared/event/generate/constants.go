package main

import (
	"fmt"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// constants is the Go file with one constant for each domain event.
func constants(catalogue []event.Spec) []byte {
	width := 0
	for _, spec := range catalogue {
		if spec.Domain() {
			width = max(width, len(pascal(spec.Type)))
		}
	}
	var b strings.Builder
	b.WriteString("// " + notice + "\n\npackage event\n\n// The domain events.\nconst (\n")
	for _, spec := range catalogue {
		if spec.Domain() {
			fmt.Fprintf(&b, "\t%-*s Type = %q\n", width, pascal(spec.Type), spec.Type)
		}
	}
	b.WriteString(")\n")
	return []byte(b.String())
}

// pascal is a type as a Go or TypeScript name: GoalActivityCreated.
func pascal(t event.Type) string {
	name := ""
	for _, word := range strings.Split(t.Hyphenated(), "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}
