package push

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Frame is one text message with its hash, which every signed request needs: made once, however many connections it goes to.
type Frame struct {
	data []byte
	hash string
}

// NewFrame returns a frame of the data, which must not change afterwards.
func NewFrame(data []byte) Frame {
	sum := sha256.Sum256(data)
	return Frame{data, hex.EncodeToString(sum[:])}
}

// Frames returns a frame of each.
func Frames(data [][]byte) []Frame {
	frames := make([]Frame, len(data))
	for i, d := range data {
		frames[i] = NewFrame(d)
	}
	return frames
}

// Data is the frame's text.
func (f Frame) Data() []byte { return f.data }
