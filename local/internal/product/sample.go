package product

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Sample is one domain event of events/, as the bus delivers it.
type Sample struct {
	DetailType string         `json:"detail-type"`
	Source     string         `json:"source"`
	Detail     map[string]any `json:"detail"`
}

// Samples reads the domain events of a folder, in the order of their types. Files of other shapes (messages of a socket, batches of a
// queue) are passed over.
func Samples(dir string) ([]Sample, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	var samples []Sample
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("samples: %w", err)
		}
		var s Sample
		if err := decode(data, &s); err != nil {
			return nil, fmt.Errorf("sample %s: %w", file, err)
		}
		if s.DetailType != "" && s.Detail != nil {
			samples = append(samples, s)
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("no sample event in %s", dir)
	}
	slices.SortFunc(samples, func(a, b Sample) int { return strings.Compare(a.DetailType, b.DetailType) })
	return samples, nil
}

// Find returns the sample of an event type. Where there is none the error names those there are.
func Find(samples []Sample, eventType string) (Sample, error) {
	names := make([]string, len(samples))
	for i, s := range samples {
		if s.DetailType == eventType {
			return s, nil
		}
		names[i] = s.DetailType
	}
	return Sample{}, fmt.Errorf("no event type %q; there are %s", eventType, strings.Join(names, ", "))
}

// timestampLayout is the protocol's: RFC 3339 UTC with three decimals.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// Fresh is the detail of the sample as if it happened now, to the tenant: every timestamp in it is the present, and it is an event
// of its own.
func (s Sample) Fresh(tenantID string, now time.Time) map[string]any {
	detail := refresh(s.Detail, now).(map[string]any)
	detail["tenantId"] = tenantID
	detail["eventId"] = rand.Text()
	detail["occurredAt"] = now.UTC().Format(timestampLayout)
	return detail
}

// refresh returns a copy in which every timestamp of the protocol is now.
func refresh(value any, now time.Time) any {
	switch v := value.(type) {
	case map[string]any:
		fresh := make(map[string]any, len(v))
		for name, member := range v {
			fresh[name] = refresh(member, now)
		}
		return fresh
	case []any:
		fresh := make([]any, len(v))
		for i, element := range v {
			fresh[i] = refresh(element, now)
		}
		return fresh
	case string:
		if _, err := time.Parse(timestampLayout, v); err == nil {
			return now.UTC().Format(timestampLayout)
		}
	}
	return value
}

// decode keeps numbers as they are written.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}
