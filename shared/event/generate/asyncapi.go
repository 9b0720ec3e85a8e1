package main

import (
	"github.com/purposepath/realtime/shared/event"
)

// asyncAPI is the AsyncAPI 3 document of the socket, seen from the server: it sends events and control messages, it receives auth and ping.
func asyncAPI(catalogue []event.Spec) []byte {
	var listed, messages, schemas object
	var sent []object
	for _, spec := range catalogue {
		name := string(spec.Type)
		listed = append(listed, member{name, reference("components/messages/" + name)})
		messages = append(messages, member{name, asyncMessage(spec)})
		schemas = append(schemas, member{dataName(spec), payloadSchema(spec, func(string) string { return "#/components/schemas/Event" })})
		if spec.Direction == event.ToClient {
			sent = append(sent, onSocket(spec.Type))
		}
	}
	schemas = append(schemas, member{"Event", object{
		{"title", "Event"}, {"description", "The envelope of any event; its data is that of its type."},
		{"type", "object"}, {"required", []string{"type", "timestamp", "eventId", "tenantId", "sequence", "data"}},
		{"properties", append(append(object{{"type", object{{"type", "string"}}}}, envelopeFields()...), member{"data", object{{"type", "object"}}})},
	}})

	operations := object{{"send", object{
		{"action", "send"}, {"channel", reference("channels/socket")},
		{"summary", "Events of the tenant, and what the server says about the connection."}, {"messages", sent},
	}}}
	for _, exchange := range []struct{ message, success, failure event.Type }{
		{event.TypeAuth, event.TypeAuthSuccess, event.TypeAuthError},
		{event.TypePing, event.TypePong, event.TypeConnectionError},
	} {
		operations = append(operations, member{string(exchange.message), object{
			{"action", "receive"}, {"channel", reference("channels/socket")}, {"messages", []object{onSocket(exchange.message)}},
			{"reply", object{{"channel", reference("channels/socket")}, {"messages", []object{onSocket(exchange.success), onSocket(exchange.failure)}}}},
		}})
	}
	return pretty(object{
		{"asyncapi", "3.0.0"},
		{"x-generated", notice},
		{"info", object{
			{"title", "PurposePath Realtime"}, {"version", "1.0.0"},
			{"description", "Typed domain events of a tenant, pushed to its clients over an API Gateway WebSocket API. The first message of a client is auth; the token never stands in the URL."},
		}},
		{"defaultContentType", "application/json"},
		{"servers", object{
			{"local", object{{"host", "localhost:5055"}, {"protocol", "ws"}, {"description", "The local stack, `make run`."}}},
			{"stage", object{
				{"host", "{api}.execute-api.{region}.amazonaws.com"}, {"pathname", "/{stage}"}, {"protocol", "wss"}, {"description", "A deployed stage."},
				{"variables", object{
					{"api", object{{"description", "The id of the API."}}},
					{"region", object{{"default", "eu-west-1"}}},
					{"stage", object{{"enum", []string{"dev", "staging", "prod"}}, {"default", "dev"}}},
				}},
			}},
		}},
		{"channels", object{{"socket", object{{"address", "/"}, {"description", "One connection of one user."}, {"messages", listed}}}}},
		{"operations", operations},
		{"components", object{{"messages", messages}, {"schemas", schemas}}},
	})
}

// onSocket refers to a message of the socket's channel, as operations must.
func onSocket(t event.Type) object { return reference("channels/socket/messages/" + string(t)) }

func reference(path string) object { return object{{"$ref", "#/" + path}} }

func asyncMessage(spec event.Spec) object {
	data := reference("components/schemas/" + dataName(spec))
	sample, err := sampleOf(spec)
	if err != nil {
		panic(err) // check has seen that it is one
	}
	payload := data
	if spec.Direction == event.ToClient {
		fields := controlFields()
		if spec.Domain() {
			fields = envelopeFields()
		}
		properties := append(append(object{{"type", object{{"const", spec.Type}}}}, fields...), member{"data", data})
		payload = object{{"type", "object"}, {"required", requiredOf(properties)}, {"properties", properties}}
	}
	return object{
		{"name", spec.Type}, {"title", pascal(spec.Type)}, {"summary", spec.Summary},
		{"payload", payload},
		{"examples", []object{{{"payload", sample}}}},
	}
}
