package queue

import (
	"container/list"
	"crypto/md5" // SQS's own checksum, which SDKs verify
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purposepath/realtime/local/internal/clock"
)

// maxBytes is the most a message, with its attributes, or a batch of them may have: 1 MiB (SendMessage).
const maxBytes = 1 << 20

// A Message is what a producer sends. It must not be changed once sent.
type Message struct {
	Body            string
	Attributes      map[string]Attribute
	GroupID         string         // required for FIFO queues
	DeduplicationID string         // FIFO queues; "" = hash of the body, where the queue allows it
	TraceHeader     string         // AWSTraceHeader
	Delay           *time.Duration // nil = the queue's; not for FIFO queues
}

// An Attribute is a typed value beside the body. DataType is String, Number or Binary, with a label after a dot if wanted.
type Attribute struct {
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
	DataType    string
}

// String is a text attribute.
func String(value string) Attribute { return Attribute{StringValue: value, DataType: "String"} }

// A message is one that a queue holds. The queue's lock guards the fields after group.
type message struct {
	Message
	id         string // UUID
	bodyMD5    string // hex
	bytes      int    // of body and attributes
	eventBytes int    // of its record in a Lambda event, about
	sequence   string // FIFO: 20 digits
	source     string // ARN of the queue it is a dead letter of
	sent       time.Time
	before     int // how often other queues had given it out

	group    *group
	inGroup  *list.Element // of group.messages
	inQueue  *list.Element // of queue.messages
	state    state
	due      time.Time // when delayed or in flight ends
	position int       // in the heap of due messages, -1 if not there
	receives int       // from this queue
	receipt  uint64    // of the last receive
	first    time.Time // received, from any queue
	last     time.Time // received
}

type state int8

const (
	waiting state = iota
	delayed
	inFlight
)

// A delivery is one receive of a message: what of it would change is copied.
type delivery struct {
	*message
	handle   string
	receives int
	first    time.Time
}

// systemAttributes are the attributes that SQS itself gives, by name. Their times are real ones, like those of who reads
// them.
func (d delivery) systemAttributes(c *clock.Clock, senderID string) map[string]string {
	attributes := map[string]string{
		"SenderId":                         senderID,
		"SentTimestamp":                    strconv.FormatInt(c.World(d.sent).UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(d.before + d.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(c.World(d.first).UnixMilli(), 10),
	}
	for name, value := range map[string]string{
		"MessageGroupId":           d.GroupID,
		"MessageDeduplicationId":   d.DeduplicationID,
		"SequenceNumber":           d.sequence,
		"AWSTraceHeader":           d.TraceHeader,
		"DeadLetterQueueSourceArn": d.source,
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes
}

// check refuses a message that the queue would, and fills in the deduplication id that follows from the body.
func (q *queue) check(m *Message) *Error {
	if m.Body == "" {
		return missing("MessageBody")
	}
	if !validText(m.Body) {
		return &Error{
			"InvalidMessageContents", "InvalidMessageContents", 400,
			"Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
		}
	}
	if len(m.Attributes) > 10 {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(m.Attributes))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		if err := checkAttribute(name, m.Attributes[name]); err != nil {
			return err
		}
	}
	if size := m.size(); size > q.def.MaximumMessageBytes {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.def.MaximumMessageBytes)
	}
	if m.Delay != nil {
		seconds := *m.Delay / time.Second
		switch {
		case q.def.FIFO && *m.Delay != 0:
			return invalidValue(int64(seconds), "DelaySeconds", "The request include parameter that is not valid for this queue type.")
		case *m.Delay < 0 || *m.Delay > maxDelay:
			return invalidValue(int64(seconds), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
		}
	}
	return q.checkIDs(m)
}

func (q *queue) checkIDs(m *Message) *Error {
	if m.GroupID != "" && !validID(m.GroupID) {
		return invalidValue(m.GroupID, "MessageGroupId", "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	if m.DeduplicationID != "" && !validID(m.DeduplicationID) {
		return invalidValue(m.DeduplicationID, "MessageDeduplicationId", "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	if !q.def.FIFO {
		if m.DeduplicationID != "" {
			return invalidValue(m.DeduplicationID, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.")
		}
		return nil // a group id is allowed: it only makes a standard queue fair
	}
	if m.GroupID == "" {
		return missing("MessageGroupId")
	}
	if m.DeduplicationID == "" {
		if !q.def.ContentBasedDeduplication {
			return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		sum := sha256.Sum256([]byte(m.Body))
		m.DeduplicationID = hex.EncodeToString(sum[:])
	}
	return nil
}

var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

func checkAttribute(name string, a Attribute) *Error {
	if !validAttributeName(name) {
		return invalid("Message (user) attribute name '%s' is invalid. It can have letters, digits, '_', '-' and '.', at most 256 of them, no '.' at an end or twice in a row, and must not begin with 'AWS.' or 'Amazon.'.", name)
	}
	kind, _, _ := strings.Cut(a.DataType, ".")
	empty := a.StringValue == ""
	switch kind {
	case "String":
	case "Number":
		if !number.MatchString(a.StringValue) && !empty {
			return invalid("Can't cast the value of message (user) attribute '%s' to a number.", name)
		}
	case "Binary":
		empty = len(a.BinaryValue) == 0
	default:
		return invalid("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
	}
	switch {
	case len(a.DataType) > 256:
		return invalid("The type of message (user) attribute '%s' is invalid. It can be at most 256 characters long.", name)
	case empty:
		return invalid("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
	case a.StringValue != "" && a.BinaryValue != nil:
		return invalid("Message (user) attribute '%s' has multiple values.", name)
	case !validText(a.StringValue):
		return invalid("Message (user) attribute '%s' contains characters outside the allowed set.", name)
	}
	return nil
}

func (m *Message) size() int {
	size := len(m.Body)
	for name, a := range m.Attributes {
		size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return size
}

// validText: the characters of XML 1.0, which SendMessage allows.
func validText(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			if _, width := utf8.DecodeRuneInString(s[i:]); width == 1 {
				return false
			}
		case r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return true
}

// validID: message group and deduplication ids, 1 to 128 printable ASCII characters without the space.
func validID(s string) bool {
	return len(s) >= 1 && len(s) <= 128 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func validAttributeName(s string) bool {
	lower := strings.ToLower(s)
	switch {
	case s == "", len(s) > 256, strings.HasPrefix(lower, "aws."), strings.HasPrefix(lower, "amazon."),
		strings.HasPrefix(s, "."), strings.HasSuffix(s, "."), strings.Contains(s, ".."):
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
	}) < 0
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// attributesMD5 is the checksum that SDKs compare: over name, type, transport (1 string, 2 binary) and value of each
// attribute, sorted by name, each preceded by its length in four bytes. "" for no attributes.
// Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".
func attributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	field := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		field(name)
		field(a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			b = append(b, 2)
			field(string(a.BinaryValue))
		} else {
			b = append(b, 1)
			field(a.StringValue)
		}
	}
	return md5Hex(string(b))
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
