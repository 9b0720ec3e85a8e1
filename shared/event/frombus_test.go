package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
)

const busID = "0b9e5a4e-1f0c-4a53-9a2f-6f3f1f3d0c11"

var busTime = time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)

// resumed is a small valid detail; with splices members in before its end.
const resumed = `{"goalId":"g1","resumedAt":"2026-03-02T08:15:00.000Z","resumedBy":"u1","tenantId":"acme"}`

func with(members string) string { return strings.TrimSuffix(resumed, "}") + "," + members + "}" }

func TestFromBus(t *testing.T) {
	t.Parallel()
	const head = `{"type":"goal.resumed","timestamp":"2026-03-02T08:15:00.000Z","eventId":"` + busID + `","tenantId":"acme","sequence":7,"data":`
	tests := []struct {
		name, detailType, detail, want string
	}{
		{name: "canonical detail is taken as it is", detail: resumed, want: head + resumed + `}`},
		{name: "white space goes, the order of fields stays", detail: "{ \"resumedBy\" : \"u1\",\n\"tenantId\":\"acme\", \"goalId\":\"g1\",\t\"resumedAt\":\"2026-03-02T08:15:00.000Z\" }",
			want: head + `{"resumedBy":"u1","tenantId":"acme","goalId":"g1","resumedAt":"2026-03-02T08:15:00.000Z"}}`},
		{name: "the producer's eventId, occurredAt and correlationId win and leave the data",
			detail: with(`"eventId":"e1","occurredAt":"2026-03-02T10:15:00.1239+02:00","correlationId":"c1"`),
			want:   `{"type":"goal.resumed","timestamp":"2026-03-02T08:15:00.123Z","eventId":"e1","tenantId":"acme","sequence":7,"data":` + resumed + `,"correlationId":"c1"}`},
		{name: "null counts as absent where a field may be absent", detail: with(`"eventId":null,"occurredAt":null,"correlationId":null,"title":null`), want: head + resumed + `}`},
		{name: "snake_case becomes camelCase at every depth", detail: `{"goal_id":"g1","resumed_at":"2026-03-02T08:15:00.000Z","resumed_by":"u1","tenant_id":"acme","event_id":"` + busID + `","extra_field":[{"inner_field":{"line_2":1}}]}`,
			want: head + with(`"extraField":[{"innerField":{"line2":1}}]`) + `}`},
		{name: "other spellings are not ours to change", detail: with(`"_id":1,"__v":2,"GOAL_ID":3,"trailing_":4,"Pascal_Case":5,"kebab-case":6,"a__b":7`),
			want: head + with(`"_id":1,"__v":2,"GOAL_ID":3,"trailing_":4,"Pascal_Case":5,"kebab-case":6,"a__b":7`) + `}`},
		{name: "both spellings with one value are one field", detail: with(`"goal_id":"g1","tags":{"a_b":[1,{"c":null}],"aB":[1,{"c":null}]}`), want: head + with(`"tags":{"aB":[1,{"c":null}]}`) + `}`},
		{name: "unknown fields and the text of numbers pass", detail: with(`"n":[1.10,1e3,-0,12345678901234567890,0.1000000000000000055511151231257827]`),
			want: head + with(`"n":[1.10,1e3,-0,12345678901234567890,0.1000000000000000055511151231257827]`) + `}`},
		{name: "timestamps get three decimals and Z", detail: strings.Replace(resumed, "2026-03-02T08:15:00.000Z", "2026-03-02T03:15:00-05:00", 1), want: head + resumed + `}`},
		{name: "escapes are as few as JSON allows", detail: with(`"s":"\u003c\u00e9\/\ud83d\ude00\u2028<&>\u0000\b\n\t\r\"\\"`), want: head + with(`"s":"<é/😀`+"\u2028"+`<&>\u0000\u0008\n\t\r\"\\"`) + `}`},
		{name: "what SQS refuses in a body stays escaped", detail: with(`"s":"\ufffe\uffff"`), want: head + with(`"s":"\ufffe\uffff"`) + `}`},
		{name: "half a surrogate pair becomes the replacement character", detail: with(`"s":"cut \ud83d"`), want: head + with(`"s":"cut `+"\uFFFD"+`"`) + `}`},
		{name: "32 levels are not too deep", detail: with(`"deep":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), want: head + with(`"deep":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)) + `}`},
		{name: "hyphens for dots", detailType: "goal-resumed", detail: resumed, want: head + resumed + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.detailType == "" {
				tt.detailType = "goal.resumed"
			}
			e, err := event.FromBus(busID, tt.detailType, busTime, []byte(tt.detail))
			if err != nil {
				t.Fatalf("FromBus: %v", err)
			}
			got, err := e.Envelope(7)
			if err != nil {
				t.Fatalf("Envelope: %v", err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	reading := `{"readingId":"r1","measureId":"m1","value":1,"date":"2026-03-31","recordedAt":"2026-03-02T08:15:00.000Z","recordedBy":"u1","tenantId":"acme"}`
	tests := []struct{ detailType, detail string }{
		{"measure.reading_created", reading},
		{"measure-reading-created", reading},
		{"measure.reading.created", reading},
		{"kpi.reading_created", reading},
		{"kpi.reading_created", strings.Replace(reading, "measureId", "kpiId", 1)},
		{"kpi-reading-created", strings.Replace(reading, "measureId", "kpi_id", 1)},
		{"kpi.reading_created", strings.Replace(reading, "}", `,"kpiId":"m1"}`, 1)},
	}
	for _, tt := range tests {
		e, err := event.FromBus(busID, tt.detailType, busTime, []byte(tt.detail))
		if err != nil {
			t.Errorf("%s: %v", tt.detailType, err)
			continue
		}
		if e.Type != event.MeasureReadingCreated || string(e.Data) != reading {
			t.Errorf("%s: got %s with %s, want measure.reading_created with %s", tt.detailType, e.Type, e.Data, reading)
		}
	}
}

func TestFromBusRefuses(t *testing.T) {
	t.Parallel()
	without := func(field string) string {
		var detail map[string]any
		if err := json.Unmarshal([]byte(resumed), &detail); err != nil {
			t.Fatal(err)
		}
		delete(detail, field)
		text, err := json.Marshal(detail)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	keys := func(count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, `,"k%d":%d`, i, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	deep := func(n int) string { return with(`"deep":` + strings.Repeat("[", n) + strings.Repeat("]", n)) }
	tests := []struct {
		name, id, detailType, detail string
		at                           time.Time
		reason, field, rule          string
	}{
		{name: "no tenant", detail: without("tenantId"), reason: "tenant_missing", field: "tenantId", rule: "required"},
		{name: "null for a tenant", detail: strings.Replace(resumed, `"acme"`, "null", 1), reason: "tenant_missing", field: "tenantId", rule: "required"},
		{name: "empty tenant", detail: strings.Replace(resumed, `"acme"`, `""`, 1), reason: "tenant_missing", field: "tenantId", rule: "required"},
		{name: "number for a tenant", detail: strings.Replace(resumed, `"acme"`, "42", 1), reason: "invalid_payload", field: "tenantId", rule: "type"},
		{name: "tenant of 257 bytes in 129 characters", detail: strings.Replace(resumed, "acme", "t"+strings.Repeat("é", 128), 1), reason: "invalid_payload", field: "tenantId", rule: "length"},
		{name: "control character in a tenant", detail: strings.Replace(resumed, "acme", `ac\u0000me`, 1), reason: "invalid_payload", field: "tenantId", rule: "characters"},

		{name: "unknown type", detailType: "goal.exploded", detail: resumed, reason: "unknown_type", field: "detail-type", rule: "known"},
		{name: "a control message's type", detailType: "pong", detail: resumed, reason: "unknown_type", field: "detail-type", rule: "known"},
		{name: "no type", detailType: "-", detail: resumed, reason: "unknown_type", field: "detail-type", rule: "known"},
		{name: "a type in other case", detailType: "Goal.Resumed", detail: resumed, reason: "unknown_type", field: "detail-type", rule: "known"},
		{name: "half hyphenated", detailType: "action.status-changed", detail: resumed, reason: "unknown_type", field: "detail-type", rule: "known"},

		{name: "nothing", detail: "", reason: "malformed_detail", rule: "json"},
		{name: "broken JSON", detail: resumed[:len(resumed)-1], reason: "malformed_detail", rule: "json"},
		{name: "two values", detail: resumed + resumed, reason: "malformed_detail", rule: "json"},
		{name: "NaN", detail: with(`"n":NaN`), reason: "malformed_detail", rule: "json"},
		{name: "an array", detail: "[]", reason: "malformed_detail", rule: "object"},
		{name: "a string", detail: `"goal"`, reason: "malformed_detail", rule: "object"},
		{name: "null", detail: "null", reason: "malformed_detail", rule: "object"},
		{name: "not UTF-8", detail: with("\"s\":\"\xff\""), reason: "malformed_detail", rule: "utf8"},
		{name: "a key twice", detail: with(`"goalId":"g1"`), reason: "malformed_detail", field: "goalId", rule: "duplicate"},
		{name: "a key twice further down", detail: with(`"list":[{"a":1},{"b":{"c":1,"c":1}}]`), reason: "malformed_detail", field: "list[1].b.c", rule: "duplicate"},
		{name: "1,001 keys in one object", detail: keys(1001), reason: "malformed_detail", rule: "keys"},
		{name: "33 levels", detail: deep(32), reason: "malformed_detail", field: "deep" + strings.Repeat("[0]", 31), rule: "depth"},
		{name: "a million levels", detail: deep(1_000_000), reason: "malformed_detail", rule: "json"},
		{name: "a number no float64 holds", detail: with(`"n":[1,1e999]`), reason: "malformed_detail", field: "n[1]", rule: "number"},

		{name: "a field is missing", detail: without("resumedBy"), reason: "invalid_payload", field: "resumedBy", rule: "required"},
		{name: "two spellings that differ", detail: with(`"goal_id":"g2"`), reason: "invalid_payload", field: "goalId", rule: "conflict"},
		{name: "two spellings that differ further down", detail: with(`"x":{"a_b":1,"aB":1.0}`), reason: "invalid_payload", field: "x.aB", rule: "conflict"},
		{name: "a local time", detail: strings.Replace(resumed, "00.000Z", "00.000", 1), reason: "invalid_payload", field: "resumedAt", rule: "timestamp"},
		{name: "a time of the year 10000 in UTC", detail: strings.Replace(resumed, "2026-03-02T08:15:00.000Z", "9999-12-31T23:59:59-01:00", 1), reason: "invalid_payload", field: "resumedAt", rule: "timestamp"},

		{name: "an empty eventId", detail: with(`"eventId":""`), reason: "invalid_payload", field: "eventId", rule: "length"},
		{name: "a number for an eventId", detail: with(`"eventId":5`), reason: "invalid_payload", field: "eventId", rule: "type"},
		{name: "an eventId of 257 bytes", detail: with(`"eventId":"` + strings.Repeat("e", 257) + `"`), reason: "invalid_payload", field: "eventId", rule: "length"},
		{name: "an eventId that SQS would refuse in a body", detail: with(`"eventId":"e\uffff"`), reason: "invalid_payload", field: "eventId", rule: "characters"},
		{name: "no eventId and none of the bus", id: "-", detail: resumed, reason: "invalid_payload", field: "eventId", rule: "length"},
		{name: "a correlationId of 129 characters", detail: with(`"correlationId":"` + strings.Repeat("é", 129) + `"`), reason: "invalid_payload", field: "correlationId", rule: "length"},
		{name: "an empty correlationId", detail: with(`"correlationId":""`), reason: "invalid_payload", field: "correlationId", rule: "length"},
		{name: "a day for a time", detail: with(`"occurredAt":"2026-03-02"`), reason: "invalid_payload", field: "occurredAt", rule: "timestamp"},
		{name: "a number for a time", detail: with(`"occurredAt":1772439300`), reason: "invalid_payload", field: "occurredAt", rule: "type"},
		{name: "no time and none of the bus", at: time.Time{}.Add(-1), detail: resumed, reason: "invalid_payload", field: "occurredAt", rule: "timestamp"},

		{name: "a megabyte of members", detail: "{" + strings.TrimSuffix(strings.Repeat(`"":0,`, 200_000), ",") + "}", reason: "malformed_detail", field: "*", rule: "duplicate"},
		{name: "a megabyte of text", detail: with(`"s":"` + strings.Repeat("s", 1_000_000) + `"`), reason: "frame_too_large", rule: "size"},
		{name: "what is too large is read no further", detail: with(`"s":"` + strings.Repeat("s", 2*event.MaxFrameBytes) + `","goalId":"g1"`), reason: "frame_too_large", rule: "size"},
		{name: "a megabyte of small numbers", detail: with(`"n":[` + strings.Repeat("0,", 500_000) + `0]`), reason: "frame_too_large", rule: "size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.detailType == "" {
				tt.detailType = "goal.resumed"
			}
			if tt.at.IsZero() {
				tt.at = busTime
			} else {
				tt.at = time.Time{}
			}
			id := busID
			if tt.id == "-" {
				id = ""
			}
			_, err := event.FromBus(id, tt.detailType, tt.at, []byte(tt.detail))
			var refusal *event.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("FromBus = %v, want a refusal", err)
			}
			if refusal.Reason != tt.reason || refusal.Field != tt.field || refusal.Rule != tt.rule {
				t.Errorf("refused as %s, field %q, rule %s; want %s, field %q, rule %s", refusal.Reason, refusal.Field, refusal.Rule, tt.reason, tt.field, tt.rule)
			}
			if text := err.Error(); !strings.Contains(text, tt.field) && tt.field != "" || !strings.Contains(text, tt.rule) {
				t.Errorf("Error() = %q, want it to name field and rule", text)
			}
		})
	}
}

// A refusal goes to logs, metrics and message attributes: it must not carry what the producer wrote.
func TestRefusalRepeatsNoValue(t *testing.T) {
	t.Parallel()
	for _, detail := range []string{
		with(`"eventId":["hunter2"]`), with(`"occurredAt":"hunter2"`), with(`"title":{"a":"hunter2"}`),
		with(`"hunter2\u0000\n":1,"hunter2\u0000\n":2`), with(`"` + strings.Repeat("hunter2", 20) + `":{"a":1,"a":2}`), `{"tenantId":"acme","goalId":"hunter2"`,
		strings.Replace(resumed, `"u1"`, `{"name":"hunter2"}`, 1), strings.Replace(resumed, "acme", `hunter2\u0001`, 1),
	} {
		_, err := event.FromBus(busID, "goal.resumed", busTime, []byte(detail))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("FromBus(%.60s) = %v, want a refusal without the value", detail, err)
		}
	}
	if _, err := event.FromBus(busID, "goal.hunter2", busTime, []byte(resumed)); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("FromBus of an unknown type = %v, want a refusal without the type", err)
	}
}

func TestFrameLimitCountsTheLargestNumber(t *testing.T) {
	t.Parallel()
	sized := func(n int) string { return with(`"s":"` + strings.Repeat("é<", n/3) + strings.Repeat("x", n%3) + `"`) }
	e, err := event.FromBus(busID, "goal.resumed", busTime, []byte(sized(3)))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := e.Envelope(event.MaxSequence)
	if err != nil {
		t.Fatal(err)
	}
	room := event.MaxFrameBytes - len(frame)
	if e, err = event.FromBus(busID, "goal.resumed", busTime, []byte(sized(3+room))); err != nil {
		t.Fatalf("an event whose frame is just full: %v", err)
	}
	if frame, err = e.Envelope(event.MaxSequence); err != nil || len(frame) != event.MaxFrameBytes {
		t.Fatalf("Envelope = %d bytes, %v; want %d", len(frame), err, event.MaxFrameBytes)
	}
	_, err = event.FromBus(busID, "goal.resumed", busTime, []byte(sized(4+room)))
	var refusal *event.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != event.RefusedFrameTooLarge {
		t.Errorf("one byte more: %v, want frame_too_large", err)
	}
}
