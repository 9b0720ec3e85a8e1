package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	broadcaster "github.com/purposepath/realtime/functions/broadcaster/handler"
	"github.com/purposepath/realtime/shared/queue"
)

// As template.yaml says of BroadcasterFunction; the waits between an asynchronous call's tries are Lambda's.
const (
	broadcasterTimeout = 15 * time.Second
	asyncRetries       = 2
)

// The bus is a simulated EventBridge with Lambda's asynchronous calls: at least once, in no order, tried three times.
type bus struct {
	w      *world
	events map[string]*produced // by event id
	dead   map[string]int       // dead letters, by event id
}

// A produced is one event of a domain service.
type produced struct {
	id, tenantID string
	at           time.Duration // after the beginning
	bad          bool          // it breaks the catalogue's rules
	size         int           // of its padding, in bytes
	fate         string        // eventInvalid, eventCursed or ""
	entries      int
}

// fate is what is wrong with an event for good.
func (b *bus) fate(eventID string) string {
	if p, ok := b.events[eventID]; ok {
		return p.fate
	}
	return ""
}

// idIn is the id of the event that a dead letter holds.
func (b *bus) idIn(body string) string {
	var m queue.Message
	if json.Unmarshal([]byte(body), &m) == nil && m.EventID != "" {
		return m.EventID
	}
	var entry struct {
		ID     string `json:"id"`
		Detail struct {
			EventID string `json:"eventId"`
		} `json:"detail"`
	}
	if json.Unmarshal([]byte(body), &entry) == nil && entry.Detail.EventID != "" {
		return entry.Detail.EventID
	}
	return body
}

// publish is PutEvents.
func (b *bus) publish(p *produced) {
	p.entries++
	w := b.w
	entry := fmt.Sprintf("%s/%d", p.id, p.entries)
	w.note("publish %s for %s", entry, p.tenantID)
	raw := b.raw(p, entry)
	b.route(entry, raw, p)
	if p.entries == 1 && w.strikes(producerTwice, p.id) {
		w.after(w.chance.upTo(5*time.Minute, "again "+p.id), func() { b.publish(p) })
	}
}

func (b *bus) raw(p *produced, entry string) json.RawMessage {
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	detail := map[string]any{
		"tenantId": p.tenantID, "eventId": p.id, "goalId": "g1", "resumedAt": at, "resumedBy": "ana", "note": strings.Repeat("x", p.size),
	}
	if p.bad {
		delete(detail, "resumedAt")
	}
	raw, err := json.Marshal(map[string]any{
		"id": entry, "detail-type": "goal.resumed", "source": "purposepath.goals", "time": time.Now().UTC().Format(time.RFC3339), "detail": detail,
	})
	if err != nil {
		b.w.fail("event %s: %v", entry, err)
	}
	return raw
}

// route is the rule: it calls the broadcaster asynchronously.
func (b *bus) route(entry string, raw json.RawMessage, p *produced) {
	w := b.w
	delay := w.chance.upTo(500*time.Millisecond, "bus "+entry)
	if w.strikes(busLate, entry) {
		delay = w.chance.between(0, time.Minute, "late "+entry)
	}
	w.after(delay, func() { b.call(entry, raw, p, 0) })
	if w.strikes(busTwice, entry) {
		w.after(w.chance.between(0, time.Minute, "twice "+entry), func() { b.call(entry+" twice", raw, p, 0) })
	}
}

func (b *bus) call(name string, raw json.RawMessage, p *produced, try int) {
	w := b.w
	ended := func(_ any, err error) {
		switch {
		case err == nil:
		case try < asyncRetries:
			w.after(time.Duration(try+1)*time.Minute, func() { b.call(name, raw, p, try+1) })
		default:
			w.note("! %s goes to the dead letters: %v", name, err)
			w.counts.deadLetters++
			b.dead[p.id]++
		}
	}
	call := fmt.Sprintf("broadcast %s try %d", name, try)
	if w.strikes(functionThrottled, call) { // Lambda keeps an asynchronous call and tries again: it does not count
		w.after(w.chance.between(time.Second, 10*time.Second, "throttled "+call), func() { b.call(name+"'", raw, p, try) })
		return
	}
	w.invoke("broadcaster", call, broadcasterTimeout, func(ctx context.Context, _ *container) (any, error) {
		h := &broadcaster.Handler{Queue: queueClient{w}, Now: time.Now, Log: discard}
		return nil, h.Handle(ctx, raw)
	}, ended)
}

// foreign puts a message into the tenant queue that is not the broadcaster's.
func (b *bus) foreign(id string) {
	if b.w.strikes(messageForeign, id) {
		b.w.queue.put("foreign", "foreign "+id, queued{tenantID: "foreign", eventID: "foreign " + id, body: "foreign " + id})
	}
}
