package gateway

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"
)

// API Gateway's identifiers are 11 bytes in base64url, 16 characters with "-", "_" and the trailing "=". Byte 8 is 2 in
// connection and message ids and 5 in request ids. They are opaque, but imitated: code that forgets to escape them in a
// URL must fail here as it does on AWS.
const (
	idBytes        = 11
	idLength       = 16
	connectionMark = 2
	requestMark    = 5
)

func newID(mark byte) string {
	id := random(idBytes)
	id[8] = mark
	return base64.URLEncoding.EncodeToString(id)
}

// newMessageID shares its last four bytes with the connection's id.
func newMessageID(connectionID string) string {
	of, err := base64.URLEncoding.DecodeString(connectionID)
	if err != nil || len(of) != idBytes {
		panic(fmt.Sprintf("gateway: %q is no connection id", connectionID)) // every id here comes from newID
	}
	id := random(idBytes)
	copy(id[7:], of[7:])
	return base64.URLEncoding.EncodeToString(id)
}

// isConnectionID says whether id has the form of a connection id; anything else is answered 400 and not 410.
func isConnectionID(id string) bool {
	if len(id) != idLength || id[idLength-1] != '=' {
		return false
	}
	for _, c := range []byte(id[:idLength-1]) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// newUUID returns a version 4 UUID, the form of x-amzn-RequestId.
func newUUID() string {
	b := random(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns a root of AWS X-Ray: seconds of the epoch and 96 random bits.
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s", uint32(now.Unix()), hex.EncodeToString(random(12)))
}

// random returns n random bytes. Identifiers must be unique, not secret: the runtime's generator is enough.
func random(n int) []byte {
	b := make([]byte, 0, (n+7)/8*8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rand.Uint64())
	}
	return b[:n]
}
