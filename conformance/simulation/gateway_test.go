package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	auth "github.com/purposepath/realtime/functions/auth/handler"
	connect "github.com/purposepath/realtime/functions/connect/handler"
	disconnect "github.com/purposepath/realtime/functions/disconnect/handler"
	ping "github.com/purposepath/realtime/functions/ping/handler"
	sweeper "github.com/purposepath/realtime/functions/sweeper/handler"
	unrouted "github.com/purposepath/realtime/functions/unrouted/handler"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/socket"
)

// Time-outs of the functions (template.yaml), and API Gateway's own limits of a connection.
const (
	connectTimeout = 5 * time.Second
	messageTimeout = 9 * time.Second
	sweeperTimeout = 50 * time.Second
	idleLimit      = 10 * time.Minute
	lifeLimit      = 2 * time.Hour
	authDeadline   = 30 * time.Second
)

// sweepGrace is how long after its deadline a connection may at most be open where no sweep fails: they come every minute.
const sweepGrace = 150 * time.Second

var discard = slog.New(slog.DiscardHandler)

// The gateway is a simulated API Gateway: it calls the functions with connections and messages, and takes posts.
type gateway struct {
	w       *world
	sockets map[string]*link
	open    []*link
}

// A link is one WebSocket connection, as the gateway sees it.
type link struct {
	id          string
	client      *line
	connectedAt time.Time
	open        bool // after $connect, until the gateway knows of its end
	ended       bool
	lastActive  time.Time
	messages    int
	tokens      map[string]bool // those its client has sent, as tokenOf writes them
}

func (g *gateway) request(l *link, body string) socket.Request {
	return socket.Request{Body: body, RequestContext: events.APIGatewayWebsocketProxyRequestContext{
		ConnectionID: l.id, ConnectedAt: l.connectedAt.UnixMilli(), RequestTimeEpoch: time.Now().UnixMilli(),
	}}
}

// connect is a handshake: the connection is open when $connect has answered 200.
func (g *gateway) connect(c *line) {
	w := g.w
	l := &link{id: c.id, client: c, connectedAt: time.Now(), lastActive: time.Now(), tokens: map[string]bool{}}
	g.sockets[l.id] = l
	refused := func() { w.after(w.delay("refusal of "+l.id), func() { c.closed() }) }
	name := "connect " + l.id
	if w.strikes(functionThrottled, name) {
		refused()
		return
	}
	w.invoke("connect", name, connectTimeout, func(ctx context.Context, _ *container) (any, error) {
		h := &connect.Handler{Connections: connectionTable{w.tables}, AuthDeadline: authDeadline, Now: time.Now, Log: discard}
		return h.Handle(ctx, g.request(l, ""))
	}, func(response any, err error) {
		if err != nil || response.(socket.Response).StatusCode != http.StatusOK || w.strikes(functionNoAnswer, name) {
			refused()
			return
		}
		l.open = true
		g.open = append(g.open, l)
		w.after(lifeLimit-time.Since(l.connectedAt), func() { g.close(l, "2 hours") })
		g.watchIdle(l)
		w.after(w.delay("acceptance of "+l.id), func() { c.opened() })
	})
}

func (g *gateway) watchIdle(l *link) {
	g.w.after(idleLimit-time.Since(l.lastActive), func() {
		switch {
		case !l.open:
		case time.Since(l.lastActive) >= idleLimit:
			g.close(l, "idle")
		default:
			g.watchIdle(l)
		}
	})
}

// close ends a connection. $disconnect is called afterwards, late, or never.
func (g *gateway) close(l *link, why string) {
	w := g.w
	if l.ended {
		return
	}
	w.note("%s is closed: %s", l.id, why)
	l.open, l.ended = false, true
	for i, other := range g.open {
		if other == l {
			g.open = append(g.open[:i:i], g.open[i+1:]...)
			break
		}
	}
	w.after(w.delay("close of "+l.id), func() { l.client.closed() })
	if w.strikes(disconnectLost, l.id) {
		return
	}
	delay := w.delay("$disconnect of " + l.id)
	if w.strikes(disconnectLate, l.id) {
		delay = w.chance.between(0, 2*time.Minute, "late $disconnect of "+l.id)
	}
	w.after(delay, func() {
		w.invoke("disconnect", "disconnect "+l.id, connectTimeout, func(ctx context.Context, _ *container) (any, error) {
			h := &disconnect.Handler{Connections: connectionTable{w.tables}, Clock: w.clock(), Log: discard}
			return h.Handle(ctx, g.request(l, ""))
		}, func(any, error) {})
	})
}

