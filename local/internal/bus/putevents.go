package bus

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits of PutEvents (API reference).
const (
	maxEntries     = 10
	maxEntryBytes  = 1 << 20 // of all entries together
	maxDetailType  = 128     // characters
	maxDetailDepth = 1000
	timeBytes      = 14 // what a Time counts for
)

type putEventsInput struct{ Entries []entry }

type entry struct {
	Source       string
	DetailType   string
	Detail       string
	Time         *timestamp
	Resources    []string
	EventBusName string
}

// timestamp is a time as SDKs write it, in seconds since 1970 with a fraction, or as RFC 3339.
type timestamp struct{ time.Time }

func (t *timestamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		at, err := time.Parse(time.RFC3339, text)
		t.Time = at
		return err
	}
	seconds, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(seconds) > 1<<40 {
		return errors.New("a timestamp is a number of seconds or RFC 3339")
	}
	whole, fraction := math.Modf(seconds)
	t.Time = time.Unix(int64(whole), int64(fraction*1e9))
	return nil
}

type putEventsOutput struct {
	Entries          []entryResult
	FailedEntryCount int
}

type entryResult struct {
	EventId      string `json:",omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (b *Bus) putEvents(in putEventsInput) (any, error) {
	if err := checkEntries(in.Entries); err != nil {
		return nil, err
	}
	var out putEventsOutput
	for _, e := range in.Entries {
		result := b.putEntry(e)
		if result.ErrorCode != "" {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

// checkEntries refuses a request as a whole.
func checkEntries(entries []entry) error {
	switch {
	case entries == nil:
		return validation("1 validation error detected: Value null at 'entries' failed to satisfy constraint: Member must not be null")
	case len(entries) == 0:
		return validation("1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(entries) > maxEntries:
		return validation("1 validation error detected: Value '[%d entries]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to %d", len(entries), maxEntries)
	}
	size, empty := 0, 0
	for _, e := range entries {
		size += e.size()
		if e.Source == "" && e.DetailType == "" && e.Detail == "" {
			empty++
		}
	}
	switch {
	case size >= maxEntryBytes:
		return validation("Total size of the entries in the request is over the limit.")
	case empty == len(entries):
		// The API reference says so of entries that lack some of the three; AWS was seen to refuse such an entry alone.
		return validation("Parameter Entries is not valid. Reason: No entry has a Source, DetailType and Detail.")
	}
	return nil
}

func (e entry) size() int {
	size := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if e.Time != nil {
		size += timeBytes
	}
	for _, resource := range e.Resources {
		size += len(resource)
	}
	return size
}

func (b *Bus) putEntry(e entry) entryResult {
	detail, refused := e.check()
	if refused.ErrorCode != "" {
		return refused
	}
	at := b.cfg.Clock.World(b.cfg.Clock.Now())
	if e.Time != nil {
		at = e.Time.Time
	}
	accepted := event{
		ID: newID(), DetailType: e.DetailType, Source: e.Source, Account: b.cfg.AccountID, Time: wholeSeconds(at),
		Region: b.cfg.Region, Resources: e.Resources, Detail: e.Detail, detail: detail,
	}
	bus := b.busNamed(e.EventBusName)
	if bus == "" {
		// AWS accepts the event and drops it.
		b.cfg.Log.Warn("event dropped: there is no such event bus", "bus", e.EventBusName, "buses", b.names, "source", e.Source, "detailType", e.DetailType)
		return entryResult{EventId: accepted.ID}
	}
	if err := b.put(bus, accepted); err != nil {
		code := "ThrottlingException"
		if errors.Is(err, errClosed) {
			code = "InternalFailure"
		}
		return entryResult{ErrorCode: code, ErrorMessage: err.Error()}
	}
	return entryResult{EventId: accepted.ID}
}

// check returns the detail, decoded, or why the entry is refused.
func (e entry) check() (map[string]any, entryResult) {
	for _, required := range [][2]string{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if required[1] == "" {
			return nil, entryResult{
				ErrorCode:    "InvalidArgument",
				ErrorMessage: fmt.Sprintf("Parameter %s is not valid. Reason: %[1]s is a required argument.", required[0]),
			}
		}
	}
	if strings.HasPrefix(e.Source, "aws.") {
		return nil, entryResult{ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source."}
	}
	if len([]rune(e.DetailType)) > maxDetailType {
		return nil, entryResult{
			ErrorCode:    "InvalidArgument",
			ErrorMessage: fmt.Sprintf("Parameter DetailType is not valid. Reason: DetailType must be at most %d characters.", maxDetailType),
		}
	}
	value, err := decode([]byte(e.Detail))
	detail, ok := value.(map[string]any)
	if err != nil || !ok || !acceptable(detail, maxDetailDepth) {
		return nil, entryResult{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	return detail, entryResult{}
}

// acceptable: whole numbers fit 64 bits, and nothing is nested deeper than depth levels.
func acceptable(value any, depth int) bool {
	switch value := value.(type) {
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return true
		}
		_, err := strconv.ParseInt(value.String(), 10, 64)
		return err == nil
	case map[string]any:
		for _, below := range value {
			if depth == 0 || !acceptable(below, depth-1) {
				return false
			}
		}
	case []any:
		for _, below := range value {
			if depth == 0 || !acceptable(below, depth-1) {
				return false
			}
		}
	}
	return true
}

func wholeSeconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
