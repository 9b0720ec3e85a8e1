package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// client is AWS's own client of a bus that is served over HTTP.
func client(t testing.TB, cfg Config) (*eventbridge.Client, stack) {
	t.Helper()
	s := open(t, cfg)
	server := httptest.NewServer(s.Bus)
	t.Cleanup(server.Close)
	return eventbridge.New(eventbridge.Options{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		HTTPClient:   server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		RetryMaxAttempts: 1,
	}), s
}

// listening is a configuration whose one rule takes everything of purposepath.* on the bus Events.
func listening(payloads chan<- []byte) Config {
	return Config{
		Buses:     []template.Bus{{Name: "Events"}},
		Functions: []template.Function{function("Broadcaster")},
		Rules:     []template.Rule{domain(`{"source":[{"prefix":"purposepath."}]}`, to("Broadcaster"))},
		Invoker: invoker(func(_ string, payload []byte) (lambda.Result, error) {
			payloads <- payload
			return lambda.Result{}, nil
		}),
	}
}

func TestClientPutsEvents(t *testing.T) {
	t.Parallel()
	payloads := make(chan []byte, 10)
	c, _ := client(t, listening(payloads))
	at := time.Date(2026, 11, 25, 9, 30, 15, 987e6, time.UTC)
	const detail = `{ "title":"<é & "  , "n":1.50}`
	for _, bus := range []string{"Events", "arn:aws:events:eu-west-1:123456789012:event-bus/Events"} {
		out, err := c.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			EventBusName: &bus, Source: aws.String("purposepath.goals"), DetailType: aws.String("goal.created"),
			Detail: aws.String(detail), Time: &at, Resources: []string{"arn:one", "arn:two"},
		}}})
		if err != nil || out.FailedEntryCount != 0 || len(out.Entries) != 1 {
			t.Fatalf("PutEvents = %+v, %v", out, err)
		}
		payload := <-payloads
		want := `{"version":"0","id":"` + *out.Entries[0].EventId + `","detail-type":"goal.created","source":"purposepath.goals",` +
			`"account":"123456789012","time":"2026-11-25T09:30:15Z","region":"eu-west-1","resources":["arn:one","arn:two"],"detail":` + detail + `}`
		if string(payload) != want {
			t.Errorf("payload %s\nwant    %s", payload, want)
		}
		var event events.EventBridgeEvent
		if err := json.Unmarshal(payload, &event); err != nil || !event.Time.Equal(at.Truncate(time.Second)) {
			t.Errorf("aws-lambda-go reads %+v, %v", event, err)
		}
	}
}

func TestRulesThatDoNotTakeAnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const pattern = `{"source":["a"]}`
		rule := func(name, bus string, enabled bool, pattern string) template.Rule {
			r := template.Rule{ID: name, Name: name, Bus: bus, Enabled: enabled, Pattern: []byte(pattern), Targets: []template.Target{toQueue("Plain", "")}}
			r.Targets[0].Input = fmt.Appendf(nil, "%q", name)
			return r
		}
		s := open(t, Config{
			Buses: []template.Bus{{Name: "Events"}},
			Rules: []template.Rule{
				rule("takes it", "Events", true, pattern), rule("other bus", "default", true, pattern),
				rule("disabled", "Events", false, pattern), rule("other source", "Events", true, `{"source":["b"]}`),
			},
		})
		if _, err := s.putEvents(putEventsInput{Entries: []entry{{Source: "a", DetailType: "t", Detail: "{}", EventBusName: "Events"}}}); err != nil {
			t.Fatal(err)
		}
		if got := s.received(t, "Plain"); len(got) != 1 || got[0].Body != `"takes it"` {
			t.Errorf("the queue has %+v, want one event of the rule that takes it", got)
		}
	})
}

