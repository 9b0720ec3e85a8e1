// Package gateway is the local API Gateway: one WebSocket API in front of Lambda functions, and its @connections API.
//
// It does what AWS documents and what others have observed on the real service; where neither says anything it takes the
// choice listed below.
//
// Guarantees:
//
//   - The upgrade waits for $connect. A client is connected only after $connect answered 2xx or when there is no such
//     route; otherwise it gets that status, 502 for a function error, 504 for a time-out.
//   - $disconnect runs at most once, after the close, for every connection whose $connect succeeded, even when the client
//     was gone before it got its answer; never after a refused one.
//   - A post is refused with 410 until the upgrade is answered, and from the moment a connection ends.
//   - Sequential posts to a connection arrive in their order. Messages of a client are handled concurrently, each in its
//     own invocation, so their answers come in any order.
//   - No client input ends anything but its own connection, and no client holds more memory than the limits of Config.
//
// The caller owes: an http.Server with limits of its own on headers and their time, and a call of Close at the end.
// Whether a Host or an Origin may connect is not decided here: API Gateway lets all in, and $connect decides.
//
// Chosen where AWS is silent: values that are not strings select a route in their written form; messages can't select
// $connect and $disconnect; a refused upgrade has the status's text as its message; a function that could not be invoked
// at all refuses with 500; a client's ping does not count as activity; two hours of age close like idleness, with 1001
// "Going away"; a lost client is told to $disconnect as 1006 with an empty reason; a malformed answer of a function is
// "Internal server error" on every route; an empty answer sends nothing; a route response over the limit is an error;
// a post is sent as it is, also when it is empty or not UTF-8.
//
// Different on purpose: signatures of @connections are not checked, a request without one is refused; header names in
// $connect events are in canonical form, not in the client's spelling; the back-pressure of Config.MaxInFlight.
package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Gateway is one WebSocket API with its stage.
type Gateway struct {
	config   Config
	routes   routes
	apiID    string
	log      *slog.Logger
	connects *bucket // new connections
	requests *bucket // messages and @connections calls
	buffers  sync.Pool

	ctx     context.Context // of all invocations
	cancel  context.CancelFunc
	running sync.WaitGroup // handshakes, readers, writers, invocations

	mu          sync.RWMutex
	closed      bool
	connections map[string]*connection
}

// New returns a gateway for the API. The error names what in the API is not supported.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	routes, err := newRoutes(cfg.API)
	if err != nil {
		return nil, fmt.Errorf("API %s: %w", cfg.API.ID, err)
	}
	if cfg.API.Stage == "" {
		return nil, fmt.Errorf("API %s: it has no stage", cfg.API.ID)
	}
	now := cfg.Clock.Now()
	g := &Gateway{
		config:      cfg,
		routes:      routes,
		apiID:       apiID(cfg.API.ID),
		log:         cfg.Log,
		connects:    newBucket(cfg.ConnectRate, cfg.ConnectRate, now),
		requests:    newBucket(cfg.RequestRate, max(cfg.RequestRate/2, 1), now),
		buffers:     sync.Pool{New: func() any { return new([]byte) }},
		connections: map[string]*connection{},
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g, nil
}

// apiID makes ten lower-case letters and digits, the form of AWS's API ids, of the logical id: the same every time.
func apiID(logicalID string) string {
	sum := sha256.Sum256([]byte(logicalID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:10])
}

// ServeHTTP serves WebSocket at / and /{stage}, the @connections API under either, and answers 403 to everything else.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := connectionsPath(r.URL.EscapedPath(), g.config.API.Stage); ok {
		g.manage(w, r, id)
		return
	}
	at := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.Method != http.MethodGet || at != "" && at != g.config.API.Stage {
		refuse(w, http.StatusForbidden, "ForbiddenException", "Forbidden")
		return
	}
	g.connect(w, r)
}

// Close ends every connection with 1001, waits for what still runs, $disconnect included, and refuses new connections.
// When ctx ends first, it cuts the rest off and returns an error.
func (g *Gateway) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	open := make([]*connection, 0, len(g.connections))
	for _, c := range g.connections {
		open = append(open, c)
	}
	g.mu.Unlock()
	for _, c := range open {
		c.end(goingAway())
	}
	done := make(chan struct{})
	go func() {
		g.running.Wait()
		close(done)
	}()
	defer g.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		for _, c := range open {
			c.socket.abort()
		}
		return fmt.Errorf("close the gateway: invocations or clients still at work were cut off: %w", context.Cause(ctx))
	}
}

// An Info describes one open connection.
type Info struct {
	ID          string
	ConnectedAt time.Time
	LastActive  time.Time // last message in either direction
	SourceIP    string
	UserAgent   string // "" when the client named none
	Received    int64  // messages from the client
	Sent        int64  // messages to the client
}

// Connections lists the open connections, oldest first.
func (g *Gateway) Connections() []Info {
	g.mu.RLock()
	infos := make([]Info, 0, len(g.connections))
	for _, c := range g.connections {
		infos = append(infos, Info{
			ID: c.id, ConnectedAt: c.connectedAt, LastActive: c.lastActive(),
			SourceIP: c.identity.SourceIP, UserAgent: c.identity.UserAgent,
			Received: c.received.Load(), Sent: c.sent.Load(),
		})
	}
	g.mu.RUnlock()
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.ID, b.ID))
	})
	return infos
}

// enter counts a handshake as running, or returns false when the gateway is closed.
func (g *Gateway) enter() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return false
	}
	g.running.Add(1)
	return true
}

// register makes a connection known to posts, or returns false when the gateway is closed.
func (g *Gateway) register(c *connection) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.connections[c.id] = c
	return true
}

func (g *Gateway) forget(c *connection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.connections, c.id)
}

// connection returns nil for one that is not open.
func (g *Gateway) connection(id string) *connection {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.connections[id]
}
