package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

const (
	maxRequestBytes = 16 << 20 // a DynamoDB request, BatchWriteItem's limit (API_BatchWriteItem)
	maxPooledBytes  = 1 << 20  // a larger buffer is left to the garbage collector
)

// ServeHTTP answers a call of DynamoDB's JSON protocol with the engine's answer. Signatures are neither needed nor checked.
//
// When there is no engine to ask it answers InternalServerError, which every SDK retries.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, pooled := e.bodies.Get().(*bytes.Buffer)
	if !pooled {
		body = new(bytes.Buffer)
	}
	defer func() {
		if body.Cap() <= maxPooledBytes {
			body.Reset()
			e.bodies.Put(body)
		}
	}()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequestBytes)); err != nil {
		status := http.StatusBadRequest // the client broke off; nobody reads this
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		w.WriteHeader(status)
		return
	}
	// The request is whole here and nothing of it was sent: the place for an answer other than the engine's.
	e.forward(w, r, body.Bytes())
}

func (e *Engine) forward(w http.ResponseWriter, r *http.Request, body []byte) {
	answering := false
	target := r.Header.Get("X-Amz-Target")
	err := e.upstream.exchange(r.Context(), target, r.Header.Get("Content-Type"), body, func(res *http.Response) error {
		header := w.Header()
		for name, values := range res.Header {
			header[name] = values
		}
		answering = true
		w.WriteHeader(res.StatusCode)
		_, err := io.Copy(w, res.Body)
		return err
	})
	switch {
	case err == nil:
	case answering:
		panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
	default:
		e.log.Warn("no answer from DynamoDB", "operation", target, "error", err)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(refusal{
			Type:    "com.amazonaws.dynamodb.v20120810#InternalServerError",
			Message: "The stack's DynamoDB gave no answer: " + err.Error(),
		})
	}
}
