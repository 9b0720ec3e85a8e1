package event

import "encoding/json"

// Types of the messages that are not domain events.
const (
	TypeAuthSuccess     Type = "auth.success"
	TypeAuthError       Type = "auth.error"
	TypeConnectionError Type = "connection_error"
	TypePong            Type = "pong"
	TypeBatch           Type = "batch"
	TypeRotate          Type = "rotate"
	TypeAuth            Type = "auth"
	TypePing            Type = "ping"
)

// ProtocolVersion is the number an auth message may carry in `protocol`; absent means the same.
const ProtocolVersion = 1

// AcceptBatch in an auth message's `accept` asks for events in batch frames.
const AcceptBatch = "batch"

// A Code is what an error is, and so what the client does about it.
type Code string

// The codes; Meanings says what a client does on each.
const (
	CodeUnauthorized    Code = "UNAUTHORIZED"
	CodeForbidden       Code = "FORBIDDEN"
	CodeNotFound        Code = "NOT_FOUND"
	CodeValidationError Code = "VALIDATION_ERROR"
	CodeRateLimit       Code = "RATE_LIMIT_EXCEEDED"
	CodeInternalError   Code = "INTERNAL_ERROR"
)

// Values lists the codes.
func (Code) Values() []string {
	return []string{
		string(CodeUnauthorized), string(CodeForbidden), string(CodeNotFound),
		string(CodeValidationError), string(CodeRateLimit), string(CodeInternalError),
	}
}

// Meaning says what the client does on this code.
func (c Code) Meaning() string {
	switch c {
	case CodeUnauthorized:
		return "Send auth with a fresh token; if the connection is closed, connect anew."
	case CodeForbidden:
		return "Do not retry."
	case CodeNotFound:
		return "What the message names does not exist."
	case CodeValidationError:
		return "The message is not understood; the connection stays, but for the third failed auth in a row."
	case CodeRateLimit:
		return "Back off 1, 2, 4, 8 s, at least retryAfterMs."
	default:
		return "Retry, at least retryAfterMs later."
	}
}

// A Reason says more exactly why. The list is open-ended: a client treats an unknown reason as none.
type Reason string

// The reasons.
const (
	ReasonTokenExpired Reason = "token_expired"
	ReasonAuthDeadline Reason = "auth_deadline"
	ReasonReplaced     Reason = "replaced"
	ReasonSessionEnded Reason = "session_ended"
	ReasonUpgrade      Reason = "upgrade"
	ReasonDraining     Reason = "draining"
)

// Values lists the known reasons.
func (Reason) Values() []string {
	return []string{
		string(ReasonTokenExpired), string(ReasonAuthDeadline), string(ReasonReplaced),
		string(ReasonSessionEnded), string(ReasonUpgrade), string(ReasonDraining),
	}
}

// Meaning says when the reason is given.
func (r Reason) Meaning() string {
	switch r {
	case ReasonTokenExpired:
		return "The token ran out and was not renewed."
	case ReasonAuthDeadline:
		return "No auth message came within 30 s of connecting."
	case ReasonReplaced:
		return "A newer connection of the user took its place: it named this one, or the user had more than are allowed and this was the oldest."
	case ReasonSessionEnded:
		return "The session was ended; the client does not reconnect by itself."
	case ReasonUpgrade:
		return "The server no longer speaks the client's protocol number."
	default:
		return "The server is about to stop; the client connects anew."
	}
}

// A Recovery answers a position: what was posted of the events after it. An answer without it was given to a message without a position.
type Recovery struct {
	After     *int64 `json:"after,omitempty" doc:"The position the client sent; absent when it sent only a lastEventId that the log does not know."`
	Recovered bool   `json:"recovered" doc:"Whether every event after the position, up to the head (or the first part of them, with more), was posted before this answer was made. False: nothing was replayed, load the state anew."`
	More      bool   `json:"more,omitempty" doc:"Only the first part was posted: ping on from the new position."`
}

// AuthSuccess is the data of auth.success.
type AuthSuccess struct {
	TenantID     string    `json:"tenantId"`
	UserID       string    `json:"userId"`
	ConnectionID string    `json:"connectionId"`
	ExpiresAt    Timestamp `json:"expiresAt" doc:"When the token ends, and with it this authentication."`
	Protocol     int       `json:"protocol"`
	Accepted     []string  `json:"accepted" doc:"What of the client's accept the server will use."`
	Sequence     int64     `json:"sequence" doc:"The tenant's head: the number of its last event."`
	*Recovery
	Ref string `json:"ref,omitempty" doc:"The ref of the message this answers."`
}

// Failure is the data of auth.error and connection_error.
type Failure struct {
	Error        string `json:"error" doc:"Text for a developer."`
	Code         Code   `json:"code"`
	Reason       Reason `json:"reason,omitempty"`
	RetryAfterMs int64  `json:"retryAfterMs,omitempty" doc:"Wait at least so many milliseconds."`
	Ref          string `json:"ref,omitempty" doc:"The ref of the message this answers."`
}

// AuthError and ConnectionError carry the same data.
type (
	AuthError       = Failure
	ConnectionError = Failure
)

// Pong is the data of pong.
type Pong struct {
	Sequence int64 `json:"sequence" doc:"The tenant's head: the number of its last event."`
	*Recovery
	Ref string `json:"ref,omitempty" doc:"The ref of the message this answers."`
}

// Batch is the data of batch. [Frames] writes it.
type Batch struct {
	Events []json.RawMessage `json:"events" doc:"Complete envelopes in number order."`
}

// Rotate is the data of rotate.
type Rotate struct {
	WithinMs int64 `json:"withinMs" doc:"Open the next connection at a random moment within so many milliseconds."`
}

// ClientInfo says which program speaks.
type ClientInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// AuthMessage authenticates a connection, renews its authentication, and may resume after a position.
type AuthMessage struct {
	Action       string      `json:"action" only:"auth"`
	Token        string      `json:"token" doc:"A JWT of at most 8 KB."`
	LastSequence *int64      `json:"lastSequence,omitempty" doc:"Resume after the event of this number."`
	LastEventID  string      `json:"lastEventId,omitempty" doc:"Resume after this event; with lastSequence both must name the same one."`
	Accept       []string    `json:"accept,omitempty" doc:"What the client understands beyond this page: batch."`
	Protocol     *int        `json:"protocol,omitempty" doc:"The protocol's number; absent means 1."`
	Client       *ClientInfo `json:"client,omitempty"`
	Replaces     string      `json:"replaces,omitempty" doc:"A connection of the same user that this one takes over from."`
	Ref          string      `json:"ref,omitempty" doc:"Comes back in the answer."`
}

// PingMessage keeps a connection alive; with a position, what lies between it and the head is replayed.
type PingMessage struct {
	Action       string `json:"action" only:"ping"`
	LastSequence *int64 `json:"lastSequence,omitempty" doc:"Replay what lies between the event of this number and the head."`
	Ref          string `json:"ref,omitempty" doc:"Comes back in the answer."`
}
