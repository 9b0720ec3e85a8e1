package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// connectionsPath returns the connection id of /@connections/{id} or /{stage}/@connections/{id}, given the path as it was
// escaped: an escaped slash is part of the id. AWS accepts "@" escaped, as some signing clients send it.
func connectionsPath(escaped, stage string) (id string, ok bool) {
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return "", false
		}
		segments[i] = plain
	}
	if len(segments) == 3 && segments[0] == stage {
		segments = segments[1:]
	}
	if len(segments) != 2 || segments[0] != "@connections" || segments[1] == "" {
		return "", false
	}
	return segments[1], true
}

// manage answers the @connections API.
//
// A request must be signed, but the signature is not checked: the local stack knows no secrets. That it is there at all
// tells a client that forgot to sign.
func (g *Gateway) manage(w http.ResponseWriter, r *http.Request, id string) {
	switch {
	case r.Header.Get("Authorization") == "" && !r.URL.Query().Has("X-Amz-Signature"),
		r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodDelete:
		refuse(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
	case !g.requests.take(g.config.Clock.Now()):
		refuse(w, http.StatusTooManyRequests, "LimitExceededException", "Too Many Requests")
	case !isConnectionID(id):
		refuse(w, http.StatusBadRequest, "BadRequestException", "Invalid connectionId: "+id)
	case r.Method == http.MethodPost:
		g.post(w, r, id)
	case r.Method == http.MethodGet:
		g.describe(w, id)
	default:
		g.delete(w, id)
	}
}

// post sends the body as one text message. It answers when the message is on its way, which does not mean that the
// client has it or is there at all.
func (g *Gateway) post(w http.ResponseWriter, r *http.Request, id string) {
	limit := g.config.MaxMessageBytes
	body := g.buffers.Get().(*[]byte)
	defer g.buffers.Put(body)
	var err error
	if r.ContentLength <= int64(limit) { // otherwise there is no use in reading it
		*body, err = appendAtMost((*body)[:0], r.Body, limit, int(r.ContentLength))
	}
	c := g.connection(id)
	switch {
	case r.ContentLength > int64(limit) || errors.Is(err, errTooLong):
		refuse(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Payload too large")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
		return
	case c == nil:
		refuse(w, http.StatusGone, "GoneException", "")
		return
	}
	if !utf8.Valid(*body) {
		g.log.Warn("a message that is not UTF-8 was posted: the client will close with 1007", "connectionId", id)
	}
	switch err := c.send(*body); {
	case errors.Is(err, errFull):
		refuse(w, http.StatusTooManyRequests, "LimitExceededException", "Too Many Requests")
	case err != nil:
		refuse(w, http.StatusGone, "GoneException", "")
	default:
		identify(w.Header())
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
	}
}

// describe answers what is known of a connection, laid out as API Gateway does.
func (g *Gateway) describe(w http.ResponseWriter, id string) {
	c := g.connection(id)
	if c == nil {
		refuse(w, http.StatusGone, "GoneException", "")
		return
	}
	const milliseconds = "2006-01-02T15:04:05.000Z"
	clock := g.config.Clock
	var b bytes.Buffer
	sourceIP, _ := json.Marshal(c.identity.SourceIP)
	fmt.Fprintf(&b, "{\n  \"identity\" : {\n    \"sourceIp\" : %s", sourceIP)
	if c.identity.UserAgent != "" {
		userAgent, _ := json.Marshal(c.identity.UserAgent)
		fmt.Fprintf(&b, ",\n    \"userAgent\" : %s", userAgent)
	}
	fmt.Fprintf(&b, "\n  },\n  \"connectedAt\" : \"%s\",\n  \"lastActiveAt\" : \"%s\"\n}",
		clock.World(c.connectedAt).UTC().Format(milliseconds), clock.World(c.lastActive()).UTC().Format(milliseconds))
	identify(w.Header())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.Bytes())
}

func (g *Gateway) delete(w http.ResponseWriter, id string) {
	c := g.connection(id)
	if c == nil {
		refuse(w, http.StatusGone, "GoneException", "")
		return
	}
	c.end(ended(1000, "Connection Closed Normally"))
	identify(w.Header())
	w.WriteHeader(http.StatusNoContent)
}

var errTooLong = errors.New("longer than allowed")

// appendAtMost appends all of r, which is expected to hold size bytes and must not hold more than limit.
func appendAtMost(dst []byte, r io.Reader, limit, size int) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, max(size, 0)+1) // one more, so that the end is found without growing
	for {
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return dst, errTooLong
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
		dst = slices.Grow(dst, 1)
	}
}
