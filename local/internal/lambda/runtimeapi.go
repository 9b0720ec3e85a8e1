package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxResponse is how long a function's answer may be: 6 MB and 100 bytes, as the error of AWS's own Runtime API says it.
const maxResponse = 6*1024*1024 + 100

// runtimeAPI is the Runtime API of one process, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
func (p *process) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.handleNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.handleResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.handleError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.handleInitError)
	return mux
}

// handleNext ends the process's last invocation and answers with its next one, however long that takes.
func (p *process) handleNext(w http.ResponseWriter, r *http.Request) {
	inv, next, ok := p.f.ready(p)
	if !ok {
		answerRuntime(w, http.StatusForbidden, "InvalidStateTransition", "The invocation before this one has no answer yet.")
		return
	}
	p.logs.end()
	if inv == nil {
		select {
		case inv = <-next:
		case <-r.Context().Done():
		}
		if r.Context().Err() != nil { // nobody would read it
			if inv != nil {
				next <- inv
			}
			p.f.unpark(p, next)
			return
		}
	}
	p.logs.begin(inv.id, inv.tail)
	deadline := p.firstCall(inv)

	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", p.f.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	if inv.clientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", inv.clientContext)
	}
	_, _ = w.Write(inv.payload) // where it fails the process has gone, and settle answers
}

// firstCall notes a cold start and returns the deadline of inv.
func (p *process) firstCall(inv *invocation) time.Time {
	p.f.mu.Lock()
	first := !p.called
	p.called = true
	deadline := p.deadline
	p.f.mu.Unlock()
	if first && !p.warmed {
		p.note("INFO", inv.id, "cold start", Field{"ms", strconv.FormatInt(time.Since(p.begun).Milliseconds(), 10)})
	}
	return deadline
}

// pending is the invocation that the request answers; without one it has been refused.
func (p *process) pending(w http.ResponseWriter, r *http.Request) *invocation {
	p.f.mu.Lock()
	inv := p.current
	ok := inv != nil && inv.id == r.PathValue("id") && !inv.finished
	p.f.mu.Unlock()
	if !ok {
		answerRuntime(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	return inv
}

func (p *process) handleResponse(w http.ResponseWriter, r *http.Request) {
	inv := p.pending(w, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		limit := fmt.Sprintf("maximum allowed payload size (%d bytes).", maxResponse)
		p.finish(inv, errorObject("Function.ResponseSizeTooLarge", "Response payload size exceeded "+limit), "Unhandled")
		answerRuntime(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded "+limit)
		return
	}
	if err != nil { // the process broke off: settle or expire answers
		return
	}
	functionError := ""
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" { // its stream broke in the middle
		functionError = "Unhandled"
		if body, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err != nil || len(body) == 0 {
			body = errorObject(kind, "The function's answer ended with an error.")
		}
	}
	p.finish(inv, body, functionError)
	w.WriteHeader(http.StatusAccepted)
}

func (p *process) handleError(w http.ResponseWriter, r *http.Request) {
	inv := p.pending(w, r)
	if inv == nil {
		return
	}
	body, err := readErrorObject(w, r)
	if err != nil {
		return
	}
	p.finish(inv, body, "Unhandled")
	w.WriteHeader(http.StatusAccepted)
}

func (p *process) handleInitError(w http.ResponseWriter, r *http.Request) {
	body, err := readErrorObject(w, r)
	if err != nil {
		return
	}
	p.f.mu.Lock()
	p.initError = body
	p.f.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// readErrorObject reads the error object that a runtime reports; one that is no JSON object is made into one.
func readErrorObject(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		body = errorObject(kind, string(body))
	}
	return body, nil
}

// finish answers the caller of inv. The process is free when it asks for more.
func (p *process) finish(inv *invocation, payload []byte, functionError string) {
	if inv.tail != nil {
		p.logs.sync()
	}
	p.f.mu.Lock()
	p.answered = time.Now()
	p.f.finish(inv, outcome{Result: Result{RequestID: inv.id, Payload: payload, FunctionError: functionError}})
	p.f.mu.Unlock()
}

func answerRuntime(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(errorObject(kind, message))
}

// errorObject is Lambda's form of an error, as a caller of a function gets it.
func errorObject(kind, message string) []byte {
	object, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return object
}