// left: the client is gone, and the gateway learns of it, or not.
func (g *gateway) left(l *link) {
	if l.ended {
		return
	}
	if g.w.strikes(halfOpen, l.id) {
		g.w.after(g.w.chance.between(0, idleLimit, "noticed "+l.id), func() { g.close(l, "noticed at last") })
		return
	}
	g.w.after(g.w.delay("end of "+l.id), func() { g.close(l, "by the client") })
}

// message takes a frame of the client and calls the route's function. Two messages of one connection run at the same time.
func (g *gateway) message(l *link, body string) {
	w := g.w
	if !l.open {
		return
	}
	l.lastActive = time.Now()
	l.messages++
	var m struct {
		Action       string
		LastSequence *int64
		LastEventID  string
		Token        string
	}
	_ = json.Unmarshal([]byte(body), &m) // what is no JSON has no action
	l.tokens[m.Token] = true
	route := m.Action
	if route != "auth" && route != "ping" {
		route = "unrouted"
	}
	name := fmt.Sprintf("%s %s.%d", route, l.id, l.messages)
	fault := func() {
		g.frame(l, fmt.Sprintf(`{"message":"Internal server error","connectionId":%q,"requestId":%q}`, l.id, name), name, 0)
	}
	if w.strikes(functionThrottled, name) {
		fault()
		return
	}
	var inv *invocation
	defer func() { inv.client = l.id }()
	inv = w.invoke(route, name, messageTimeout, func(ctx context.Context, c *container) (any, error) {
		return w.route(route, c)(ctx, g.request(l, body))
	}, func(response any, err error) {
		if err != nil || w.strikes(functionNoAnswer, name) {
			fault()
			return
		}
		answerBody := response.(socket.Response).Body
		if answerBody == "" {
			return
		}
		var frame struct {
			Type string
			Data answer
		}
		if err := json.Unmarshal([]byte(answerBody), &frame); err != nil {
			w.fail("%s answered %s", name, answerBody)
			return
		}
		w.truth.answered(w, inv, l.id, frame.Type, frame.Data, m.LastSequence, m.LastEventID)
		if l.open {
			g.frame(l, answerBody, name, 0)
		}
	})
}

// frame sends a frame to the client: it arrives a little later, or was lost with the client.
func (g *gateway) frame(l *link, data, where string, late time.Duration) {
	l.lastActive = time.Now()
	g.w.after(g.w.delay("frame "+where)+late, func() { l.client.received(data) })
}

// delay is the way between client and gateway.
func (w *world) delay(where string) time.Duration { return w.chance.upTo(100*time.Millisecond, where) }

func (w *world) route(route string, c *container) func(context.Context, socket.Request) (socket.Response, error) {
	events := eventlog.New(eventTable{w.tables}, w.clock())
	replayer := &replay.Replayer{Log: events, Push: c.push, Limits: w.scenario.limits, Now: time.Now}
	switch route {
	case "auth":
		return (&auth.Handler{
			Tokens: issuer{w}, Connections: connectionTable{w.tables}, Heads: events, Replayer: replayer, Socket: w.gateway,
			MaxConnectionsUser: w.scenario.maxConnections, Clock: w.clock(), Log: discard,
		}).Handle
	case "ping":
		return (&ping.Handler{Connections: connectionTable{w.tables}, Heads: events, Replayer: replayer, Socket: w.gateway, Now: time.Now, Log: discard}).Handle
	default:
		return (&unrouted.Handler{Now: time.Now, Log: discard}).Handle
	}
}

// sweep calls the sweeper, as the schedule does.
func (g *gateway) sweep(n int) {
	w := g.w
	w.counts.sweeps++
	w.invoke("sweeper", fmt.Sprint("sweep ", n), sweeperTimeout, func(ctx context.Context, _ *container) (any, error) {
		h := &sweeper.Handler{Connections: connectionTable{w.tables}, Socket: w.gateway, Now: time.Now, Log: discard}
		return nil, h.Handle(ctx)
	}, func(any, error) { g.noneOverdue() })
}

// noneOverdue: no connection stays open beyond the end of its token, or unauthenticated.
func (g *gateway) noneOverdue() {
	if !g.w.quiet || time.Since(g.w.quietSince) < sweepGrace {
		return
	}
	for _, l := range g.open {
		end := l.connectedAt.Add(authDeadline)
		if c := g.w.truth.connection(l.id); !c.validUntil.IsZero() {
			end = c.validUntil
		}
		if time.Since(end) > sweepGrace {
			g.w.fail("%s is open %v after its deadline", l.id, time.Since(end))
		}
	}
}

