package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// A violation is input that the gateway answers by closing the connection.
type violation struct {
	code   ws.StatusCode
	reason string
}

func (v *violation) Error() string { return fmt.Sprintf("%d %s", v.code, v.reason) }

// A frameReader reads what one client sends. It trusts nothing: not the lengths, not the order, not the encoding.
type frameReader struct {
	source     io.Reader
	maxFrame   int
	maxMessage int

	pending    []byte    // read from the source, not yet used
	small      [128]byte // room for pending: header and payload of a small frame; larger payloads bypass it
	header     [ws.MaxHeaderSize]byte
	fragmented bool   // inside a message of several frames
	message    []byte // its frames so far
}

// Read is the frame reader's own view of the source.
func (r *frameReader) Read(p []byte) (int, error) {
	if len(r.pending) == 0 {
		if len(p) >= len(r.small) {
			return r.source.Read(p)
		}
		n, err := r.source.Read(r.small[:])
		if n == 0 {
			return 0, err
		}
		r.pending = r.small[:n]
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// next returns the next whole text message or control frame with its payload, which is the caller's to keep.
// The error is a *violation where the client broke a rule of RFC 6455 or of API Gateway.
func (r *frameReader) next() (ws.OpCode, []byte, error) {
	for {
		header, err := ws.ReadHeaderBuffer(r, r.header[:])
		if err != nil {
			if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
				err = &violation{ws.StatusProtocolError, err.Error()}
			}
			return 0, nil, err
		}
		if err := r.check(header); err != nil {
			return 0, nil, err
		}
		if header.OpCode.IsControl() {
			payload, err := r.payload(nil, header)
			return header.OpCode, payload, err
		}
		if r.message, err = r.payload(r.message, header); err != nil {
			return 0, nil, err
		}
		if r.fragmented = !header.Fin; r.fragmented {
			continue
		}
		message := r.message
		r.message = nil
		if !utf8.Valid(message) {
			return 0, nil, &violation{ws.StatusInvalidFramePayloadData, "text is not UTF-8"}
		}
		return ws.OpText, message, nil
	}
}

func (r *frameReader) check(header ws.Header) error {
	state := ws.StateServerSide
	if r.fragmented {
		state |= ws.StateFragmented
	}
	if err := ws.CheckHeader(header, state); err != nil {
		return &violation{ws.StatusProtocolError, err.Error()}
	}
	switch {
	case header.OpCode.IsControl():
		return nil
	case header.OpCode == ws.OpBinary:
		return &violation{ws.StatusUnsupportedData, "binary messages are not accepted"}
	case header.Length > int64(r.maxFrame):
		return &violation{ws.StatusMessageTooBig, fmt.Sprintf("frame over %d bytes", r.maxFrame)}
	case int64(len(r.message))+header.Length > int64(r.maxMessage):
		return &violation{ws.StatusMessageTooBig, fmt.Sprintf("message over %d bytes", r.maxMessage)}
	}
	return nil
}

// payload appends the payload of a frame whose length has been checked, unmasked.
func (r *frameReader) payload(dst []byte, header ws.Header) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, header.Length)...)
	if _, err := io.ReadFull(r, dst[start:]); err != nil {
		return nil, err
	}
	ws.Cipher(dst[start:], header.Mask, 0)
	return dst, nil
}

// parseClose reads the payload of a client's close frame: what $disconnect is told, and the frame that answers.
func parseClose(payload []byte) ending {
	if len(payload) == 0 {
		return ending{code: int(ws.StatusNoStatusRcvd), reason: "Client-side close frame status not set", frame: closeFrame(nil)}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if len(payload) == 1 || code > 4999 { // RFC 6455, section 7.4.2, ends at 4999
		return ended(ws.StatusProtocolError, "status code is not in use")
	}
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return ended(ws.StatusProtocolError, err.Error())
	}
	return ending{code: int(code), reason: reason, frame: closeFrame(payload)}
}

// closeFrame is a close frame around a payload of at most 125 bytes.
func closeFrame(payload []byte) []byte {
	return append([]byte{0x80 | byte(ws.OpClose), byte(len(payload))}, payload...)
}

// pongFrame answers a ping of at most 125 bytes.
func pongFrame(payload []byte) []byte {
	return append([]byte{0x80 | byte(ws.OpPong), byte(len(payload))}, payload...)
}

// appendMessage appends a text message in frames of at most maxFrame bytes of payload each.
func appendMessage(dst, message []byte, maxFrame int) []byte {
	opcode := byte(ws.OpText)
	for {
		payload := message[:min(len(message), maxFrame)]
		message = message[len(payload):]
		if len(message) == 0 {
			opcode |= 0x80 // the last frame
		}
		dst = append(dst, opcode)
		switch n := len(payload); {
		case n < 126:
			dst = append(dst, byte(n))
		case n <= 0xffff:
			dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
		default:
			dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
		}
		dst = append(dst, payload...)
		if len(message) == 0 {
			return dst
		}
		opcode = byte(ws.OpContinuation)
	}
}