func TestEntriesFailAlone(t *testing.T) {
	t.Parallel()
	payloads := make(chan []byte, 10)
	c, _ := client(t, listening(payloads))
	good := types.PutEventsRequestEntry{
		EventBusName: aws.String("Events"), Source: aws.String("purposepath.goals"), DetailType: aws.String("t"), Detail: aws.String(`{"n":0}`),
	}
	change := func(f func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
		e := good
		f(&e)
		return e
	}
	detail := func(text string) types.PutEventsRequestEntry {
		return change(func(e *types.PutEventsRequestEntry) { e.Detail = &text })
	}
	tests := []struct {
		name          string
		entry         types.PutEventsRequestEntry
		code, message string
	}{
		{"no source", change(func(e *types.PutEventsRequestEntry) { e.Source = nil }), "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."},
		{"no detail type", change(func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String("") }), "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."},
		{"no detail", change(func(e *types.PutEventsRequestEntry) { e.Detail = nil }), "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."},
		{"nothing at all", types.PutEventsRequestEntry{}, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."},
		{"AWS's own source", change(func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.s3") }), "NotAuthorizedForSourceException", "Not authorized for the source."},
		{"a detail type of 129 characters", change(func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String(strings.Repeat("é", 129)) }), "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType must be at most 128 characters."},
		{"a detail that is no JSON", detail(`{`), "MalformedDetail", "Detail is malformed."},
		{"a detail that is a string", detail(`"x"`), "MalformedDetail", "Detail is malformed."},
		{"a detail that is an array", detail(`[{}]`), "MalformedDetail", "Detail is malformed."},
		{"a detail with something behind it", detail(`{} {}`), "MalformedDetail", "Detail is malformed."},
		{"an integer over 64 bits", detail(`{"n":9223372036854775808}`), "MalformedDetail", "Detail is malformed."},
		{"a detail of 1001 levels", detail(strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001)), "MalformedDetail", "Detail is malformed."},
		{"the largest integer", detail(`{"n":9223372036854775807,"f":1e300}`), "", ""},
		{"a detail of 1000 levels", detail(strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)), "", ""},
		{"a key given twice", detail(`{"a":1,"a":2}`), "", ""},
		{"a bus that does not exist, as on AWS", change(func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("Nowhere") }), "", ""},
		{"the default bus, which has no rule", change(func(e *types.PutEventsRequestEntry) { e.EventBusName = nil }), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := c.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{good, tt.entry, good}})
			if err != nil || len(out.Entries) != 3 || out.Entries[0].EventId == nil || out.Entries[2].EventId == nil {
				t.Fatalf("PutEvents = %+v, %v; want the good entries accepted", out, err)
			}
			got := out.Entries[1]
			if tt.code == "" {
				if out.FailedEntryCount != 0 || got.EventId == nil {
					t.Errorf("entry %+v, want it accepted", got)
				}
			} else if out.FailedEntryCount != 1 || got.EventId != nil || aws.ToString(got.ErrorCode) != tt.code || aws.ToString(got.ErrorMessage) != tt.message {
				t.Errorf("entry %s: %s, want %s: %s", aws.ToString(got.ErrorCode), aws.ToString(got.ErrorMessage), tt.code, tt.message)
			}
			<-payloads
			<-payloads
		})
	}
}

func TestRequestsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	c, _ := client(t, listening(make(chan []byte, 100)))
	put := func(entries ...types.PutEventsRequestEntry) func() error {
		return func() error {
			_, err := c.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
			return err
		}
	}
	entry := types.PutEventsRequestEntry{Source: aws.String("s"), DetailType: aws.String("t"), Detail: aws.String("{}")}
	large := func(bytes int) types.PutEventsRequestEntry {
		e := entry
		e.Detail = aws.String(`{"x":"` + strings.Repeat("x", bytes-len(`{"x":""}`)-2) + `"}`)
		return e
	}
	eleven := make([]types.PutEventsRequestEntry, 11)
	for i := range eleven {
		eleven[i] = entry
	}
	tests := []struct {
		name, code, text string // code "" = accepted
		call             func() error
	}{
		{"eleven entries", "ValidationException", "Member must have length less than or equal to 10", put(eleven...)},
		{"no entries", "ValidationException", "Member must have length greater than or equal to 1", put([]types.PutEventsRequestEntry{}...)},
		{"entries that say nothing", "ValidationException", "No entry has a Source, DetailType and Detail.", put(types.PutEventsRequestEntry{}, types.PutEventsRequestEntry{})},
		{"1 MiB", "ValidationException", "Total size of the entries in the request is over the limit.", put(large(1 << 20))},
		{"a byte less", "", "", put(large(1<<20 - 1))},
		{"a byte less with a time", "ValidationException", "Total size", func() error {
			e := large(1<<20 - 1)
			e.Time = aws.Time(time.Now())
			return put(e)()
		}},
		{"no such bus", "ResourceNotFoundException", "Event bus Nowhere does not exist.", func() error {
			_, err := c.DescribeEventBus(t.Context(), &eventbridge.DescribeEventBusInput{Name: aws.String("Nowhere")})
			return err
		}},
		{"rules of no such bus", "ResourceNotFoundException", "Event bus Nowhere does not exist.", func() error {
			_, err := c.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: aws.String("Nowhere")})
			return err
		}},
		{"what the template does", "UnknownOperationException", "The local stack does not do PutRule", func() error {
			_, err := c.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String("{}")})
			return err
		}},
		{"an invalid pattern", "InvalidEventPatternException", `Event pattern is not valid. Reason: "source" must be an object or an array`, func() error {
			_, err := c.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{EventPattern: aws.String(`{"source":"a"}`), Event: aws.String(`{}`)})
			return err
		}},
		{"an event that is none", "ValidationException", "Parameter Event is not valid.", func() error {
			_, err := c.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{EventPattern: aws.String(`{"source":["a"]}`), Event: aws.String(`"x"`)})
			return err
		}},
		{"a pattern of 4097 characters", "ValidationException", "4096", func() error {
			long := `{"source":["` + strings.Repeat("a", 4097-len(`{"source":[""]}`)) + `"]}`
			_, err := c.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{EventPattern: &long, Event: aws.String(`{}`)})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.call()
			if tt.code == "" {
				if err != nil {
					t.Errorf("answer %v, want none", err)
				}
				return
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != tt.code || !strings.Contains(api.ErrorMessage(), tt.text) {
				t.Errorf("answer %v, want %s: …%s", err, tt.code, tt.text)
			}
		})
	}
}

