package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/purposepath/realtime/shared/event"
)

// samples are the sample events as Lambda gets them from EventBridge: events/goal-created.json and so on.
//
// They leave eventId and occurredAt to the bus, so that each publication of a sample is an event of its own.
func samples(catalogue []event.Spec) []file {
	var files []file
	for _, spec := range catalogue {
		if !spec.Domain() {
			continue
		}
		files = append(files, file{"events/" + spec.Type.Hyphenated() + ".json", pretty(object{
			{"version", "0"},
			{"id", sampleID(spec)},
			{"detail-type", spec.Type},
			{"source", source(spec)},
			{"account", "123456789012"},
			{"time", sampleTime(spec).Format(time.RFC3339)},
			{"region", "eu-west-1"},
			{"resources", []string{}},
			{"detail", spec.Data},
		})})
	}
	return files
}

// source is the EventBridge source of the service that owns the entity.
func source(spec event.Spec) string { return "purposepath." + spec.Kind + "s" }

// sampleID is a UUID that depends on the type alone.
func sampleID(spec event.Spec) string {
	h := sha256.Sum256([]byte(spec.Type))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// sampleTime is what the sample's time field says.
func sampleTime(spec event.Spec) time.Time {
	at, _ := time.Parse(time.RFC3339, fmt.Sprint(sampleData(spec)[spec.Time])) // check has seen that it is one
	return at
}

// sampleData is the sample's payload as any JSON reader sees it.
func sampleData(spec event.Spec) map[string]any {
	data := map[string]any{}
	if err := json.Unmarshal(compact(spec.Data), &data); err != nil {
		panic(err) // compact wrote it
	}
	return data
}

// sampleSequence is the number sample envelopes carry: a head begins with the Unix time in milliseconds.
const sampleSequence = 1772439300001

// sampleEnvelope is the sample as a client gets it.
func sampleEnvelope(spec event.Spec) (json.RawMessage, error) {
	e, err := event.FromBus(sampleID(spec), string(spec.Type), sampleTime(spec), compact(spec.Data))
	if err != nil {
		return nil, err
	}
	return e.Envelope(sampleSequence)
}

// sampleMessage is a control message or a client's message with its sample.
func sampleMessage(spec event.Spec) (json.RawMessage, error) {
	if spec.Direction == event.ToServer {
		return compact(spec.Data), nil
	}
	return event.Control(spec.Type, time.UnixMilli(sampleSequence), spec.Data)
}

// sampleOf is what travels on the socket for a row of the catalogue.
func sampleOf(spec event.Spec) (json.RawMessage, error) {
	if spec.Domain() {
		return sampleEnvelope(spec)
	}
	return sampleMessage(spec)
}
