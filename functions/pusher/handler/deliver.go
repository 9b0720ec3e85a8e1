package handler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/telemetry"
)

// deliver numbers, stores and posts one unit of a tenant's messages. With an error, none of them is done.
func (h *Handler) deliver(ctx context.Context, unit []message) error {
	fit, err := h.sift(ctx, unit)
	if err != nil || len(fit) == 0 {
		return err
	}
	tenantID := fit[0].TenantID
	entries := make([]eventlog.Entry, len(fit))
	for i, m := range fit {
		entries[i] = eventlog.Entry{EventID: m.EventID, Envelope: m.Event.Envelope}
	}
	records, err := h.Events.Append(ctx, tenantID, entries)
	if errors.Is(err, eventlog.ErrInvalid) {
		if len(fit) == 1 {
			return h.refuse(ctx, fit[0], reasonNotStored, err)
		}
		_, err = h.deliverAll(ctx, fit, 1, false) // one of them is at fault: alone it shows itself
		return err
	}
	if err != nil {
		return err
	}
	return h.post(ctx, tenantID, records, fit)
}

// sift leaves out what needs no number: repeats of an event within the unit, and what is refused for good.
func (h *Handler) sift(ctx context.Context, unit []message) ([]message, error) {
	var fit []message
	seen := map[string]bool{}
	for _, m := range unit {
		if seen[m.EventID] {
			continue // two operations on one item would make the transaction invalid for ever
		}
		reason := ""
		why := error(nil)
		if age := h.Now().Sub(m.AcceptedAt); age > maxAge {
			reason, why = reasonTooOld, fmt.Errorf("accepted %v ago", age.Round(time.Minute))
		} else if err := envelopeOf(m); err != nil {
			reason, why = reasonNoEnvelope, err
		}
		if reason == "" {
			seen[m.EventID] = true
			fit = append(fit, m)
		} else if err := h.refuse(ctx, m, reason, why); err != nil {
			return nil, err
		}
	}
	return fit, nil
}

// post reads the members, strongly and only now, and posts the records to each: a function of tenant and records, so that a second
// queue could stand between numbering and posting.
func (h *Handler) post(ctx context.Context, tenantID string, records []eventlog.Record, messages []message) error {
	if len(records) == 0 {
		return nil
	}
	members, err := h.Members.Members(ctx, tenantID)
	if err != nil {
		return err
	}
	began := h.Now()
	single := replay.Frames(began, records, false)
	batched := replay.Frames(began, records, true)
	deliveries := make([]push.Delivery, len(members))
	for i, m := range members {
		frames := single
		if m.AcceptsBatch {
			frames = batched
		}
		deliveries[i] = push.Delivery{Recipient: push.Recipient{ConnectionID: m.ConnectionID, ValidUntil: m.ValidUntil}, Frames: frames}
	}
	results := h.Push.Push(ctx, deliveries)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("posts to %d connections did not end in time: %w", len(members), err)
	}
	h.deleteGone(ctx, members, results)
	h.report(ctx, tenantID, records, messages, results, began)
	return nil
}

// deleteGone forgets those that are gone. Best effort: the next push finds them again.
func (h *Handler) deleteGone(ctx context.Context, members []connection.Member, results []push.Counts) {
	const atOnce = 16
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, counts := range results {
		if counts[push.Gone] == 0 {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := h.Members.DeleteMember(ctx, members[i]); err != nil {
				h.Log.WarnContext(ctx, "gone connection not deleted", "connectionId", members[i].ConnectionID, "error", err)
			}
		})
	}
	all.Wait()
}

func (h *Handler) report(ctx context.Context, tenantID string, records []eventlog.Record, messages []message, results []push.Counts, began time.Time) {
	now := h.Now()
	var total push.Counts
	for _, counts := range results {
		for outcome, n := range counts {
			total[outcome] += n
		}
	}
	eventIDs, correlationIDs := make([]string, len(messages)), make([]string, 0, len(messages))
	latencies := make([]time.Duration, len(messages))
	for i, m := range messages {
		eventIDs[i], latencies[i] = m.EventID, now.Sub(m.AcceptedAt) // the producer's own time may be any
		if m.Event.CorrelationID != "" {
			correlationIDs = append(correlationIDs, m.Event.CorrelationID)
		}
	}
	h.Log.InfoContext(ctx, "pushed", "tenantId", tenantID, "eventIds", eventIDs, "correlationIds", correlationIDs, "sequence", records[len(records)-1].Sequence,
		"connections", len(results), "delivered", total[push.Delivered], "gone", total[push.Gone], "expired", total[push.Expired],
		"throttled", total[push.ThrottledOut], "failed", total[push.Failed],
		"pushMs", now.Sub(began).Milliseconds(), "latencyMs", slices.Max(latencies).Milliseconds())
	h.Metrics.Emit("", "", telemetry.Milliseconds("eventLatency", latencies...), telemetry.Count("postsDelivered", total[push.Delivered]),
		telemetry.Count("postsGone", total[push.Gone]), telemetry.Count("postsExpired", total[push.Expired]),
		telemetry.Count("postsThrottled", total[push.ThrottledOut]), telemetry.Count("postsFailed", total[push.Failed]))
}
