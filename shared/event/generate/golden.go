package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// A mutation is one change to a valid sample and the verdict every validator must give on it: Go's FromBus, the JSON Schemas and the
// client's validateEvent. Without a rule it stays valid.
type mutation struct {
	Type  event.Type `json:"type"`
	Field string     `json:"field"`          // of the payload or, in the list of envelopes, of the envelope
	Set   *any       `json:"set,omitempty"`  // its new value; absent: the field is dropped
	Path  string     `json:"path,omitempty"` // where the rule is broken
	Rule  string     `json:"rule,omitempty"`
}

// golden is the file that holds Go and TypeScript together.
func golden(catalogue []event.Spec) []byte {
	envelopes, sentences := object{}, object{}
	var payloads, frames []mutation
	for _, spec := range catalogue {
		if !spec.Domain() {
			continue
		}
		envelope, err := sampleEnvelope(spec)
		if err != nil {
			panic(err) // check has seen that it is one
		}
		named, nameless := sampleData(spec), sampleData(spec)
		for _, f := range event.Fields(spec.Data) {
			payloads = append(payloads, mutations(spec.Type, f)...)
			if !f.Required && slices.Contains([]string{"actorName", "title", "goalTitle"}, f.Name) {
				delete(nameless, f.Name)
			}
		}
		payloads = append(payloads, mutation{Type: spec.Type, Field: "notInTheCatalogue", Set: value(map[string]any{"of": "a later version"})})
		envelopes = append(envelopes, member{string(spec.Type), envelope})
		sentences = append(sentences, member{string(spec.Type), object{{"title", fill(spec, spec.Title, named)}, {"named", sentence(spec, named)}, {"nameless", sentence(spec, nameless)}}})
		if frames == nil {
			frames = envelopeMutations(spec.Type)
		}
	}
	var b strings.Builder
	b.WriteString("{\n  \"notice\": " + string(compact(notice)) + ",\n")
	writeSection(&b, "samples", lines(envelopes), ",")
	writeSection(&b, "sentences", lines(sentences), ",")
	writeList(&b, "payloads", payloads, ",")
	writeList(&b, "envelopes", frames, "")
	b.WriteString("}\n")
	return []byte(b.String())
}

func lines(o object) []string {
	var list []string
	for _, m := range o {
		list = append(list, string(compact(m.name))+": "+string(compact(m.value)))
	}
	return list
}

func writeSection(b *strings.Builder, name string, members []string, end string) {
	b.WriteString("  \"" + name + "\": {\n    " + strings.Join(members, ",\n    ") + "\n  }" + end + "\n")
}

func writeList(b *strings.Builder, name string, list []mutation, end string) {
	var items []string
	for _, m := range list {
		items = append(items, string(compact(m)))
	}
	b.WriteString("  \"" + name + "\": [\n    " + strings.Join(items, ",\n    ") + "\n  ]" + end + "\n")
}

func value(v any) *any { return &v }

// mutations are the ways to break one field of a payload, and the values at the edge that don't.
func mutations(t event.Type, f event.Field) []mutation {
	set := func(v any, rule string) mutation {
		m := mutation{Type: t, Field: f.Name, Set: value(v), Rule: rule}
		if rule != "" {
			m.Path = f.Name
		}
		return m
	}
	drop := mutation{Type: t, Field: f.Name}
	if f.Required {
		drop.Path, drop.Rule = f.Name, "required"
	}
	list := []mutation{drop}
	switch {
	case f.Nullable:
		list = append(list, set(nil, ""))
	case f.Required && f.Name != "tenantId": // without a tenant nothing else is looked at
		list = append(list, set(nil, "type"))
	}
	switch f.Kind {
	case event.KindID:
		list = append(list, set(42, "type"), set(strings.Repeat("i", 257), "length"), set(strings.Repeat("i", 256), ""))
		if f.Name != "tenantId" {
			list = append(list, set("", "length"))
		}
	case event.KindTitle:
		list = append(list, set(42, "type"), set("", "length"))
	case event.KindText:
		list = append(list, set(42, "type"), set([]string{"text"}, "type"), set("", ""))
	case event.KindTimestamp:
		list = append(list, set(1772439300001, "type"), set("yesterday", "timestamp"), set("2026-02-30T08:15:00.000Z", "timestamp"),
			set("2026-03-02T08:15:00.000", "timestamp"), set("2026-03-02T24:00:00.000Z", "timestamp"), set("2024-02-29T23:59:59.999Z", ""))
	case event.KindDate:
		list = append(list, set(20260331, "type"), set("2026-02-30", "date"), set("2026-3-1", "date"), set("2026-03-31T00:00:00.000Z", "date"),
			set("2024-02-29", ""), set("2026-02-29", "date"))
	case event.KindNumber:
		list = append(list, set("90.5", "type"), set(true, "type"), set(-0.5, ""), set(json.Number("1e300"), ""))
	case event.KindInteger:
		list = append(list, set("1", "type"), set(1.5, "type"), set(json.Number("9007199254740993"), "type"), set(-1, ""))
	case event.KindPercent:
		list = append(list, set("60", "type"), set(-0.1, "range"), set(100.1, "range"), set(0, ""), set(33.3, ""), set(100, ""))
	case event.KindBool:
		list = append(list, set("true", "type"), set(1, "type"), set(false, ""))
	case event.KindEnum:
		list = append(list, set(1, "type"), set("", "enum"), set(strings.ToUpper(f.Values[0]), "enum"))
		for _, known := range f.Values {
			list = append(list, set(known, ""))
		}
	case event.KindList:
		broken := set([]any{"scope", 2}, "type")
		broken.Path += "[1]"
		list = append(list, set("scope", "type"), broken, set([]string{}, ""))
	}
	return list
}

// envelopeMutations are the ways to break an envelope, on one type: they are the same for all.
func envelopeMutations(t event.Type) []mutation {
	var list []mutation
	add := func(field, rule string, values ...any) {
		for _, v := range values {
			m := mutation{Type: t, Field: field, Set: value(v), Rule: rule}
			if rule != "" {
				m.Path = field
			}
			list = append(list, m)
		}
	}
	for _, field := range []string{"type", "timestamp", "eventId", "tenantId", "sequence", "data"} {
		list = append(list, mutation{Type: t, Field: field, Path: field, Rule: "required"})
		add(field, "type", nil, true)
	}
	list = append(list, mutation{Type: t, Field: "correlationId"})
	add("type", "known", "goal.exploded", "constructor", string(event.TypePong))
	add("timestamp", "timestamp", "2026-03-02T08:15:00Z", "2026-03-02T08:15:00.000+00:00", "2026-02-30T08:15:00.000Z")
	add("eventId", "length", "", strings.Repeat("e", 257))
	add("tenantId", "length", "", strings.Repeat("t", 257))
	add("sequence", "type", 1.5, "1", json.Number("9007199254740992"))
	add("sequence", "range", 0, -1)
	add("sequence", "", 1, int64(event.MaxSequence))
	add("data", "type", []string{}, "{}")
	add("correlationId", "type", 7, nil)
	add("correlationId", "length", "", strings.Repeat("c", 129))
	add("correlationId", "", strings.Repeat("c", 128))
	add("notInTheProtocol", "", "a later version")
	return list
}
