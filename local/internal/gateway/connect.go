package gateway

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// maxURLBytes is the longest URL of an upgrade (WebSocket quotas).
const maxURLBytes = 4096

// connect answers an upgrade. It waits for the $connect route, then the client is in or has an HTTP status.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request) {
	if !g.checkUpgrade(w, r) {
		return
	}
	if !g.enter() {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable")
		return
	}
	defer g.running.Done()
	now := g.config.Clock.Now()
	if !g.connects.take(now) {
		refuse(w, http.StatusTooManyRequests, "TooManyRequestsException", "Too Many Requests")
		return
	}
	c := &connection{
		gateway:     g,
		id:          newID(connectionMark),
		connectedAt: now,
		host:        strings.Clone(r.Host),
		identity:    identity{SourceIP: sourceIP(r), UserAgent: strings.Clone(r.UserAgent())},
		inFlight:    make(chan struct{}, g.config.MaxInFlight),
	}
	var subprotocol string
	if route := g.routes.connect; route != nil {
		answer, failed := g.integrate(route, c.connectEvent(r))
		if failed != nil {
			refuse(w, failed.status, errorType(failed.status), failed.message)
			return
		}
		if answer.status > 299 {
			refuse(w, answer.status, errorType(answer.status), cmp.Or(http.StatusText(answer.status), "Forbidden"))
			return
		}
		subprotocol = answer.subprotocol
	}
	c.accept(w, r, subprotocol)
}

// checkUpgrade refuses what is not a WebSocket handshake of RFC 6455, section 4.2.1.
func (g *Gateway) checkUpgrade(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case len("wss://")+len(r.Host)+len(r.RequestURI) > maxURLBytes:
		refuse(w, http.StatusRequestURITooLong, "BadRequestException", "Request-URI Too Long")
	case !hasToken(r.Header["Upgrade"], "websocket") || !hasToken(r.Header["Connection"], "upgrade") || r.ProtoMajor != 1 || r.ProtoMinor < 1:
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		refuse(w, http.StatusUpgradeRequired, "BadRequestException", "Upgrade Required")
	case r.Header.Get("Sec-Websocket-Version") != "13":
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, http.StatusUpgradeRequired, "BadRequestException", "Upgrade Required")
	case !isNonce(r.Header.Get("Sec-Websocket-Key")):
		refuse(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
	default:
		return true
	}
	return false
}

// accept takes the socket over from the HTTP server. Once $connect has succeeded the application may know the
// connection: whatever goes wrong from here on, $disconnect runs.
func (c *connection) accept(w http.ResponseWriter, r *http.Request, subprotocol string) {
	g := c.gateway
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		g.log.Error("the server's connection can't be taken over", "connectionId", c.id, "error", err)
		refuse(w, http.StatusInternalServerError, errorType(http.StatusInternalServerError), internalServerError)
		c.end(lost())
		return
	}
	c.socket = socket{conn: conn, limit: g.config.OutboundBufferBytes, writeTimeout: g.config.WriteTimeout, running: &g.running}
	c.frames = frameReader{source: c, maxFrame: g.config.MaxFrameBytes, maxMessage: g.config.MaxMessageBytes}
	if n := buffered.Reader.Buffered(); n > 0 { // frames that came right behind the upgrade
		early, _ := buffered.Reader.Peek(n)
		c.frames.pending = bytes.Clone(early)
	}
	if err := g.open(c, upgradeResponse(r.Header.Get("Sec-Websocket-Key"), subprotocol)); err != nil {
		c.end(lost())
		return
	}
	g.log.Debug("connection opened", "connectionId", c.id)
	c.extend()
	g.running.Add(1)
	go c.serve()
}

// open registers the connection and answers the upgrade. The order makes a post that comes in between wait for the
// answer instead of finding the connection gone.
func (g *Gateway) open(c *connection, response []byte) error {
	c.socket.mu.Lock()
	defer c.socket.mu.Unlock()
	if !g.register(c) {
		return net.ErrClosed
	}
	return c.socket.open(response)
}

// upgradeResponse switches protocols without extensions. Of the client's subprotocols only what the function named is
// answered: API Gateway selects none by itself.
func upgradeResponse(key, subprotocol string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", acceptKey(key))
	if subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", subprotocol)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// acceptKey is section 4.2.2 of RFC 6455.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func isNonce(key string) bool {
	nonce, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(nonce) == 16
}

// hasToken says whether a header of comma-separated tokens names one, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(name), token) {
				return true
			}
		}
	}
	return false
}
