// Package event is the catalogue: every event type of the system, what it carries, and how it travels.
//
// The table in catalogue.go is the only place where an event type is named. JSON Schemas, the AsyncAPI document, docs/EVENTS.md, sample
// events, the rule's families in template.yaml, the TypeScript types, guards and validators, and the constants in types_gen.go are written
// from it by `make generate`. To add an event type: its payload struct in payload.go, its row in catalogue.go, `make generate`.
//
// Guarantees:
//   - Nothing that arrives can make it panic; what is refused is refused with a [Refusal] that names field and rule and repeats no value.
//   - Canonical form is unique and stable: bringing an event into canonical form twice is the same as doing it once, and an [Event] that
//     went through JSON has the same bytes of data as before.
//   - Numbers keep the text they came with. Fields the catalogue does not know pass through.
//   - An [Event] of [FromBus] fits one gateway frame whatever sequence it is given.
//
// The caller owes nothing: [FromBus] is the boundary at which a domain service's input is trusted no further than its bytes.
package event
