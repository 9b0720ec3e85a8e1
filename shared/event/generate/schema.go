package main

import (
	"encoding/json"

	"github.com/purposepath/realtime/shared/event"
)

const (
	dialect          = "https://json-schema.org/draft/2020-12/schema"
	timestampPattern = `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`
)

// schemas are the JSON Schemas of docs/schemas: the payload of each type, and what is said on the socket as a whole.
func schemas(catalogue []event.Spec) []file {
	var files []file
	add := func(name string, schema object) {
		document := append(object{{"$schema", dialect}, {"$comment", notice}}, schema...)
		files = append(files, file{"docs/schemas/" + name + ".json", pretty(document)})
	}
	var events, control, client []event.Spec
	for _, spec := range catalogue {
		add(spec.Type.Hyphenated(), payloadSchema(spec, fileRef))
		switch {
		case spec.Domain():
			events = append(events, spec)
		case spec.Direction == event.ToClient:
			control = append(control, spec)
		default:
			client = append(client, spec)
		}
	}
	add("envelope", unionSchema("Envelope", "An event as it travels to a client.", events, envelopeFields()))
	add("control", unionSchema("ControlMessage", "What the server says about the connection itself.", control, controlFields()))
	var either []object
	for _, spec := range client {
		either = append(either, object{{"$ref", fileRef(spec.Type.Hyphenated())}})
	}
	add("client", object{{"title", "ClientMessage"}, {"description", "What a client says."}, {"oneOf", either}})
	return files
}

// fileRef refers to another schema of the folder.
func fileRef(name string) string { return name + ".json" }

// payloadSchema is the schema of one type's data, or of a client's message. ref makes a reference to another schema by its name.
func payloadSchema(spec event.Spec, ref func(string) string) object {
	schema := object{{"title", dataName(spec)}, {"description", spec.Summary}}
	schema = append(schema, objectSchema(event.Fields(spec.Data), ref)...)
	return append(schema, member{"examples", []any{json.RawMessage(compact(spec.Data))}})
}

func objectSchema(fields []event.Field, ref func(string) string) object {
	properties, required := object{}, []string{}
	for _, f := range fields {
		properties = append(properties, member{f.Name, fieldSchema(f, ref)})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return object{{"type", "object"}, {"required", required}, {"properties", properties}}
}

func fieldSchema(f event.Field, ref func(string) string) object {
	schema := object{}
	if f.Doc != "" {
		schema = append(schema, member{"description", f.Doc})
	}
	add := func(name string, value any) { schema = append(schema, member{name, value}) }
	addType := func(name string) {
		if f.Nullable {
			add("type", []string{name, "null"})
			return
		}
		add("type", name)
	}
	switch f.Kind {
	case event.KindID:
		addType("string")
		add("minLength", 1)
		add("maxLength", 256)
	case event.KindTitle:
		addType("string")
		add("minLength", 1)
	case event.KindTimestamp:
		addType("string")
		add("format", "date-time")
		add("pattern", timestampPattern)
	case event.KindDate:
		addType("string")
		add("format", "date")
	case event.KindInteger:
		addType("integer")
		add("minimum", -event.MaxSequence)
		add("maximum", event.MaxSequence)
	case event.KindPercent:
		addType("number")
		add("minimum", 0)
		add("maximum", 100)
	case event.KindEnum:
		add("enum", f.Values)
	case event.KindOpenEnum:
		addType("string")
		add("examples", f.Values)
	case event.KindList:
		addType("array")
		add("items", object{{"type", "string"}})
	case event.KindEvents:
		addType("array")
		add("items", object{{"$ref", ref("envelope")}})
	case event.KindObject:
		schema = append(schema, objectSchema(f.Fields, ref)...)
	case event.KindNumber, event.KindBool:
		addType(string(f.Kind))
	default:
		addType("string")
	}
	return schema
}

// envelopeFields are the members of an event's envelope beside type and data.
func envelopeFields() object {
	return append(controlFields(),
		member{"eventId", object{{"type", "string"}, {"minLength", 1}, {"maxLength", 256}, {"description", "The producer's detail.eventId, else EventBridge's id. The same event keeps it whatever is retried."}}},
		member{"tenantId", object{{"type", "string"}, {"minLength", 1}, {"maxLength", 256}}},
		member{"sequence", object{{"type", "integer"}, {"minimum", 1}, {"maximum", event.MaxSequence}, {"description", "Contiguous for each tenant."}}},
		member{"correlationId", object{{"type", "string"}, {"minLength", 1}, {"maxLength", 128}, {"description", "The id the causing call carried: by it a client knows the echo of its own change."}}},
	)
}

func controlFields() object {
	return object{{"timestamp", object{{"type", "string"}, {"format", "date-time"}, {"pattern", timestampPattern}, {"description", "UTC, exactly three decimals. Of an event: when it happened. Of a control message: the server's time."}}}}
}

// unionSchema is the schema of messages whose data depends on their type.
func unionSchema(title, description string, specs []event.Spec, fields object) object {
	var types []event.Type
	var conditions []object
	for _, spec := range specs {
		types = append(types, spec.Type)
		conditions = append(conditions, object{
			{"if", object{{"required", []string{"type"}}, {"properties", object{{"type", object{{"const", spec.Type}}}}}}},
			{"then", object{{"properties", object{{"data", object{{"$ref", fileRef(spec.Type.Hyphenated())}}}}}}},
		})
	}
	properties := append(object{{"type", object{{"enum", types}}}}, fields...)
	properties = append(properties, member{"data", object{{"type", "object"}}})
	return object{
		{"title", title}, {"description", description}, {"type", "object"},
		{"required", requiredOf(properties)}, {"properties", properties}, {"allOf", conditions},
	}
}

// requiredOf names every member of an envelope but the only optional one.
func requiredOf(properties object) []string {
	var required []string
	for _, p := range properties {
		if p.name != "correlationId" {
			required = append(required, p.name)
		}
	}
	return required
}

// dataName is the name of the type of a row's data, or of a client's message, in schemas and in TypeScript.
func dataName(spec event.Spec) string {
	if spec.Direction == event.ToServer {
		return pascal(spec.Type) + "Message"
	}
	return pascal(spec.Type) + "Data"
}
