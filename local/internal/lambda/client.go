package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Client calls functions through a Lambda Invoke API: a Runtime's, or that of `sam local start-lambda`. It asks of them
// only what both have: names without a qualifier, no log tail, no request ids in the answer.
type Client struct {
	endpoint string
	http     *http.Client
}

// NewClient returns a Client of the API at endpoint ("http://127.0.0.1:5055"). Where hc is nil it gets one of its own that
// keeps as many connections as there can be invocations and has no time-out: the context bounds each call.
func NewClient(endpoint string, hc *http.Client) *Client {
	if hc == nil {
		hc = &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: accountConcurrency,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		}}
	}
	return &Client{endpoint: strings.TrimSuffix(endpoint, "/"), http: hc}
}

// Invoke calls a function, by its name or logical id, and waits for its answer. A function that failed is a Result with a
// FunctionError; an *Error says that it was not invoked; when ctx ends first the error is the context's, and the function
// may still run.
func (c *Client) Invoke(ctx context.Context, function string, payload []byte) (Result, error) {
	target := c.endpoint + invokePrefix + url.PathEscape(function) + invokeSuffix
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(payload))
	if err != nil {
		return Result{}, &Error{Function: function, Code: "InvalidEndpoint", Message: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return Result{}, c.broken(ctx, function, err)
	}
	defer resp.Body.Close()
	body, err := readAnswer(resp)
	if err != nil {
		return Result{}, c.broken(ctx, function, err)
	}
	if resp.StatusCode != http.StatusOK {
		return Result{}, refusal(function, resp, body)
	}
	return Result{
		RequestID:     resp.Header.Get("X-Amzn-Requestid"),
		Payload:       body,
		FunctionError: resp.Header.Get("X-Amz-Function-Error"),
	}, nil
}

// broken is the error of a call that brought no answer.
func (c *Client) broken(ctx context.Context, function string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("invoke %s: %w", function, ctx.Err())
	}
	return &Error{Function: function, Code: "EndpointUnreachable", Message: err.Error()}
}

// readAnswer reads the body, at most as much as a function may answer.
func readAnswer(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n >= 0 && n <= maxResponse {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if len(body) > maxResponse {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxResponse)
	}
	return body, err
}

// refusal reads the API's own error.
func refusal(function string, resp *http.Response, body []byte) *Error {
	e := &Error{Function: function, Status: resp.StatusCode, Code: resp.Header.Get("X-Amzn-Errortype")}
	var object struct{ Message string } // encoding/json also takes "message"
	if json.Unmarshal(body, &object) == nil {
		e.Message = object.Message
	}
	if e.Code == "" {
		e.Code = "UnknownError"
	}
	if e.Message == "" {
		e.Message = http.StatusText(resp.StatusCode)
	}
	return e
}
