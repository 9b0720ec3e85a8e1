package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxRequestBytes bounds the body of a request: a batch of 1 MiB, its text escaped and its binary values in base64.
const maxRequestBytes = 16 << 20

// ServeHTTP answers one call of the JSON protocol, whatever its path (SQS API reference; AWS JSON 1.0).
func (s *Queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.call(w, r)
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("X-Amzn-Requestid", newID())
	status := http.StatusOK
	if err != nil {
		var refused *Error
		if !errors.As(err, &refused) {
			return // the client of a long poll has gone: nobody reads an answer
		}
		fault := ";Sender"
		if !refused.senderFault() {
			fault = ";Receiver"
		}
		header.Set("X-Amzn-Query-Error", refused.QueryCode+fault)
		status = refused.Status
		answer = map[string]string{"__type": namespace(refused.Code) + refused.Code, "message": refused.Message}
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(answer) // strings, numbers and bytes always marshal
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimRight(body.Bytes(), "\n"))
}

// namespace of an error's shape: those of the framework are not of SQS's model.
func namespace(code string) string {
	if strings.HasSuffix(code, "Exception") {
		return "com.amazon.coral.service#"
	}
	return "com.amazonaws.sqs#"
}

func (s *Queues) call(w http.ResponseWriter, r *http.Request) (any, error) {
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if r.Method != http.MethodPost || !ok {
		return nil, &Error{"UnknownOperationException", "InvalidAction", 400, "A call of SQS is a POST whose X-Amz-Target begins with AmazonSQS."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, simple("BatchRequestTooLong", 400, "Batch requests cannot be longer than %d bytes.", maxBytes)
		}
		return nil, malformed()
	}
	return s.run(r.Context(), "http://"+r.Host, operation, body)
}

// run does one operation. base is where the client reaches this stack.
func (s *Queues) run(ctx context.Context, base, operation string, body []byte) (any, error) {
	switch operation {
	case "SendMessage":
		return with(body, s.sendMessage)
	case "SendMessageBatch":
		return with(body, s.sendMessageBatch)
	case "ReceiveMessage":
		return with(body, func(in receiveInput) (any, error) { return s.receiveMessage(ctx, in) })
	case "DeleteMessage":
		return with(body, s.deleteMessage)
	case "DeleteMessageBatch":
		return with(body, s.deleteMessageBatch)
	case "ChangeMessageVisibility":
		return with(body, s.changeVisibility)
	case "ChangeMessageVisibilityBatch":
		return with(body, s.changeVisibilityBatch)
	case "PurgeQueue":
		return with(body, s.purgeQueue)
	case "GetQueueAttributes":
		return with(body, s.getAttributes)
	case "GetQueueUrl":
		return with(body, func(in getURLInput) (any, error) { return s.getURL(base, in) })
	case "ListQueues":
		return with(body, func(in listInput) (any, error) { return s.listQueues(base, in) })
	}
	return nil, simple("UnsupportedOperation", 400, "The local stack does not do %s; its queues come from the template.", operation)
}

// with decodes the input of an operation and does it.
func with[In any](body []byte, operation func(In) (any, error)) (any, error) {
	var in In
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed()
	}
	return operation(in)
}

// none is the answer of an operation that tells nothing.
type none struct{}

// queueOnly is the input of an operation that needs no more.
type queueOnly struct{ QueueUrl string }

// seconds turns an optional number of seconds into a duration; a number beyond all limits stays beyond them.
func seconds(n *int, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	const beyond = 1 << 30
	return time.Duration(max(-beyond, min(*n, beyond))) * time.Second
}

// A batch's entries are told apart by ids that the client chose.
type (
	failed struct {
		Id          string
		SenderFault bool
		Code        string
		Message     string
	}
	succeeded struct{ Id string }
	batchDone struct {
		Successful []any
		Failed     []failed
	}
)

// each does the entries of a batch one by one.
func each[E any](entries []E, id func(E) string, do func(E) (any, *Error)) (any, error) {
	done := batchDone{Successful: []any{}, Failed: []failed{}}
	for _, entry := range entries {
		answer, err := do(entry)
		if err != nil {
			done.Failed = append(done.Failed, failed{id(entry), err.senderFault(), err.QueryCode, err.Message})
		} else {
			done.Successful = append(done.Successful, answer)
		}
	}
	return done, nil
}

// checkBatch refuses a batch as a whole.
func checkBatch[E any](entries []E, id func(E) string) error {
	switch {
	case len(entries) == 0:
		return simple("EmptyBatchRequest", 400, "There should be at least one entry in the request.")
	case len(entries) > maxReceive:
		return simple("TooManyEntriesInBatchRequest", 400, "Maximum number of entries per request are %d. You have sent %d.", maxReceive, len(entries))
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		name := id(entry)
		if name == "" || len(name) > 80 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return simple("InvalidBatchEntryId", 400, "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[name] {
			return simple("BatchEntryIdsNotDistinct", 400, "Id %s repeated.", name)
		}
		seen[name] = true
	}
	return nil
}
