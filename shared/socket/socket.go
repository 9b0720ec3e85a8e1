// Package socket is what every WebSocket handler needs: to read a message, to answer, and to close.
//
// Guarantees:
//   - What a client sent never ends in an error of the function: it ends in an answer that says what was wrong and where.
//   - No answer holds an error of ours, a stack, a table's name, an ARN or a token.
package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/push"
)

// Request and Response are what API Gateway exchanges with a handler.
type (
	Request  = events.APIGatewayWebsocketProxyRequest
	Response = events.APIGatewayProxyResponse
)

// Bounds of what a message may hold, in bytes: a ref is repeated in the answer, an event id is looked up and no event has a longer
// one.
const (
	maxRefLength     = 256
	maxEventIDLength = 256
)

// A Message is what a client may send.
type Message interface {
	event.AuthMessage | event.PingMessage
}

// Read decodes a message. The failure is the answer to one that can't be read; its text names the field. What could be read is
// returned beside it, so that the answer can carry the ref.
func Read[M Message](body string) (M, *event.Failure) {
	var message M
	err := json.Unmarshal([]byte(body), &message)
	failure := decodeFailure(err)
	var position *int64
	var ref *string
	eventID := ""
	switch m := any(&message).(type) {
	case *event.AuthMessage:
		position, ref, eventID = m.LastSequence, &m.Ref, m.LastEventID
	case *event.PingMessage:
		position, ref = m.LastSequence, &m.Ref
	}
	if len(*ref) > maxRefLength {
		*ref = ""
		return message, Invalid("ref is longer than %d bytes", maxRefLength)
	}
	switch {
	case failure != nil:
		return message, failure
	case len(eventID) > maxEventIDLength:
		return message, Invalid("lastEventId is longer than %d bytes", maxEventIDLength)
	case position != nil && (*position < 0 || *position > event.MaxSequence):
		return message, Invalid("lastSequence must be a whole number from 0 to %d", int64(event.MaxSequence))
	}
	return message, nil
}

// decodeFailure says what JSON did not fit. It names types, never values: those are the client's, of any length.
func decodeFailure(err error) *event.Failure {
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType) && wrongType.Field != "":
		got, _, _ := strings.Cut(wrongType.Value, " ")
		return Invalid("%s must be %s, got %s", wrongType.Field, kindOf(wrongType), got)
	default:
		return Invalid("the message is not a JSON object")
	}
}

// kindOf is a field's type in JSON's words.
func kindOf(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "slice":
		return "an array"
	case "struct":
		return "an object"
	default:
		return "a whole number"
	}
}

// Invalid is the failure of a message that breaks the protocol.
func Invalid(format string, args ...any) *event.Failure {
	return &event.Failure{Code: event.CodeValidationError, Error: fmt.Sprintf(format, args...)}
}

// Internal is the failure for whatever is not the client's fault; the client tries again.
func Internal() *event.Failure {
	return &event.Failure{Code: event.CodeInternalError, Error: "the server could not do this now, try again", RetryAfterMs: 1000}
}

// NoRecord is the failure of a connection that the server does not know; it is closed.
func NoRecord() *event.Failure {
	return &event.Failure{Code: event.CodeUnauthorized, Error: "this connection is not known, connect anew"}
}

// Answer is the response that sends a control message to the client, through the route's response.
func Answer(t event.Type, at time.Time, data any) (Response, error) {
	body, err := event.Control(t, at, data)
	if err != nil {
		return Response{}, err
	}
	return Response{StatusCode: http.StatusOK, Body: string(body)}, nil
}

// Status is a response without a message.
func Status(code int) Response { return Response{StatusCode: code} }

// A Gateway posts to connections and closes them: *push.Management.
type Gateway interface {
	Post(ctx context.Context, connectionID string, frame push.Frame) error
	Delete(ctx context.Context, connectionID string) error
}

// Close tells a connection why and closes it. The close itself can carry neither code nor reason, so the message goes first; it gets at
// most half of the time there is, and the socket is closed even where it can't be posted, or hangs until the caller's time is over. One that
// is already gone is closed.
func Close(ctx context.Context, g Gateway, connectionID string, t event.Type, at time.Time, why *event.Failure) error {
	message, err := event.Control(t, at, *why)
	if err != nil {
		return err
	}
	patience := push.AttemptTimeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	posting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	posted := g.Post(posting, connectionID, push.NewFrame(message))
	if errors.Is(posted, push.ErrGone) {
		return nil
	}
	if err := g.Delete(context.WithoutCancel(ctx), connectionID); err != nil && !errors.Is(err, push.ErrGone) {
		return errors.Join(posted, err)
	}
	return nil
}
