// Package handler decides an event of EventBridge: it brings it into canonical form and puts it into its tenant's queue.
//
// Guarantees:
//   - What is the event's own fault is put aside with its reason and never retried; everything else is an error, which Lambda
//     retries. Nothing is dropped.
//   - Sending an event twice is harmless: its id keeps it one event.
package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

// A Handler answers the rule.
type Handler struct {
	Queue interface {
		Send(context.Context, queue.Message) error
		Refuse(ctx context.Context, body string, why queue.Refusal) error
	}
	Now     func() time.Time
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Handle takes the event as it came: a refused one is put aside byte for byte.
func (h *Handler) Handle(ctx context.Context, raw json.RawMessage) error {
	began := h.Now()
	e, id, err := decode(raw)
	var refusal *event.Refusal
	if errors.As(err, &refusal) {
		return h.refuse(ctx, id, raw, refusal)
	}
	if err != nil {
		return err
	}
	if err := h.Queue.Send(ctx, queue.Message{TenantID: e.TenantID, EventID: e.EventID, AcceptedAt: began, Event: e}); err != nil {
		return err
	}
	h.Log.InfoContext(ctx, "accepted", "eventId", e.EventID, "eventType", e.Type, "tenantId", e.TenantID, "correlationId", e.CorrelationID,
		"ageMs", began.Sub(e.Timestamp).Milliseconds(), "tookMs", h.Now().Sub(began).Milliseconds())
	h.Metrics.Emit("", "", telemetry.Count("eventsAccepted", 1))
	return nil
}

// decode reads the bus's envelope. What is not even that did not come from EventBridge, and no retry mends it.
func decode(raw json.RawMessage) (event.Event, string, error) {
	var bus events.EventBridgeEvent
	if err := json.Unmarshal(raw, &bus); err != nil {
		return event.Event{}, "", &event.Refusal{Reason: event.RefusedMalformedDetail, Rule: "envelope", Must: "be an event as EventBridge sends it"}
	}
	e, err := event.FromBus(bus.ID, bus.DetailType, bus.Time, bus.Detail)
	return e, bus.ID, err
}

func (h *Handler) refuse(ctx context.Context, id string, raw json.RawMessage, why *event.Refusal) error {
	err := h.Queue.Refuse(ctx, string(raw), queue.Refusal{Reason: why.Reason, Field: why.Field, By: "broadcaster"})
	if err != nil {
		return fmt.Errorf("refused event %s: %w", id, err)
	}
	h.Log.WarnContext(ctx, "refused", "eventId", id, "reason", why.Reason, "field", why.Field, "rule", why.Rule, "must", why.Must)
	h.Metrics.Emit("reason", why.Reason, telemetry.Count("eventsRefused", 1))
	return nil
}
