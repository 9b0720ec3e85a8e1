// Package handler decides a batch of the tenant queue: it numbers the events, stores them, and posts them to the tenant's
// connections.
//
// Guarantees:
//   - Numbered and stored first, members read only then: who authenticates meanwhile has the event in its replay.
//   - A message counts as done only when its event is numbered and every member read after that was posted to once, or when it is
//     a dead letter with its reason.
//   - A tenant that fails reports all its messages that are not done, so that its order stays; other tenants report nothing.
//   - From the third receive on, a tenant's messages go one at a time, and from the eighth on one that fails is passed over: a
//     poisonous one takes no others along into the dead-letter queue. The order of the queue is given up for that; the log's is not.
package handler

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

// maxAge is how long after it was accepted an event may still be numbered: the record of its id lives 48 h, and without it the same
// event would get a second number.
const maxAge = 36 * time.Hour

// aloneFrom is the receive from which on a tenant's messages go one at a time, passFrom that from which on a failing one is passed
// over. The tenth is the last (template.yaml, maxReceiveCount).
const (
	aloneFrom = 3
	passFrom  = 8
)

// reserve is what is kept of the function's time to report what is not done.
const reserve = 2 * time.Second

// Reasons why a message is put aside.
const (
	reasonMalformed  = "malformed_message" // not a message of the broadcaster
	reasonTooOld     = "too_old"           // accepted over 36 h ago
	reasonNotStored  = "not_storable"      // the table refuses it
	reasonNoEnvelope = "no_envelope"       // it can't be marshalled, or is too large
)

// A Handler answers batches of the tenant queue.
type Handler struct {
	Events interface {
		Append(ctx context.Context, tenantID string, entries []eventlog.Entry) ([]eventlog.Record, error)
	}
	Members interface {
		Members(ctx context.Context, tenantID string) ([]connection.Member, error)
		DeleteMember(context.Context, connection.Member) error
	}
	Push interface {
		Push(context.Context, []push.Delivery) []push.Counts
	}
	Queue interface {
		RetryIn(ctx context.Context, d time.Duration, receiptHandles []string) error
		Refuse(ctx context.Context, body string, why queue.Refusal) error
	}
	Now     func() time.Time
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// A message is one of the batch, read.
type message struct {
	queue.Message
	id       string // SQS's
	handle   string
	body     string
	received int
}

// Handle answers the messages that are not done.
func (h *Handler) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	tenants, unread := h.read(ctx, batch)
	results := make(chan []message, len(tenants))
	var all sync.WaitGroup
	for _, messages := range tenants {
		all.Go(func() { results <- h.tenant(ctx, messages) })
	}
	all.Wait()
	close(results)
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range unread {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	for failed := range results {
		for _, m := range failed {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.id})
		}
	}
	return response, nil
}

// read groups the messages by tenant, each tenant's in the order of the batch. What can't be read is put aside; unread are the ids
// of those that could not even be put aside.
func (h *Handler) read(ctx context.Context, batch events.SQSEvent) (tenants map[string][]message, unread []string) {
	tenants = map[string][]message{}
	for _, record := range batch.Records {
		decoded, err := queue.Decode(record.Body)
		m := message{Message: decoded, id: record.MessageId, handle: record.ReceiptHandle, body: record.Body}
		if err != nil {
			if err := h.refuse(ctx, m, reasonMalformed, err); err != nil {
				unread = append(unread, m.id)
			}
			continue
		}
		m.received, _ = strconv.Atoi(record.Attributes["ApproximateReceiveCount"]) // absent under `sam local invoke`: the first
		tenants[m.TenantID] = append(tenants[m.TenantID], m)
	}
	return tenants, unread
}

// tenant handles one tenant's messages and returns those that are not done.
func (h *Handler) tenant(ctx context.Context, messages []message) (failed []message) {
	received := 0
	for _, m := range messages {
		received = max(received, m.received)
	}
	size := eventlog.MaxBatch
	if received >= aloneFrom {
		size = 1
	}
	rest, err := h.deliverAll(ctx, messages, size, received >= passFrom)
	if err == nil {
		return nil
	}
	wait := retryWait(received)
	h.Log.ErrorContext(ctx, "not delivered, the queue brings it back", "tenantId", messages[0].TenantID, "messages", len(rest),
		"received", received, "retryInMs", wait.Milliseconds(), "error", err)
	handles := make([]string, len(rest))
	for i, m := range rest {
		handles[i] = m.handle
	}
	// Best effort: without it the messages come back when their visibility ends. The context of the batch may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserve/2)
	defer cancel()
	if err := h.Queue.RetryIn(ctx, wait, handles); err != nil {
		h.Log.WarnContext(ctx, "retry not hastened", "error", err)
	}
	return rest
}

// retryWait is 2 s, doubled with each receive, at most 30 s.
func retryWait(received int) time.Duration {
	return min(2*time.Second<<max(0, min(received-1, 4)), 30*time.Second)
}

// deliverAll delivers the messages in units of a size. With an error it returns the messages that are not done: all from the first unit
// that failed on, or, where failing ones are passed over, those alone.
func (h *Handler) deliverAll(ctx context.Context, messages []message, size int, passOver bool) (failed []message, err error) {
	for len(messages) > 0 {
		unit := messages[:min(size, len(messages))]
		if failure := h.deliver(ctx, unit); failure != nil && !passOver {
			return messages, failure
		} else if failure != nil {
			failed, err = append(failed, unit...), errors.Join(err, failure)
		}
		messages = messages[len(unit):]
	}
	return failed, err
}

// envelopeOf refuses an event whose frame can't be made under any number, before it could spoil a transaction.
func envelopeOf(m message) error {
	_, err := m.Event.Envelope(event.MaxSequence)
	return err
}

func (h *Handler) refuse(ctx context.Context, m message, reason string, why error) error {
	if err := h.Queue.Refuse(ctx, m.body, queue.Refusal{Reason: reason, By: "pusher"}); err != nil {
		h.Log.ErrorContext(ctx, "not put aside", "eventId", m.EventID, "reason", reason, "error", err)
		return err
	}
	h.Log.ErrorContext(ctx, "refused", "eventId", m.EventID, "reason", reason, "error", why)
	h.Metrics.Emit("reason", reason, telemetry.Count("eventsRefused", 1))
	return nil
}
