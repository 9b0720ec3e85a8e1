package lambda

import "fmt"

// A Result is what a synchronous invocation brought back.
type Result struct {
	RequestID string // x-amzn-RequestId, "" where the endpoint gives none (sam local start-lambda)
	Payload   []byte
	// FunctionError is "" when the function answered, else "Unhandled" or "Handled": Payload then is the error object
	// {"errorMessage", "errorType", …}.
	FunctionError string
}

// An Error says that a function was not invoked at all: the Lambda API refused the call or could not be reached.
type Error struct {
	Function string
	Status   int    // HTTP status; 0 when the endpoint could not be reached
	Code     string // TooManyRequestsException (429), ResourceNotFoundException (404), …
	Message  string
	reason   string // of a TooManyRequestsException: which limit
}

func (e *Error) Error() string {
	return fmt.Sprintf("invoke %s: %s (%d): %s", e.Function, e.Code, e.Status, e.Message)
}

// Retryable says whether the same call may succeed later: throttled, a service fault, or not reached.
func (e *Error) Retryable() bool { return e.Status == 0 || e.Status == 429 || e.Status >= 500 }
