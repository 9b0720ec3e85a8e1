package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// letters are the kinds of field in the validator's tables. Enums stand there with their values, lists are told apart in the code; what has
// no letter is any string.
var letters = map[event.Kind]string{
	event.KindID: "i", event.KindTitle: "h", event.KindText: "s", event.KindTimestamp: "t", event.KindDate: "d",
	event.KindNumber: "n", event.KindInteger: "z", event.KindPercent: "p", event.KindBool: "b", event.KindList: "l",
}

func validateModule(domain []event.Spec) string {
	var b strings.Builder
	b.WriteString("import { isCatalogueType } from './events.js';\nimport type { CatalogueType, RealtimeEvent } from './events.js';\n")
	b.WriteString("\n// A field is name:kind, with ? when it may be absent and ~ when it may be null; an enum's kind is = and its values.\n")
	b.WriteString("const payloads: { readonly [T in CatalogueType]: string } = {\n")
	for _, spec := range domain {
		var fields []string
		for _, f := range event.Fields(spec.Data) {
			fields = append(fields, tableField(f))
		}
		fmt.Fprintf(&b, "  '%s': '%s',\n", spec.Type, strings.Join(fields, " "))
	}
	b.WriteString("};\n\nconst envelope = 'type:s timestamp:t eventId:i tenantId:i sequence:q correlationId?:c';\n")
	b.WriteString("\nconst words: { readonly [kind: string]: string } = {\n")
	kinds := make([]event.Kind, 0, len(letters))
	for kind := range letters {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		if kind != event.KindText {
			fmt.Fprintf(&b, "  %s: '%s',\n", letters[kind], event.Field{Kind: kind}.Must())
		}
	}
	b.WriteString("  q: 'be a positive safe integer',\n  c: 'be a string of 1 to 128 characters',\n};\n")
	b.WriteString("\n/** The longest string of a kind that must not be empty. */\nconst limits: { readonly [kind: string]: number } = { i: 256, c: 128, h: Infinity };\n")
	return b.String() + validateFunctions
}

func tableField(f event.Field) string {
	text := f.Name
	if !f.Required {
		text += "?"
	}
	text += ":"
	if f.Kind == event.KindEnum {
		text += "=" + strings.Join(f.Values, "|")
	} else {
		text += letters[f.Kind]
	}
	if f.Nullable {
		text += "~"
	}
	return text
}

func sentencesModule(domain []event.Spec) string {
	var b strings.Builder
	b.WriteString("import { entityOf } from './events.js';\nimport type { CatalogueType, EntityKind, RealtimeEvent } from './events.js';\n")
	table := func(comment, declaration string, text func(event.Spec) string) {
		b.WriteString("\n/** " + comment + " */\n" + declaration + ": { readonly [T in CatalogueType]: string } = {\n")
		for _, spec := range domain {
			fmt.Fprintf(&b, "  '%s': %s,\n", spec.Type, quoted(text(spec)))
		}
		b.WriteString("};\n")
	}
	table("How a feed speaks of an event: {actor}, {entity} and {goal} stand for names, any other name for a field of the payload.", "export const sentences",
		func(spec event.Spec) string { return spec.Sentence })
	table("The same in few words, for a toast that names entity and actor below them.", "const titles", func(spec event.Spec) string { return spec.Title })
	b.WriteString("\nconst nouns: { readonly [K in EntityKind]: string } = {\n")
	var done []string
	for _, spec := range domain {
		if !slices.Contains(done, spec.Kind) {
			done = append(done, spec.Kind)
			fmt.Fprintf(&b, "  %s: '%s',\n", spec.Kind, noun(spec.Kind))
		}
	}
	fmt.Fprintf(&b, "};\n\nconst someone = '%s';\n", someone)
	return b.String() + sentencesFunctions
}
