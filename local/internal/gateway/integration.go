package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// A response is what a function answered, in the form of a Lambda proxy integration.
type response struct {
	StatusCode        json.Number `json:"statusCode"` // a number, or a number in quotes
	Headers           values      `json:"headers"`
	MultiValueHeaders values      `json:"multiValueHeaders"`
	Body              string      `json:"body"`

	status      int
	subprotocol string // the one header that reaches the client: Sec-WebSocket-Protocol
}

// values are headers of a response: strings or lists of strings, others mean nothing here.
type values map[string]any

// get returns the last value of a header, "" when it is not there.
func (h values) get(name string) string {
	for key, value := range h {
		if !strings.EqualFold(key, name) {
			continue
		}
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[len(list)-1]
		}
		text, _ := value.(string)
		return text
	}
	return ""
}

// A failure is an integration that brought no usable answer: the status of a refused upgrade, the text for a message.
// The cause is for the log alone.
type failure struct {
	status  int
	message string
	cause   error
}

const (
	internalServerError = "Internal server error"
	requestTimedOut     = "Endpoint request timed out"
)

// integrate calls the route's function and waits for its answer, at most for the time of the route. A failure is logged
// here, because the client learns nothing of its cause.
func (g *Gateway) integrate(route *template.Route, e event) (*response, *failure) {
	answer, failed := g.invoke(route, e)
	if failed != nil {
		g.log.Error("integration failed", "routeKey", route.Key, "function", route.Function,
			"connectionId", e.RequestContext.ConnectionID, "requestId", e.RequestContext.RequestID, "error", failed.cause)
	}
	return answer, failed
}

func (g *Gateway) invoke(route *template.Route, e event) (*response, *failure) {
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, &failure{http.StatusInternalServerError, internalServerError, fmt.Errorf("encode the event: %w", err)}
	}
	ctx, cancel := context.WithTimeout(g.ctx, route.Timeout)
	defer cancel()
	result, err := g.config.Invoker.Invoke(ctx, route.Function, payload.Bytes())
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &failure{http.StatusGatewayTimeout, requestTimedOut, fmt.Errorf("no answer within %v", route.Timeout)}
	case err != nil:
		return nil, &failure{http.StatusInternalServerError, internalServerError, err}
	case result.FunctionError != "":
		return nil, &failure{http.StatusBadGateway, internalServerError, functionError(result)}
	}
	answer, err := parseResponse(result.Payload)
	if err != nil {
		return nil, &failure{http.StatusBadGateway, internalServerError, err}
	}
	return answer, nil
}

// functionError says what a function that did not answer gave instead.
func functionError(result lambda.Result) error {
	var thrown struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(result.Payload, &thrown); err != nil || thrown.Type == "" && thrown.Message == "" {
		return fmt.Errorf("function error %s: %s", result.FunctionError, result.Payload)
	}
	return fmt.Errorf("function error %s: %s: %s", result.FunctionError, thrown.Type, thrown.Message)
}

// parseResponse takes only an object with a statusCode that can be an HTTP status, as API Gateway does.
func parseResponse(payload []byte) (*response, error) {
	var answer response
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, fmt.Errorf("malformed Lambda proxy response: %w", err)
	}
	status, err := answer.StatusCode.Int64()
	if err != nil || status < 200 || status > 599 {
		return nil, fmt.Errorf("malformed Lambda proxy response: statusCode is %q, want an integer from 200 to 599", answer.StatusCode)
	}
	answer.status = int(status)
	const header = "Sec-WebSocket-Protocol"
	answer.subprotocol = cmp.Or(answer.Headers.get(header), answer.MultiValueHeaders.get(header))
	if strings.ContainsFunc(answer.subprotocol, unicode.IsControl) {
		return nil, fmt.Errorf("malformed Lambda proxy response: %s is %q", header, answer.subprotocol)
	}
	return &answer, nil
}
