package main

import (
	"fmt"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

// eventsPage is docs/EVENTS.md: what a producer puts on the bus, and what a front-end gets.
func eventsPage(catalogue []event.Spec) []byte {
	var b strings.Builder
	b.WriteString("<!-- " + notice + " -->\n\n" + pageHead)
	b.WriteString("\n| type | means | about | title | sentence |\n|---|---|---|---|---|\n")
	for _, spec := range catalogue {
		if spec.Domain() {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s `%s` | %s | %s |\n", spec.Type, anchor(spec), spec.Summary, spec.Kind, spec.Entity, spec.Title, spec.Sentence)
		}
	}
	b.WriteString(pageRules)
	for _, spec := range catalogue {
		if spec.Domain() {
			writeEvent(&b, spec)
		}
	}
	b.WriteString(pageMessages)
	for _, spec := range catalogue {
		if !spec.Domain() {
			writeMessage(&b, spec)
		}
	}
	b.WriteString("\n## Codes\n\n| code | what the client does |\n|---|---|\n")
	for _, code := range event.Code("").Values() {
		fmt.Fprintf(&b, "| %s | %s |\n", code, event.Code(code).Meaning())
	}
	b.WriteString("\n| reason | when |\n|---|---|\n")
	for _, reason := range event.Reason("").Values() {
		fmt.Fprintf(&b, "| %s | %s |\n", reason, event.Reason(reason).Meaning())
	}
	b.WriteString("\nReasons are open-ended: treat one you don't know as none.\n")
	return []byte(b.String())
}

// anchor is the fragment a heading with the type's name gets.
func anchor(spec event.Spec) string { return strings.ReplaceAll(string(spec.Type), ".", "") }

const pageHead = `# Events

Every event type, from the catalogue in ` + "`shared/event`" + `. A producer puts one entry on the bus for one event of one tenant; every
client of that tenant gets it as

` + "```json" + `
{"type": "…", "timestamp": "…", "eventId": "…", "tenantId": "…", "sequence": 1772439300001, "data": {…}, "correlationId": "…"}
` + "```" + `

Every user of a tenant receives every event of that tenant: put nothing into an event that not every one of them may read.
`

const pageRules = `
## Putting an event on the bus

` + "`Source`" + ` begins with ` + "`purposepath.`" + `, ` + "`DetailType`" + ` is the event type, ` + "`Detail`" + ` is the payload with

| field | | |
|---|---|---|
| tenantId | required | 1 to 256 bytes. Stays in the data |
| eventId | recommended | 1 to 256 bytes, yours, the same whenever you send the same event again: within 48 hours it then arrives once. Else EventBridge's id |
| occurredAt | recommended | when it happened, RFC 3339 with an offset. Else EventBridge's time |
| correlationId | optional | 1 to 128 characters: the id of the call that caused it, so that the client that made the call knows the echo of its own change |

Accepted, and brought into the form shown below: hyphens for the dots and underscores of a type (` + "`goal-created`" + `), the other names given
with a type, snake_case keys at every depth (` + "`goal_id`" + `), timestamps with any offset and precision (cut to milliseconds), null for an
optional field or for eventId, occurredAt and correlationId (the same as leaving it out). Fields this page does not name pass through.

Refused, into the dead-letter queue with its reason, and never retried:

| reason | because |
|---|---|
| tenant_missing | there is no tenantId |
| unknown_type | the type, or its alias, is not on this page |
| malformed_detail | it is not one JSON object in UTF-8, a key stands twice, it is nested over 32 deep, an object has over 1,000 keys, or a number is beyond a 64-bit float |
| invalid_payload | a field is missing, of the wrong type, outside its values, or given in two spellings that differ |
| frame_too_large | with its envelope it is over 32,768 bytes |

On the local stack the AWS CLI puts an event with ` + "`--endpoint-url http://localhost:5055`" + ` (another port: yours) and any
credentials, such as ` + "`AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local`" + `; without the option, and with yours, the same line puts it on AWS, with the stack's output EventBusName for ` + "`local-events`" + `. ` + "`go run ./local publish TYPE --tenant TENANT`" + ` is the short form.
`

const pageMessages = `
# Control messages

What the server says about the connection itself travels as ` + "`{\"type\", \"timestamp\", \"data\"}`" + `; a client's messages have an ` + "`action`" + `.
`

func writeEvent(b *strings.Builder, spec event.Spec) {
	fmt.Fprintf(b, "\n## %s\n\n%s “%s”\n\n", spec.Type, spec.Summary, sentence(spec, sampleData(spec)))
	fmt.Fprintf(b, "About the %s in `%s`; done by `%s` at `%s`; goal: `%s`. Also accepted as %s.\n\n",
		spec.Kind, spec.Entity, spec.Actor, spec.Time, spec.Goal, aliases(spec))
	writeFields(b, event.Fields(spec.Data))
	fmt.Fprintf(b, "\n```json\n%s```\n\n```sh\n%s\n```\n", pretty(spec.Data), putEvents(spec))
}

// aliases lists the other names of a type, with the field that is called differently there.
func aliases(spec event.Spec) string {
	list := []string{"`" + spec.Type.Hyphenated() + "`"}
	for _, a := range spec.Aliases {
		for _, name := range []string{string(a.Type), a.Type.Hyphenated()} {
			text := "`" + name + "`"
			if a.From != "" {
				text += fmt.Sprintf(" (with `%s` for `%s`)", a.From, a.To)
			}
			if name != spec.Type.Hyphenated() {
				list = append(list, text)
			}
		}
	}
	return strings.Join(list, ", ")
}

// putEvents is a line for a shell that publishes the sample.
func putEvents(spec event.Spec) string {
	entries := compact([]object{{
		{"EventBusName", "local-events"}, {"Source", source(spec)}, {"DetailType", spec.Type}, {"Detail", string(compact(spec.Data))},
	}})
	return "aws events put-events --region eu-west-1 --endpoint-url http://localhost:5055 --entries '" + strings.ReplaceAll(string(entries), "'", `'\''`) + "'"
}

func writeMessage(b *strings.Builder, spec event.Spec) {
	sample, err := sampleMessage(spec)
	if err != nil {
		panic(err) // check has seen that it is one
	}
	fmt.Fprintf(b, "\n## %s (%s)\n\n%s\n\n", spec.Type, spec.Direction, spec.Summary)
	writeFields(b, event.Fields(spec.Data))
	fmt.Fprintf(b, "\n```json\n%s```\n", pretty(sample))
}

func writeFields(b *strings.Builder, fields []event.Field) {
	b.WriteString("| field | | value |\n|---|---|---|\n")
	for _, f := range fields {
		presence := "optional"
		if f.Required {
			presence = "required"
		}
		text := strings.TrimPrefix(strings.TrimPrefix(f.Must(), "be "), "one of ")
		if f.Kind == event.KindOpenEnum {
			text = "a string: " + strings.Join(f.Values, ", ")
		}
		if f.Kind == event.KindObject {
			var names []string
			for _, inner := range f.Fields {
				names = append(names, "`"+inner.Name+"`")
			}
			text += " with " + strings.Join(names, ", ")
		}
		if f.Doc != "" {
			text += ". " + f.Doc
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, presence, text)
	}
}
