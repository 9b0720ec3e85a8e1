package queue

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A receipt handle names the queue, the message and the receive. It is opaque to clients but not secret.
func formatHandle(queue, id string, receipt uint64) string {
	return "AQEB" + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s\x00%s\x00%d", queue, id, receipt))
}

// parseHandle is false for what no queue of this name gave out.
func parseHandle(queue, handle string) (id string, receipt uint64, ok bool) {
	encoded, ok := strings.CutPrefix(handle, "AQEB")
	if !ok {
		return "", 0, false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", 0, false
	}
	parts := strings.Split(string(decoded), "\x00")
	if len(parts) != 3 || parts[0] != queue {
		return "", 0, false
	}
	receipt, err = strconv.ParseUint(parts[2], 10, 64)
	return parts[1], receipt, err == nil
}

// delete removes the message that a receipt handle names. One that is gone already is no error.
func (q *queue) delete(handle string) *Error {
	id, receipt, ok := parseHandle(q.def.Name, handle)
	if !ok {
		return badHandle(handle)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(q.clock.Now())
	m := q.byID[id]
	switch {
	case m == nil:
		return nil
	case q.def.FIFO && (m.receipt != receipt || m.state != inFlight):
		return invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.")
	case m.receipt != receipt:
		return nil // a standard queue accepts an old handle, and keeps the message
	}
	q.remove(m)
	return nil
}

// hide changes how long the message that a receipt handle names stays in flight, counted from now.
func (q *queue) hide(handle string, visibility time.Duration) *Error {
	if visibility < 0 || visibility > maxVisibility {
		return invalidValue(int64(visibility/time.Second), "VisibilityTimeout", "Must be between 0 and 43200.")
	}
	id, receipt, ok := parseHandle(q.def.Name, handle)
	if !ok {
		return badHandle(handle)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.advance(now)
	m := q.byID[id]
	switch {
	case m == nil || !q.def.FIFO && m.receipt != receipt:
		return invalidValue(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case q.def.FIFO && (m.receipt != receipt || m.state != inFlight):
		return invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.")
	case now.Add(visibility).Sub(m.last) > maxVisibility:
		return invalid("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	}
	q.unschedule(m)
	q.schedule(m, inFlight, now.Add(visibility))
	q.advance(now)
	q.settle(m.group)
	return nil
}