func TestClientReadsBusesAndRules(t *testing.T) {
	t.Parallel()
	cfg := listening(make(chan []byte, 1))
	cfg.Rules = append(cfg.Rules, template.Rule{ID: "Off", Name: "off", Bus: "Events", Pattern: []byte(`{"a":["b"]}`)})
	c, _ := client(t, cfg)
	buses, err := c.ListEventBuses(t.Context(), &eventbridge.ListEventBusesInput{})
	if err != nil || len(buses.EventBuses) != 2 || *buses.EventBuses[0].Name != "default" || *buses.EventBuses[1].Arn != "arn:aws:events:eu-west-1:123456789012:event-bus/Events" {
		t.Errorf("buses %+v, %v", buses, err)
	}
	one, err := c.DescribeEventBus(t.Context(), &eventbridge.DescribeEventBusInput{})
	if err != nil || *one.Name != "default" {
		t.Errorf("the bus without a name is %+v, %v", one, err)
	}
	rules, err := c.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: aws.String("Events")})
	if err != nil || len(rules.Rules) != 2 || rules.Rules[0].State != "ENABLED" || rules.Rules[1].State != "DISABLED" ||
		*rules.Rules[0].Arn != "arn:aws:events:eu-west-1:123456789012:rule/Events/domain-events" || *rules.Rules[1].EventPattern != `{"a":["b"]}` {
		t.Errorf("rules %+v, %v", rules, err)
	}
	got, err := c.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{EventPattern: aws.String(`{"source":["a"]}`), Event: aws.String(`{"source":"a"}`)})
	if err != nil || !got.Result {
		t.Errorf("TestEventPattern = %+v, %v", got, err)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	s := open(t, Config{})
	tests := []struct{ name, method, target, body, kind string }{
		{"no target", "POST", "", "{}", "UnknownOperationException"},
		{"a GET", "GET", "AWSEvents.PutEvents", "", "UnknownOperationException"},
		{"no JSON", "POST", "AWSEvents.PutEvents", "{", "SerializationException"},
		{"a wrong type", "POST", "AWSEvents.PutEvents", `{"Entries":[{"Source":7}]}`, "SerializationException"},
		{"a time that is none", "POST", "AWSEvents.PutEvents", `{"Entries":[{"Time":"soon"}]}`, "SerializationException"},
		{"no entries", "POST", "AWSEvents.PutEvents", `{}`, "ValidationException"},
		{"20 MiB", "POST", "AWSEvents.PutEvents", `{"Entries":[{"Detail":"` + strings.Repeat("x", 20<<20), "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, "/", strings.NewReader(tt.body))
			r.Header.Set("X-Amz-Target", tt.target)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != http.StatusBadRequest || !strings.Contains(string(body), `"__type":"`+tt.kind+`"`) || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
				t.Errorf("%d %v %s, want 400 %s", w.Code, w.Header(), body, tt.kind)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		rule     template.Rule
		schedule template.Schedule
		want     string
	}{
		{name: "a bus that does not exist", rule: template.Rule{ID: "R", Bus: "Nowhere"}, want: "rule R: the event bus Nowhere does not exist"},
		{name: "an invalid pattern", rule: template.Rule{ID: "R", Bus: "default", Pattern: []byte(`{"a":[{"near":1}]}`)}, want: "rule R: Event pattern is not valid. Reason: Unrecognized match type near"},
		{name: "a target that does not exist", rule: template.Rule{ID: "R", Bus: "default", Targets: []template.Target{{Function: "F"}}}, want: "rule R: the function F does not exist"},
		{name: "a schedule on another bus", rule: template.Rule{ID: "R", Bus: "Events", Schedule: "rate(1 hour)"}, want: "rule R: a schedule expression is supported only on the default event bus"},
		{name: "a rule's rate in the wrong number", rule: template.Rule{ID: "R", Bus: "default", Schedule: "rate(1 hours)"}, want: "rule R: the schedule expression rate(1 hours) is not valid: 1 wants the unit in the singular: hour"},
		{name: "a schedule's time zone", schedule: template.Schedule{ID: "S", Expression: "rate(1 hour)", Timezone: "Mars/Olympus"}, want: `schedule S: the time zone "Mars/Olympus" is not known`},
		{name: "a schedule's target", schedule: template.Schedule{ID: "S", Expression: "rate(1 hour)", Target: template.Target{Function: "F"}}, want: "schedule S: the function F does not exist"},
		{name: "a schedule's expression", schedule: template.Schedule{ID: "S", Expression: "every day"}, want: "schedule S: the schedule expression every day is not valid: it is not of the form rate(…), cron(…) or at(…)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Buses: []template.Bus{{Name: "Events"}}}
			if tt.rule.ID != "" {
				cfg.Rules = []template.Rule{tt.rule}
			}
			if tt.schedule.ID != "" {
				cfg.Schedules = []template.Schedule{tt.schedule}
			}
			if _, err := New(cfg); err == nil || err.Error() != tt.want {
				t.Errorf("New = %v, want %s", err, tt.want)
			}
		})
	}
}

// BenchmarkPutEvents is the time from the client's call to that of Invoke, HTTP included.
func BenchmarkPutEvents(b *testing.B) {
	payloads := make(chan []byte)
	c, _ := client(b, listening(payloads))
	in := &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String("Events"), Source: aws.String("purposepath.goals"), DetailType: aws.String("goal.created"),
		Detail: aws.String(fmt.Sprintf(`{"tenantId":"acme","description":%q}`, strings.Repeat("x", 500))),
	}}}
	for b.Loop() {
		go func() {
			if _, err := c.PutEvents(b.Context(), in); err != nil {
				b.Error(err)
			}
		}()
		<-payloads
	}
}

// BenchmarkPut is the same without HTTP.
func BenchmarkPut(b *testing.B) {
	payloads := make(chan []byte)
	s := open(b, listening(payloads))
	in := putEventsInput{Entries: []entry{{
		EventBusName: "Events", Source: "purposepath.goals", DetailType: "goal.created", Detail: `{"tenantId":"acme"}`,
	}}}
	for b.Loop() {
		if _, err := s.putEvents(in); err != nil {
			b.Fatal(err)
		}
		<-payloads
	}
}
