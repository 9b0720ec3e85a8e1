package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// typeScript is client/src/generated: types, guards, validators, sentences and samples.
func typeScript(catalogue []event.Spec) []file {
	var domain, others []event.Spec
	for _, spec := range catalogue {
		if spec.Domain() {
			domain = append(domain, spec)
		} else {
			others = append(others, spec)
		}
	}
	var files []file
	for _, f := range []struct {
		name, text string
	}{
		{"events", eventsModule(domain)},
		{"protocol", protocolModule(others)},
		{"validate", validateModule(domain)},
		{"sentences", sentencesModule(domain)},
		{"samples", samplesModule(domain)},
	} {
		files = append(files, file{"client/src/generated/" + f.name + ".ts", []byte("// " + notice + "\n" + f.text)})
	}
	return files
}

func eventsModule(domain []event.Spec) string {
	var b strings.Builder
	writeEnums(&b, domain)
	for _, spec := range domain {
		writeInterface(&b, dataName(spec), fmt.Sprintf("Payload of `%s`. %s", spec.Type, spec.Summary), event.Fields(spec.Data))
	}
	b.WriteString("\n/**\n * Every domain event by type. An interface, so that an application may add its own by module augmentation.\n */\nexport interface RealtimeEventMap {\n")
	for _, spec := range domain {
		fmt.Fprintf(&b, "  '%s': %s;\n", spec.Type, dataName(spec))
	}
	b.WriteString("}\n\n/** The catalogue's types by name. */\nexport const EventTypes = {\n")
	for _, spec := range domain {
		fmt.Fprintf(&b, "  %s: '%s',\n", strings.ToUpper(strings.ReplaceAll(spec.Type.Hyphenated(), "-", "_")), spec.Type)
	}
	b.WriteString("} as const;\n" + eventsTypes)
	var kinds []string
	for _, spec := range domain {
		if !slices.Contains(kinds, quoted(spec.Kind)) {
			kinds = append(kinds, quoted(spec.Kind))
		}
	}
	fmt.Fprintf(&b, "\n/** What an event can be about. */\nexport type EntityKind = %s;\n", strings.Join(kinds, " | "))
	b.WriteString("\n/** By type: the kind of entity, and the fields that name the entity, the actor, the goal and the time. */\n")
	b.WriteString("const columns: { readonly [T in CatalogueType]: readonly [EntityKind, string, string, string, string] } = {\n")
	for _, spec := range domain {
		fmt.Fprintf(&b, "  '%s': ['%s', '%s', '%s', '%s', '%s'],\n", spec.Type, spec.Kind, spec.Entity, spec.Actor, spec.Goal, spec.Time)
	}
	b.WriteString("};\n" + eventsFunctions)
	return b.String()
}

func protocolModule(others []event.Spec) string {
	var b strings.Builder
	b.WriteString("import type { RealtimeEvent, UnknownEvent } from './events.js';\n")
	b.WriteString("\n/**\n * What an error is.\n *\n")
	for _, code := range event.Code("").Values() {
		fmt.Fprintf(&b, " * - `%s`: %s\n", code, event.Code(code).Meaning())
	}
	fmt.Fprintf(&b, " */\nexport type ServerCode = %s;\n", union(event.Code("").Values()))
	b.WriteString("\n/**\n * Why exactly. Open-ended: treat one you don't know as none.\n *\n")
	for _, reason := range event.Reason("").Values() {
		fmt.Fprintf(&b, " * - `%s`: %s\n", reason, event.Reason(reason).Meaning())
	}
	fmt.Fprintf(&b, " */\nexport type ServerReason = %s | (string & Record<never, never>);\n", union(event.Reason("").Values()))
	for _, spec := range others {
		about := "Data of"
		if spec.Direction == event.ToServer {
			about = "The client's message"
		}
		writeInterface(&b, dataName(spec), fmt.Sprintf("%s `%s`. %s", about, spec.Type, spec.Summary), event.Fields(spec.Data))
	}
	b.WriteString("\n/** What the server says about the connection itself, by type. */\nexport interface ControlMap {\n")
	var messages []string
	for _, spec := range others {
		if spec.Direction == event.ToServer {
			messages = append(messages, dataName(spec))
			continue
		}
		fmt.Fprintf(&b, "  '%s': %s;\n", spec.Type, dataName(spec))
	}
	b.WriteString("}\n" + protocolTypes)
	fmt.Fprintf(&b, "\n/** What a client says. */\nexport type ClientMessage = %s;\n", strings.Join(messages, " | "))
	return b.String()
}

func samplesModule(domain []event.Spec) string {
	var b strings.Builder
	b.WriteString("import type { CatalogueType, RealtimeEventMap } from './events.js';\n")
	b.WriteString("\n/** A valid payload of each type, for tests, mocks and demonstrations. */\n")
	b.WriteString("export const samples: { readonly [T in CatalogueType]: Readonly<RealtimeEventMap[T]> } = {\n")
	for _, spec := range domain {
		text := strings.TrimSpace(string(pretty(spec.Data)))
		fmt.Fprintf(&b, "  '%s': %s,\n", spec.Type, strings.ReplaceAll(text, "\n", "\n  "))
	}
	b.WriteString("};\n")
	return b.String()
}

// writeEnums writes one type for each enum of the payloads.
func writeEnums(b *strings.Builder, specs []event.Spec) {
	var done []string
	for _, spec := range specs {
		for _, f := range event.Fields(spec.Data) {
			if f.Kind == event.KindEnum && f.Enum != "" && !slices.Contains(done, f.Enum) {
				done = append(done, f.Enum)
				fmt.Fprintf(b, "\nexport type %s = %s;\n", f.Enum, union(f.Values))
			}
		}
	}
}

func writeInterface(b *strings.Builder, name, doc string, fields []event.Field) {
	fmt.Fprintf(b, "\n/** %s */\nexport interface %s {\n", doc, name)
	for _, f := range fields {
		if f.Doc != "" {
			fmt.Fprintf(b, "  /** %s */\n", f.Doc)
		}
		optional := "?"
		if f.Required {
			optional = ""
		}
		fmt.Fprintf(b, "  %s%s: %s;\n", f.Name, optional, typeOf(f))
	}
	b.WriteString("}\n")
}

// typeOf is a field's type in TypeScript.
func typeOf(f event.Field) string {
	name := "string"
	switch f.Kind {
	case event.KindBool:
		name = "boolean"
	case event.KindNumber, event.KindInteger, event.KindPercent:
		name = "number"
	case event.KindList:
		name = "readonly string[]"
	case event.KindEvents:
		name = "readonly (RealtimeEvent | UnknownEvent)[]"
	case event.KindOpenEnum:
		name = "ServerReason"
	case event.KindEnum:
		name = f.Enum
		switch name {
		case "":
			name = union(f.Values)
		case "Code":
			name = "ServerCode"
		}
	case event.KindObject:
		var members []string
		for _, inner := range f.Fields {
			members = append(members, "readonly "+inner.Name+": "+typeOf(inner))
		}
		name = "{ " + strings.Join(members, "; ") + " }"
	}
	if f.Nullable {
		name += " | null"
	}
	return name
}

func union(values []string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = quoted(v)
	}
	return strings.Join(list, " | ")
}

func quoted(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}
