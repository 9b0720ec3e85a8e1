package bus

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzPattern: any pattern compiles or is refused with a reason, and a compiled one compares with any event.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"source":[{"prefix":"a"}],"detail":{"$or":[{"n":[{"numeric":[">",0,"<=",5]}]},{"s":[{"anything-but":{"wildcard":"*x*"}}]}]}}`, `{"source":"ab","detail":{"n":3}}`},
		{`{"a.b":[{"exists":false},{"cidr":"::/0"},null,1,true]}`, `{"a":[{"b":[1,[2]]},{}]}`},
		{`{"s":[{"suffix":{"equals-ignore-case":"É"}},{"equals-ignore-case":"ß"}]}`, `{"s":"\ud800"}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, text, event []byte) {
		p, err := compile(text)
		if err != nil {
			var refused *patternError
			if !errors.As(err, &refused) || refused.reason == "" {
				t.Errorf("%s: %v", text, err)
			}
			return
		}
		value, err := decode(event)
		if members, ok := value.(map[string]any); ok && err == nil {
			if first, again := p.match(members), p.match(members); first != again {
				t.Errorf("%s and %s: %v, then %v", text, event, first, again)
			}
		}
	})
}

// FuzzCall feeds any operation any bytes: it answers or refuses with a *refusal, and what it answers is JSON.
func FuzzCall(f *testing.F) {
	for _, seed := range [][2]string{
		{"PutEvents", `{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"a\":1}","Time":1.5,"Resources":["r"],"EventBusName":"Events"},{}]}`},
		{"PutEvents", `{"Entries":[{"Source":"s","DetailType":"t","Detail":"{}","Time":"2026-01-01T00:00:00Z"}]}`},
		{"TestEventPattern", `{"EventPattern":"{\"a\":[1]}","Event":"{\"a\":1}"}`},
		{"ListEventBuses", `{"NamePrefix":"d"}`},
		{"DescribeEventBus", `{"Name":"nowhere"}`},
		{"ListRules", `{}`},
		{"PutRule", `{}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	b := open(f, Config{})
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		answer, err := b.run(operation, body)
		var refused *refusal
		if err != nil && (!errors.As(err, &refused) || refused.code == "" || refused.message == "") {
			t.Errorf("%s refused with %#v", operation, err)
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Errorf("%s answered %#v: %v", operation, answer, err)
		}
	})
}

// FuzzEnvelope: whatever an entry says, a target gets valid JSON that says the same, with the detail byte for byte.
func FuzzEnvelope(f *testing.F) {
	f.Add("s", "<t> & \u2028", `{"a": "<&>" }`)
	f.Add("é", "\x00", `{"a":1}`)
	f.Fuzz(func(t *testing.T, source, detailType, detail string) {
		if !utf8.ValidString(source) || !utf8.ValidString(detailType) {
			t.Skip("what JSON brought is UTF-8")
		}
		if _, refused := (entry{Source: source, DetailType: detailType, Detail: detail}).check(); refused.ErrorCode != "" {
			t.Skip()
		}
		text := event{Source: source, DetailType: detailType, Detail: detail, Resources: []string{source}}.json()
		var got struct {
			Source     string
			DetailType string `json:"detail-type"`
			Detail     json.RawMessage
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if string(got.Detail) != strings.Trim(detail, " \t\r\n") || got.DetailType != detailType || got.Source != source {
			t.Errorf("%s says %+v", text, got)
		}
	})
}

// FuzzExpression: any schedule expression is refused or gives times that lie ahead.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"rate(5 minutes)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(0 0 LW 2/3 ? 2028,2030)", "cron(1 2 ? 3 6#5 *)", "at(2030-01-01T00:00:00)"} {
		f.Add(seed, int64(1_800_000_000))
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		e, err := parseExpression(text, zone, false)
		if err != nil || unix < 0 || unix > 1<<33 {
			return
		}
		begin := time.Unix(unix, 0)
		for after, i := begin, 0; i < 3; i++ {
			at, ok := e.next(begin, after)
			if ok && !at.After(after) {
				t.Fatalf("%s after %v is %v", text, after, at)
			}
			after = at
		}
	})
}
