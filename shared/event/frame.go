package event

import (
	"bytes"
	"fmt"
	"reflect"
	"time"
)

// Frames are the envelopes, in the order given, as frames for one connection, each at most [MaxFrameBytes].
//
// With batch false each envelope is a frame of its own; with batch true as many as fit travel in one batch message, and one that is alone
// travels as itself. at is the time batch messages carry. Frames share memory with the envelopes.
func Frames(at time.Time, envelopes [][]byte, batch bool) [][]byte {
	if !batch {
		return envelopes
	}
	head := []byte(`{"type":"` + string(TypeBatch) + `","timestamp":"` + string(TimestampOf(at)) + `","data":{"events":[`)
	tail := []byte(`]}}`)
	var frames [][]byte
	for len(envelopes) > 0 {
		n, size := 1, len(head)+len(envelopes[0])+len(tail)
		for n < len(envelopes) && size+len(",")+len(envelopes[n]) <= MaxFrameBytes {
			size += len(",") + len(envelopes[n])
			n++
		}
		frame := envelopes[0]
		if n > 1 {
			frame = bytes.Join([][]byte{head, bytes.Join(envelopes[:n], []byte(",")), tail}, nil)
		}
		frames = append(frames, frame)
		envelopes = envelopes[n:]
	}
	return frames
}

// Control is a control message of the server. data is the struct the catalogue names for t; at is the server's time.
func Control(t Type, at time.Time, data any) ([]byte, error) {
	for _, spec := range catalogue {
		if spec.Type != t || spec.Domain() || spec.Direction != ToClient {
			continue
		}
		if reflect.TypeOf(data) != reflect.TypeOf(spec.Data) {
			return nil, fmt.Errorf("control message %s: data is a %T, not a %T", t, data, spec.Data)
		}
		return marshal(struct {
			Type      Type      `json:"type"`
			Timestamp Timestamp `json:"timestamp"`
			Data      any       `json:"data"`
		}{t, TimestampOf(at), data})
	}
	return nil, fmt.Errorf("control message %q: the server sends no such message", t)
}
