package bus

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/template"
)

// A target is where a rule or a schedule sends to.
type target struct {
	template.Target
	arn string
}

func (b *Bus) newTarget(def template.Target) *target {
	if def.Queue != "" {
		return &target{def, b.arn("sqs", def.Queue)}
	}
	return &target{def, b.arn("lambda", "function:"+def.Function)}
}

// A delivery is one event on its way to one target.
type delivery struct {
	target   *target
	event    []byte
	origin   map[string]string // the attributes of a dead letter that say where it is from
	accepted time.Time
	attempts int // that failed
}

// payload is what the target gets.
func (d *delivery) payload() []byte {
	if d.target.Input != nil {
		return d.target.Input
	}
	return d.event
}

// deliver gives all deliveries to their targets. The error is errFull or errClosed, and then none was given.
func (b *Bus) deliver(deliveries []*delivery) error {
	now := b.cfg.Clock.Now()
	count, bytes := 0, 0
	for _, d := range deliveries {
		d.accepted = now
		if d.target.Function != "" {
			count++
			bytes += len(d.payload())
		}
	}
	b.backlog.mu.Lock()
	if err := b.backlog.reserve(count, bytes); err != nil {
		b.backlog.mu.Unlock()
		return err
	}
	for _, d := range deliveries {
		if d.target.Function != "" {
			b.push(&invocation{
				function: b.backlog.functions[d.target.Function], payload: d.payload(), accepted: now,
				unreachable: func(err error) { b.bury(d, err, "") },
			})
		}
	}
	b.backlog.mu.Unlock()
	for _, d := range deliveries {
		if d.target.Queue != "" {
			b.send(d)
		}
	}
	return nil
}

// Waits between attempts to send to a queue: EventBridge backs off exponentially with jitter; how far is not documented.
const (
	firstSendPause = time.Second
	maxSendPause   = 15 * time.Minute
)

// send makes one attempt to put an event into a queue, and the next one later if that may help.
func (b *Bus) send(d *delivery) {
	message := queue.Message{Body: string(d.payload()), GroupID: d.target.MessageGroupID}
	_, err := b.cfg.Queues.Send(b.backlog.done, d.target.Queue, message)
	if err == nil || b.backlog.done.Err() != nil {
		return
	}
	pause := maxSendPause
	if d.attempts < 10 { // 2¹⁰ s > 15 min
		pause = firstSendPause << d.attempts
	}
	pause = pause/2 + rand.N(pause/2)
	d.attempts++
	switch {
	case !retryable(err):
		b.bury(d, err, "")
	case d.attempts > d.target.RetryAttempts:
		b.bury(d, err, "MaximumRetryAttempts")
	case b.cfg.Clock.Now().Add(pause).Sub(d.accepted) > d.target.MaximumEventAge:
		b.bury(d, err, "MaximumEventAgeInSeconds")
	default:
		b.later(d, pause, err)
	}
}

// later makes the next attempt after a pause, if the backlog has room for the event.
func (b *Bus) later(d *delivery, pause time.Duration, cause error) {
	b.backlog.mu.Lock()
	err := b.backlog.reserve(1, len(d.event))
	b.backlog.mu.Unlock()
	if err != nil {
		b.bury(d, cause, "")
		return
	}
	b.cfg.Log.Warn("event not delivered", "target", d.target.arn, "attempt", d.attempts, "againIn", pause, "error", cause)
	b.cfg.Clock.AfterFunc(pause, func() {
		b.backlog.mu.Lock()
		closed := b.backlog.closed
		b.backlog.mu.Unlock()
		if closed {
			return
		}
		b.backlog.release(len(d.event))
		b.send(d)
	})
}

// bury sends an event that can't be delivered to the target's dead-letter queue, with EventBridge's attributes (user guide,
// "Using dead-letter queues to process undelivered events"), or drops it. exhausted says which limit ended the attempts.
func (b *Bus) bury(d *delivery, cause error, exhausted string) {
	log := b.cfg.Log.With("target", d.target.arn, "cause", cause)
	if d.target.DeadLetterQueue == "" {
		log.Error("event dropped: the target has no dead-letter queue")
		return
	}
	attributes := maps.Clone(d.origin)
	attributes["TARGET_ARN"] = d.target.arn
	attributes["ERROR_CODE"] = errorCode(cause)
	attributes["ERROR_MESSAGE"] = cause.Error()
	attributes["RETRY_ATTEMPTS"] = strconv.Itoa(max(0, d.attempts-1))
	if exhausted != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
	}
	letter := queue.Message{Body: string(d.event), Attributes: make(map[string]queue.Attribute, len(attributes))}
	for name, value := range attributes {
		letter.Attributes[name] = queue.String(value)
	}
	if _, err := b.cfg.Queues.Send(b.backlog.done, d.target.DeadLetterQueue, letter); err != nil {
		log.Error("event dropped: it did not reach the dead-letter queue", "queue", d.target.DeadLetterQueue, "error", err)
		return
	}
	log.Warn("event not delivered; it is in the dead-letter queue", "queue", d.target.DeadLetterQueue)
}

// errorCode is one of those that EventBridge gives.
func errorCode(err error) string {
	var notInvoked *lambda.Error
	var notSent *queue.Error
	switch {
	case errors.As(err, &notInvoked) && notInvoked.Status == 404, errors.As(err, &notSent) && notSent.Code == "QueueDoesNotExist":
		return "NO_RESOURCE"
	case retryable(err):
		return "THROTTLING"
	}
	return "SDK_CLIENT_ERROR"
}