// Post implements push.Poster and socket.Gateway.
func (g *gateway) Post(ctx context.Context, id string, frame push.Frame) error {
	w, inv, began := g.w, invocationOf(ctx), time.Now()
	alive := ctx.Err() == nil // else nothing is sent at all
	ctx = withDetail(ctx, id)
	key := inv.call(ctx, "post")
	err := w.await(ctx, key, w.latency(key))
	if inv.killed {
		return errKilled
	}
	if alive {
		w.truth.attempted(w, id, eventsIn(frame.Data()), began)
		w.counts.posts++
	}
	if err != nil {
		return fmt.Errorf("post: %w: %w", backoff.ErrTransient, err)
	}
	if w.crashes(inv, "before "+key) {
		return errKilled
	}
	l := g.sockets[id]
	if l == nil || !l.open {
		w.counts.gone++
		w.note("  %s: 410", key)
		return fmt.Errorf("post: %w", push.ErrGone)
	}
	if l.client.slow || w.strikes(postSlow, key) {
		if err := w.await(ctx, key+" slow", w.chance.between(0, 1500*time.Millisecond, "slow "+key)); err != nil {
			return fmt.Errorf("post: %w: %w", backoff.ErrTransient, err)
		}
	}
	late := time.Duration(0)
	if w.strikes(postLate, key) {
		late = w.chance.between(50*time.Millisecond, 3*time.Second, "late "+key)
	}
	switch {
	case inv.container.throttled < most429 && w.strikes(postThrottled, key):
		inv.container.throttled++
		return fmt.Errorf("post: %w: %w", push.ErrThrottled, backoff.ErrTransient)
	case w.strikes(postFailed, key):
		return fmt.Errorf("post: 500: %w", backoff.ErrTransient)
	case w.strikes(postHangs, key):
		if w.chance.below(2, "hangs "+key) == 0 {
			g.frame(l, string(frame.Data()), key, late)
		}
		err := w.await(ctx, key+" hangs", time.Hour)
		return fmt.Errorf("post: %w: %w", backoff.ErrTransient, err)
	}
	w.note("  %s: %s", key, brief(frame.Data()))
	for _, e := range eventsIn(frame.Data()) {
		w.truth.connection(id).accepted[e.Sequence] = true
	}
	if !w.strikes(postVanishes, key) {
		g.frame(l, string(frame.Data()), key, late)
	}
	switch {
	case w.strikes(postLostAnswer, key):
		return fmt.Errorf("post: no answer: %w", backoff.ErrTransient)
	case w.crashes(inv, "after "+key):
		return errKilled
	}
	return nil
}

// Delete implements socket.Gateway.
func (g *gateway) Delete(ctx context.Context, id string) error {
	w, inv := g.w, invocationOf(ctx)
	ctx = withDetail(ctx, id)
	key := inv.call(ctx, "close")
	if err := w.await(ctx, key, w.latency(key)); err != nil {
		return fmt.Errorf("close: %w: %w", backoff.ErrTransient, err)
	}
	if w.crashes(inv, "before "+key) {
		return errKilled
	}
	l := g.sockets[id]
	if l == nil || l.ended {
		return fmt.Errorf("close: %w", push.ErrGone)
	}
	if w.strikes(postFailed, key) {
		return fmt.Errorf("close: 500: %w", backoff.ErrTransient)
	}
	g.mayClose(inv, l)
	g.close(l, inv.name)
	if w.crashes(inv, "after "+key) {
		return errKilled
	}
	return nil
}

// mayClose: the sweeper closes nobody who is authenticated, auth nobody of another user.
func (g *gateway) mayClose(inv *invocation, l *link) {
	c := g.w.truth.connection(l.id)
	self := g.w.truth.connection(inv.client)
	switch {
	case inv.function == "sweeper" && !c.recorded.IsZero() && c.recorded.Before(inv.began) && time.Now().Before(c.until):
		g.w.fail("%s closes %s, whose token runs for another %v", inv.name, l.id, time.Until(c.until))
	case inv.function == "auth" && l.id != inv.client && (c.tenantID != self.tenantID || c.userID != self.userID):
		g.w.fail("%s of %s/%s closes %s of %s/%s", inv.name, self.tenantID, self.userID, l.id, c.tenantID, c.userID)
	}
}

// eventsIn are the events of a frame, none in a control message.
func eventsIn(frame []byte) []event.Envelope {
	var message struct {
		event.Envelope
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(frame, &message) != nil {
		return nil
	}
	if message.Sequence > 0 {
		return []event.Envelope{message.Envelope}
	}
	if message.Type != event.TypeBatch {
		return nil
	}
	var batch struct{ Events []event.Envelope }
	_ = json.Unmarshal(message.Data, &batch) // what is no batch holds no events
	return batch.Events
}

// brief is a frame for the history.
func brief(frame []byte) string {
	list := ""
	for _, e := range eventsIn(frame) {
		list += fmt.Sprintf("%s=%d ", e.EventID, e.Sequence)
	}
	if list == "" {
		list = string(frame)
	}
	return list
}
