package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/purposepath/realtime/shared/event"
)

// again brings a canonical event into canonical form once more.
func again(e event.Event) (event.Event, error) {
	quote := func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	}
	metadata := fmt.Sprintf(`"eventId":%s,"occurredAt":%s`, quote(e.EventID), quote(string(event.TimestampOf(e.Timestamp))))
	if e.CorrelationID != "" {
		metadata += `,"correlationId":` + quote(e.CorrelationID)
	}
	detail := "{" + metadata + "," + strings.TrimPrefix(string(e.Data), "{")
	return event.FromBus("another", string(e.Type), busTime.AddDate(1, 0, 0), []byte(detail))
}

func FuzzFromBus(f *testing.F) {
	for _, spec := range event.Catalogue() {
		if !spec.Domain() {
			continue
		}
		detail, err := json.Marshal(spec.Data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(spec.Type), detail)
		f.Add(spec.Type.Hyphenated(), detail)
	}
	f.Add("goal.resumed", []byte(with(`"eventId":"e","occurredAt":"2026-03-02T10:15:00.1239+02:00","correlationId":"c"`)))
	f.Add("goal.resumed", []byte(with(`"a_b":[{"c_d":1e3}],"aB":[{"cD":1e3}],"s":"\ud83d\u2028\uffff<"`)))
	f.Add("goal.resumed", []byte(strings.Repeat("[", 100)))
	f.Add("kpi.reading_created", []byte(`{"kpi_id":"m","kpiId":"m","reading_id":"r","value":-0.0,"date":"2024-02-29","recorded_at":"2024-02-29T00:00:00Z","recorded_by":"u","tenant_id":"t","progress":null}`))
	f.Fuzz(func(t *testing.T, detailType string, detail []byte) {
		e, err := event.FromBus(busID, detailType, busTime, detail)
		if err != nil {
			refusal, ok := err.(*event.Refusal)
			if !ok || refusal.Reason == "" || refusal.Rule == "" || strings.ContainsFunc(refusal.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		frame, err := e.Envelope(event.MaxSequence)
		if err != nil || len(frame) > event.MaxFrameBytes || !utf8.Valid(frame) || !json.Valid(frame) {
			t.Fatalf("frame of an accepted event: %s, %v", frame, err)
		}
		second, err := again(e)
		if err != nil {
			t.Fatalf("canonical form refused: %v\n%s", err, e.Data)
		}
		if diff := cmp.Diff(e, second); diff != "" {
			t.Fatalf("canonical form of canonical form (-first +second):\n%s", diff)
		}
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back event.Event
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Fatalf("event after JSON (-before +after):\n%s", diff)
		}
	})
}

// However a producer spells a sample, it arrives as one and the same event.
func TestSpellingDoesNotMatter(t *testing.T) {
	t.Parallel()
	specs := event.Catalogue()
	rapid.Check(t, func(t *rapid.T) {
		spec := specs[rapid.IntRange(0, len(protocol)-1).Draw(t, "type")]
		plain, err := json.Marshal(spec.Data)
		if err != nil {
			t.Fatal(err)
		}
		var data map[string]json.RawMessage
		if err := json.Unmarshal(plain, &data); err != nil {
			t.Fatal(err)
		}
		var members []string
		for _, f := range event.Fields(spec.Data) {
			if value, ok := data[f.Name]; ok {
				members = append(members, spelled(t, f.Name)+respelled(t, value))
			}
		}
		want := strings.TrimSuffix(string(plain), "}") + `,"customField":{"listOfThings":[{"innerKey":null}],"line2":[true,"é"]}}`
		members = append(members, spelled(t, "customField")+"{"+spelled(t, "listOfThings")+"[{"+spelled(t, "innerKey")+`null}] , `+spelled(t, "line2")+`[true, "\u00e9"]}`)
		detailType := rapid.SampledFrom([]string{string(spec.Type), spec.Type.Hyphenated()}).Draw(t, "name")
		e, err := event.FromBus(busID, detailType, busTime, []byte("{"+strings.Join(members, ",\n")+"}"))
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != spec.Type || !cmp.Equal(string(e.Data), want) {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, string(e.Data)))
		}
	})
}

// spelled is a key and its colon in one of the spellings producers use.
func spelled(t *rapid.T, key string) string {
	snake := ""
	for _, r := range key {
		if 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			snake += "_"
		}
		snake += strings.ToLower(string(r))
	}
	return rapid.SampledFrom([]string{`"` + key + `":`, ` "` + snake + `" : `}).Draw(t, key)
}

// respelled is a value with white space around it and, for a timestamp, with another offset.
func respelled(t *rapid.T, value json.RawMessage) string {
	text := string(value)
	if stamp := strings.TrimSuffix(text, `.000Z"`); stamp != text {
		text = stamp + rapid.SampledFrom([]string{`.000Z"`, `Z"`, `.000999+00:00"`, `-00:00"`}).Draw(t, "stamp")
	}
	return text + rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
}
