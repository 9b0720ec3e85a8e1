package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	// MaxFrameBytes is the largest WebSocket frame of API Gateway, and the unit it meters messages by: 32 KB.
	// Source: API Gateway Developer Guide, quotas for WebSocket APIs, "WebSocket frame size".
	MaxFrameBytes = 32768
	// MaxSequence is JavaScript's largest safe integer.
	MaxSequence = 1<<53 - 1
)

// An Event is a domain event in canonical form, not yet numbered.
//
// In JSON it is {type, timestamp, eventId, tenantId, data, correlationId?}, and comes back from there with the same bytes of Data.
type Event struct {
	Type          Type
	Timestamp     time.Time // when it happened; UTC, milliseconds
	EventID       string
	TenantID      string
	CorrelationID string          // of the call that caused it; empty when the producer gave none
	Data          json.RawMessage // a JSON object with camelCase keys
}

// An Envelope is an event as it travels, for those who read one. Without a sequence it is ephemeral.
type Envelope struct {
	Type          Type            `json:"type"`
	Timestamp     Timestamp       `json:"timestamp"`
	EventID       string          `json:"eventId"`
	TenantID      string          `json:"tenantId"`
	Sequence      int64           `json:"sequence,omitzero"`
	Data          json.RawMessage `json:"data"`
	CorrelationID string          `json:"correlationId,omitempty"`
}

// FromBus brings an event of EventBridge into canonical form and holds it to the catalogue.
//
// id, detailType, at and detail are the bus's id, detail-type, time and detail. The detail's eventId, occurredAt and correlationId, where
// they are not null, win over id and at, and are taken out of the data; its tenantId stays. Every error is a *[Refusal].
func FromBus(id, detailType string, at time.Time, detail []byte) (Event, error) {
	e, refusal := fromBus(id, detailType, at, detail)
	if refusal != nil {
		return Event{}, refusal
	}
	return e, nil
}

func fromBus(id, detailType string, at time.Time, detail []byte) (e Event, refusal *Refusal) {
	spec, alias, known := resolve(detailType)
	if !known {
		return e, &Refusal{Reason: RefusedUnknownType, Field: "detail-type", Rule: "known", Must: "be a type of the catalogue or one of its aliases"}
	}
	payload, refusal := parse(detail)
	if refusal != nil {
		return e, refusal
	}
	e.Type = spec.Type
	if refusal = e.takeMetadata(payload, id, at); refusal != nil {
		return e, refusal
	}
	if alias.From != "" {
		if refusal = payload.rename(alias.From, alias.To); refusal != nil {
			return e, refusal
		}
	}
	if refusal = conform(payload, Fields(spec.Data)); refusal != nil {
		return e, refusal
	}
	e.Data = appendValue(nil, payload)
	if frame, err := e.envelope(MaxSequence); err != nil || len(frame) > MaxFrameBytes {
		return e, tooLarge()
	}
	return e, nil
}

// takeMetadata fills what the envelope says about the event from the payload and the bus.
func (e *Event) takeMetadata(payload *object, id string, at time.Time) (refusal *Refusal) {
	i := payload.index("tenantId")
	if i < 0 || payload.members[i].value == nil || payload.members[i].value == "" {
		return &Refusal{Reason: RefusedTenantMissing, Field: "tenantId", Rule: "required", Must: "name the tenant the event is for"}
	}
	if e.TenantID, refusal = identifier("tenantId", payload.members[i].value, maxID, byteCount, "bytes"); refusal != nil {
		return refusal
	}

	eventID := payload.take("eventId")
	if eventID == nil {
		eventID = id
	}
	if e.EventID, refusal = identifier("eventId", eventID, maxID, byteCount, "bytes"); refusal != nil {
		return refusal
	}

	if correlationID := payload.take("correlationId"); correlationID != nil {
		e.CorrelationID, refusal = identifier("correlationId", correlationID, maxCorrelationID, utf8.RuneCountInString, "characters")
		if refusal != nil {
			return refusal
		}
	}

	occurredAt := Field{Name: "occurredAt", Kind: KindTimestamp}
	ok := false
	switch value := payload.take(occurredAt.Name).(type) {
	case nil:
		e.Timestamp, ok = moment(at)
		ok = ok && !at.IsZero()
	case string:
		e.Timestamp, ok = parseTimestamp(value)
	default:
		return invalid(occurredAt.Name, "type", occurredAt.Must())
	}
	if !ok {
		return invalid(occurredAt.Name, "timestamp", occurredAt.Must())
	}
	return nil
}

func byteCount(s string) int { return len(s) }

// Envelope is the event as it is stored and posted under its number.
//
// It errs when the sequence is not from 1 to [MaxSequence], or when the event did not come from [FromBus] and its data is no JSON object
// or too large for a frame.
func (e Event) Envelope(sequence int64) ([]byte, error) {
	if sequence < 1 || sequence > MaxSequence {
		return nil, fmt.Errorf("envelope of event %s: sequence %d is not from 1 to %d", e.EventID, sequence, int64(MaxSequence))
	}
	envelope, err := e.envelope(sequence)
	if err != nil {
		return nil, fmt.Errorf("envelope of event %s: %w", e.EventID, err)
	}
	if len(envelope) > MaxFrameBytes {
		return nil, fmt.Errorf("envelope of event %s: %d bytes do not fit a frame of %d", e.EventID, len(envelope), MaxFrameBytes)
	}
	return envelope, nil
}

// MarshalJSON writes the envelope without a number.
func (e Event) MarshalJSON() ([]byte, error) { return e.envelope(0) }

func (e Event) envelope(sequence int64) ([]byte, error) {
	if len(e.Data) == 0 || e.Data[0] != '{' {
		return nil, errors.New("its data is not a JSON object")
	}
	return marshal(Envelope{
		Type: e.Type, Timestamp: TimestampOf(e.Timestamp), EventID: e.EventID, TenantID: e.TenantID,
		Sequence: sequence, Data: e.Data, CorrelationID: e.CorrelationID,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, also after another encoder has escaped < > and & in it, as encoding/json does with the JSON
// of others: such escapes would let the envelope outgrow the frame it was measured for.
func (e *Event) UnmarshalJSON(text []byte) error {
	var envelope Envelope
	if err := json.Unmarshal(text, &envelope); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	at, ok := parseTimestamp(string(envelope.Timestamp))
	if !ok || envelope.Type == "" || envelope.EventID == "" || envelope.TenantID == "" {
		return errors.New("read event: type, timestamp, eventId and tenantId must be given")
	}
	data, refusal := parse(envelope.Data)
	if refusal != nil {
		return fmt.Errorf("read data of event %s: %w", envelope.EventID, refusal)
	}
	*e = Event{
		Type: envelope.Type, Timestamp: at, EventID: envelope.EventID, TenantID: envelope.TenantID,
		CorrelationID: envelope.CorrelationID, Data: appendValue(nil, data),
	}
	return nil
}

// marshal writes JSON without the escapes that only HTML needs.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
