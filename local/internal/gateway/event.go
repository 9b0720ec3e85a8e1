package gateway

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An event is what a function gets. Which keys are present depends on the kind: $connect has headers and perhaps query
// parameters, a message has a body, $disconnect has the four headers of disconnectHeaders.
type event struct {
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Query             map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	RequestContext    requestContext      `json:"requestContext"`
	Body              *string             `json:"body,omitempty"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"` // always false: binary messages are not accepted
}

type requestContext struct {
	RouteKey             string   `json:"routeKey"`
	MessageID            string   `json:"messageId,omitempty"`
	DisconnectStatusCode int      `json:"disconnectStatusCode,omitempty"`
	EventType            string   `json:"eventType"` // CONNECT, MESSAGE, DISCONNECT
	ExtendedRequestID    string   `json:"extendedRequestId"`
	RequestTime          string   `json:"requestTime"` // Common Log Format, UTC
	MessageDirection     string   `json:"messageDirection"`
	DisconnectReason     *string  `json:"disconnectReason,omitempty"`
	Stage                string   `json:"stage"`
	ConnectedAt          int64    `json:"connectedAt"`      // Unix milliseconds
	RequestTimeEpoch     int64    `json:"requestTimeEpoch"` // Unix milliseconds
	Identity             identity `json:"identity"`
	RequestID            string   `json:"requestId"`
	DomainName           string   `json:"domainName"`
	ConnectionID         string   `json:"connectionId"`
	APIID                string   `json:"apiId"`
}

// An identity is who holds the connection. A client that names no user agent has no such key.
type identity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

const commonLogTime = "02/Jan/2006:15:04:05 -0700"

// event begins an event of the given kind with a new request id.
func (c *connection) event(kind, routeKey string, now time.Time) event {
	requestID := newID(requestMark)
	clock := c.gateway.config.Clock
	now = clock.World(now) // functions compare with their own time, which is real
	return event{RequestContext: requestContext{
		RouteKey:          routeKey,
		EventType:         kind,
		ExtendedRequestID: requestID,
		RequestTime:       now.UTC().Format(commonLogTime),
		MessageDirection:  "IN",
		Stage:             c.gateway.config.API.Stage,
		ConnectedAt:       clock.World(c.connectedAt).UnixMilli(),
		RequestTimeEpoch:  now.UnixMilli(),
		Identity:          c.identity,
		RequestID:         requestID,
		DomainName:        domainName(c.host),
		ConnectionID:      c.id,
		APIID:             c.gateway.apiID,
	}}
}

func (c *connection) connectEvent(r *http.Request) event {
	e := c.event("CONNECT", connectKey, c.connectedAt)
	e.MultiValueHeaders = upgradeHeaders(r, c.identity.SourceIP, c.connectedAt)
	e.Headers = lastValues(e.MultiValueHeaders)
	if query := r.URL.Query(); len(query) > 0 {
		e.MultiValueQuery = query
		e.Query = lastValues(query)
	}
	return e
}

func (c *connection) messageEvent(routeKey string, message []byte) event {
	e := c.event("MESSAGE", routeKey, c.gateway.config.Clock.Now())
	e.RequestContext.MessageID = newMessageID(c.id)
	body := string(message)
	e.Body = &body
	return e
}

func (c *connection) disconnectEvent(why ending) event {
	e := c.event("DISCONNECT", disconnectKey, c.gateway.config.Clock.Now())
	e.Headers = map[string]string{"Host": c.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
	e.MultiValueHeaders = make(map[string][]string, len(e.Headers))
	for name, value := range e.Headers {
		e.MultiValueHeaders[name] = []string{value}
	}
	e.RequestContext.DisconnectStatusCode = why.code
	e.RequestContext.DisconnectReason = &why.reason
	return e
}

// upgradeHeaders are the headers of the upgrade as a function sees them: without Connection and Upgrade, with those that
// AWS's own front adds. AWS keeps the client's spelling of the names; net/http does not, so here they are in canonical
// form, with the one exception that every client writes.
func upgradeHeaders(r *http.Request, sourceIP string, now time.Time) map[string][]string {
	headers := make(map[string][]string, len(r.Header)+5)
	for name, values := range r.Header {
		if suffix, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
			name = "Sec-WebSocket-" + suffix
		}
		headers[name] = values
	}
	delete(headers, "Connection")
	delete(headers, "Upgrade")
	forwardedFor := slices.Concat(r.Header["X-Forwarded-For"], []string{sourceIP})
	headers["Host"] = []string{r.Host}
	headers["X-Amzn-Trace-Id"] = []string{newTraceID(now)}
	headers["X-Forwarded-For"] = []string{strings.Join(forwardedFor, ", ")}
	headers["X-Forwarded-Port"] = []string{"443"}
	headers["X-Forwarded-Proto"] = []string{"https"}
	return headers
}

func lastValues[M ~map[string][]string](multi M) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single
}

// domainName is the host a client asked for, without its port. An IPv6 address keeps its brackets, so that a URL can be
// made of it.
func domainName(host string) string {
	name := (&url.URL{Host: host}).Hostname()
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// sourceIP is the address of the peer without its port.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
