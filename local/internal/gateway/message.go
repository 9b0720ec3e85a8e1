package gateway

import (
	"fmt"
)

// handle routes one message, calls its function and, where the route responds, sends the answer.
//
// Every message is an invocation of its own and they run concurrently: answers come in any order.
func (c *connection) handle(message []byte) {
	g := c.gateway
	route := g.routes.of(message)
	if route == nil {
		c.reject("Forbidden", newID(requestMark))
		return
	}
	e := c.messageEvent(route.Key, message)
	requestID := e.RequestContext.RequestID
	if !g.requests.take(g.config.Clock.Now()) {
		c.reject("Too Many Requests", requestID)
		return
	}
	answer, failed := g.integrate(route, e)
	switch {
	case failed != nil:
		c.reject(failed.message, requestID)
	case !route.Responds || answer.Body == "":
	case len(answer.Body) > g.config.MaxMessageBytes:
		g.log.Error("route response is too large", "routeKey", route.Key, "connectionId", c.id, "requestId", requestID,
			"bytes", len(answer.Body), "limit", g.config.MaxMessageBytes)
		c.reject(internalServerError, requestID)
	default:
		c.answer([]byte(answer.Body))
	}
}

// reject sends the gateway's own error message. The spacing is API Gateway's, byte for byte.
func (c *connection) reject(message, requestID string) {
	c.answer(fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, c.id, requestID))
}

// answer sends what a client asked for. A client that has left or does not read goes without.
func (c *connection) answer(message []byte) {
	if err := c.send(message); err != nil {
		c.gateway.log.Debug("answer not sent", "connectionId", c.id, "error", err)
	}
}
