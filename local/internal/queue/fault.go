package queue

import (
	"fmt"
	"net/http"
)

// An Error is an answer of SQS that refuses a call.
type Error struct {
	Code      string // the shape's name in the JSON protocol
	QueryCode string // the code of the older query protocol, which SDKs still show (x-amzn-query-error)
	Status    int    // HTTP
	Message   string
}

func (e *Error) Error() string { return e.QueryCode + ": " + e.Message }

// Retryable says whether the same call may succeed later.
func (e *Error) Retryable() bool { return e.Code == "RequestThrottled" || e.Status >= 500 }

// senderFault is what a batch answer says about who is to blame.
func (e *Error) senderFault() bool { return e.Status < 500 }

func missing(parameter string) *Error {
	return &Error{
		"MissingRequiredParameterException", "MissingParameter", http.StatusBadRequest,
		"The request must contain the parameter " + parameter + ".",
	}
}

func invalid(format string, args ...any) *Error {
	return &Error{"InvalidParameterValueException", "InvalidParameterValue", http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func invalidValue(value any, parameter, reason string) *Error {
	return invalid("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

// simple is an error whose query code is its name with SQS's prefix.
func simple(code string, status int, format string, args ...any) *Error {
	return &Error{code, "AWS.SimpleQueueService." + code, status, fmt.Sprintf(format, args...)}
}

func noQueue() *Error {
	return &Error{"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", http.StatusBadRequest, "The specified queue does not exist."}
}

func badHandle(handle string) *Error {
	return &Error{
		"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", http.StatusNotFound,
		fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", handle),
	}
}

func malformed() *Error {
	return &Error{"SerializationException", "MalformedInput", http.StatusBadRequest, "The request is not valid JSON of this operation's shape."}
}
