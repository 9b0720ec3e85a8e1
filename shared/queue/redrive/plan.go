package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
)

// maxAge is how old an event may be that perhaps has a number already: the pusher's own limit. The record of its id lives 48 h, and
// without it the same event would get a second number.
const maxAge = 36 * time.Hour

// A mend replaces parts of one letter's event.
type mend struct {
	detail     []byte // nil = the letter's own
	detailType string // "" = the letter's own
}

// A parcel is what a letter becomes when it is sent: an entry for the bus or a message for the tenant queue.
type parcel struct {
	letterID string
	key      string // tenant and event id: what makes it this event and no other
	bus      *busEvent
	queued   *queue.Message
	group    string
}

// A plan says how to send letters.
type plan struct {
	mend      mend
	mayRepeat bool
	queue     string // URL of the tenant queue
	now       func() time.Time
}

// parcel is what to send. The error says why the letter stays.
func (p plan) parcel(l letter) (parcel, error) {
	out := parcel{letterID: l.id}
	switch {
	case l.bus != nil:
		e, canonical, err := p.busEvent(l)
		if err != nil {
			return parcel{}, err
		}
		out.bus, out.key = &e, key(canonical.TenantID, canonical.EventID)
	case l.queued != nil:
		m, err := p.message(l)
		if err != nil {
			return parcel{}, err
		}
		out.queued, out.key, out.group = &m, key(m.TenantID, m.EventID), l.group
		if out.group == "" {
			// A refused message no longer has its group. One of its own holds nobody up; the log keeps the tenant's numbers right.
			out.group = l.id
		}
	default:
		return parcel{}, fmt.Errorf("%w: look at it with --show, then --drop %s", l.unreadable, l.id)
	}
	return out, nil
}

func key(tenantID, eventID string) string { return fmt.Sprintf("%q %q", tenantID, eventID) }

// busEvent is the letter's event as it is put again: under its own id, held to the same rules as by the broadcaster.
func (p plan) busEvent(l letter) (busEvent, event.Event, error) {
	e := *l.bus
	if p.mend.detail != nil {
		e.Detail = p.mend.detail
	}
	if p.mend.detailType != "" {
		e.DetailType = p.mend.detailType
	}
	if e.ReplayName != "" {
		return e, event.Event{}, fmt.Errorf("it is of the replay %q of an archive, and no news", e.ReplayName)
	}
	canonical, err := event.FromBus(e.ID, e.DetailType, e.Time, e.Detail)
	if err != nil {
		return e, event.Event{}, err
	}
	if !l.neverNumbered() {
		if err := p.young(l.since); err != nil {
			return e, event.Event{}, err
		}
	}
	e.Detail, err = withEventID(e.Detail, canonical.EventID)
	return e, canonical, err
}

// message is the letter's message as it is sent again. acceptedAt stays, so that the pusher can go on to tell what may have a number
// that is forgotten; it begins anew only where there can be none, or where the operator takes the risk.
func (p plan) message(l letter) (queue.Message, error) {
	m := *l.queued
	if name := path.Base(p.queue); l.source != "" && !strings.HasSuffix(l.source, ":"+name) {
		return m, fmt.Errorf("it comes from the queue %s, not from %s: name that with --tenant-queue", l.source, name)
	}
	if p.mend.detail != nil || p.mend.detailType != "" {
		mended, err := p.mended(m.Event)
		if err != nil {
			return m, err
		}
		m.Event = mended
	}
	if _, err := m.Event.Envelope(event.MaxSequence); err != nil {
		return m, err
	}
	if l.neverNumbered() {
		m.AcceptedAt = p.now()
		return m, nil
	}
	if err := p.young(m.AcceptedAt); err != nil {
		return m, err
	}
	if p.now().Sub(m.AcceptedAt) > maxAge {
		m.AcceptedAt = p.now()
	}
	return m, nil
}

// mended is an event of the tenant queue with other data. It stays this event of this tenant.
func (p plan) mended(e event.Event) (event.Event, error) {
	detail, detailType := p.mend.detail, p.mend.detailType
	if detail == nil {
		detail = e.Data
	}
	if detailType == "" {
		detailType = string(e.Type)
	}
	mended, err := event.FromBus(e.EventID, detailType, e.Timestamp, detail)
	switch {
	case err != nil:
		return e, err
	case mended.TenantID != e.TenantID || mended.EventID != e.EventID:
		return e, errors.New("tenantId and eventId of a message of the tenant queue must stay as they are")
	case mended.CorrelationID == "":
		mended.CorrelationID = e.CorrelationID
	}
	return mended, nil
}

// young refuses what is so old that its id may be forgotten, unless the operator has said that it may come twice.
func (p plan) young(since time.Time) error {
	if age := p.now().Sub(since); age > maxAge && !p.mayRepeat {
		return fmt.Errorf("it is %s old: if it was delivered in part before, its number is forgotten after 48h and it may come twice; --may-repeat sends it", brief(age))
	}
	return nil
}

// withEventID is the detail with its event id in it. A detail that has one is not touched: not a byte changes.
func withEventID(detail []byte, id string) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(detail))
	if _, err := decoder.Token(); err != nil { // the opening brace: the detail was checked
		return nil, err
	}
	encoded, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	with := append([]byte(`{"eventId":`), encoded...)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if isEventID(name) {
			if string(value) != "null" {
				return detail, nil
			}
			continue // null counts as absent
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		with = append(append(append(append(with, ','), key...), ':'), value...)
	}
	return append(with, '}'), nil
}
