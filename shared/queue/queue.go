// Package queue is the way of events through SQS: the tenant queue between broadcaster and pusher, and the dead letters.
//
// The tenant queue is FIFO with the tenant as message group, so that a tenant has one writer at a time, in order; its
// deduplication drops an event that was sent twice within five minutes. Neither is what keeps events from being lost or numbered
// twice: the log does that.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/event"
)

// A Message is the body of one message of the tenant queue.
type Message struct {
	TenantID   string      `json:"tenantId"`
	EventID    string      `json:"eventId"`
	AcceptedAt time.Time   `json:"acceptedAt"`
	Event      event.Event `json:"event"`
}

// Decode reads the body of a message.
func Decode(body string) (Message, error) {
	var m Message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return Message{}, fmt.Errorf("message of the tenant queue: %w", err)
	}
	if m.TenantID == "" || m.TenantID != m.Event.TenantID || m.EventID != m.Event.EventID || m.AcceptedAt.IsZero() {
		return Message{}, errors.New("message of the tenant queue: tenantId, eventId or acceptedAt are missing or not the event's")
	}
	return m, nil
}

// A Queue sends to the tenant queue and to the dead-letter queue.
type Queue struct {
	client      *sqs.Client
	tenants     *string
	deadLetters *string
}

// New returns the environment's queues.
func New(env *awsenv.Env) *Queue {
	endpoint := env.Endpoint("SQS")
	return &Queue{
		client:      sqs.NewFromConfig(env.AWS(), func(o *sqs.Options) { o.BaseEndpoint = endpoint }),
		tenants:     aws.String(env.Required("TENANT_QUEUE_URL")),
		deadLetters: aws.String(env.Required("DEAD_LETTER_QUEUE_URL")),
	}
}

// Send puts an event into its tenant's group.
func (q *Queue) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("send event %s: %w", m.EventID, err)
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: q.tenants, MessageBody: aws.String(string(body)),
		MessageGroupId: aws.String(hash(m.TenantID)), MessageDeduplicationId: aws.String(hash(m.TenantID, m.EventID)),
	})
	if err != nil {
		return fmt.Errorf("send event %s: %w", m.EventID, err)
	}
	return nil
}

// hash is an id of SQS's alphabet and length (128 characters) for strings of any; each part's length keeps ("a", "bc") and
// ("ab", "c") apart.
func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part) // a hash never fails to write
	}
	return hex.EncodeToString(h.Sum(nil))
}

// A Refusal is why something is put aside for good.
type Refusal struct {
	Reason string // a stable word
	Field  string // the field that is wrong, "" for none
	By     string // the function that refuses
}

// Refuse puts the body, byte for byte, into the dead-letter queue with the reason beside it.
func (q *Queue) Refuse(ctx context.Context, body string, why Refusal) error {
	attributes := map[string]types.MessageAttributeValue{}
	for name, value := range map[string]string{"reason": why.Reason, "field": why.Field, "refusedBy": why.By} {
		if value != "" {
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.deadLetters, MessageBody: &body, MessageAttributes: attributes})
	if err != nil {
		return fmt.Errorf("put aside as %s: %w", why.Reason, err)
	}
	return nil
}

// RetryIn makes messages of the tenant queue visible again after d, all at the same moment so that their order stays. At most ten
// receipt handles, the size of a batch.
func (q *Queue) RetryIn(ctx context.Context, d time.Duration, receiptHandles []string) error {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(receiptHandles))
	for i, handle := range receiptHandles {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(handle), VisibilityTimeout: int32(d / time.Second),
		}
	}
	out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: q.tenants, Entries: entries})
	if err != nil {
		return fmt.Errorf("retry in %v: %w", d, err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("retry in %v: %d of %d messages refused, the first: %s", d, len(out.Failed), len(entries), aws.ToString(out.Failed[0].Code))
	}
	return nil
}
