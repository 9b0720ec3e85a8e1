package product

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Invocation is events/NAME.json as if it came now: for `sam local invoke -e -`. A message of a socket comes from the connection
// given and, where it carries a token, with the one given; every time in it is the present.
func Invocation(dir, name, connectionID, token string, now time.Time) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)+".json"))
	if err != nil {
		names, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for i := range names {
			names[i] = strings.TrimSuffix(filepath.Base(names[i]), ".json")
		}
		return nil, fmt.Errorf("no sample %q; there are %s", name, strings.Join(names, ", "))
	}
	var event map[string]any
	if err := decode(data, &event); err != nil {
		return nil, fmt.Errorf("sample %s: %w", name, err)
	}
	event = refresh(event, now).(map[string]any)
	if context, ok := event["requestContext"].(map[string]any); ok {
		live(context, connectionID, now)
		if body, ok := event["body"].(string); ok {
			event["body"] = rewrite(body, func(message map[string]any) {
				if _, ok := message["token"]; ok {
					message["token"] = token
				}
			})
		}
	}
	if _, ok := event["detail-type"]; ok {
		event["id"], event["time"] = uuid(), now.UTC().Format(time.RFC3339)
	}
	records, _ := event["Records"].([]any)
	for _, record := range records {
		if r, ok := record.(map[string]any); ok {
			body, _ := r["body"].(string)
			r["body"] = rewrite(body, func(message map[string]any) { renew(message, now) })
		}
	}
	return json.MarshalIndent(event, "", "  ")
}

func live(context map[string]any, connectionID string, now time.Time) {
	if connectionID != "" {
		context["connectionId"] = connectionID
	}
	context["connectedAt"], context["requestTimeEpoch"] = now.UnixMilli(), now.UnixMilli()
	context["requestTime"] = now.UTC().Format("02/Jan/2006:15:04:05 +0000")
}

// renew makes a queue's message one that was just accepted, of an event of its own.
func renew(message map[string]any, now time.Time) {
	id := rand.Text()
	for name, value := range refresh(message, now).(map[string]any) {
		message[name] = value
	}
	message["acceptedAt"] = now.UTC().Format(time.RFC3339Nano)
	message["eventId"] = id
	if event, ok := message["event"].(map[string]any); ok {
		event["eventId"] = id
	}
}

// rewrite changes a JSON object within a text; a text that is none stays.
func rewrite(text string, change func(map[string]any)) string {
	var object map[string]any
	if decode([]byte(text), &object) != nil || object == nil {
		return text
	}
	change(object)
	changed, err := json.Marshal(object)
	if err != nil {
		return text
	}
	return string(changed)
}

// uuid is a random one (version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
