package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

func TestNextTime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, expression, zone, after string
		want                          []string // "" = never again
	}{
		// Rates count from the begin, which here is after.
		{"every 5 minutes", "rate(5 minutes)", "", "2026-11-25 09:30:20", []string{"2026-11-25 09:35:20", "2026-11-25 09:40:20"}},
		{"every hour", "rate(1 hour)", "", "2026-11-25 09:30:00", []string{"2026-11-25 10:30:00"}},
		{"every 7 days", "rate(7 days)", "", "2026-11-25 09:30:00", []string{"2026-12-02 09:30:00"}},

		// The examples of AWS's guides.
		{"every day at 10:15", "cron(15 10 * * ? *)", "", "2026-11-25 10:15:00", []string{"2026-11-26 10:15:00"}},
		{"weekdays at 18:00", "cron(0 18 ? * MON-FRI *)", "", "2026-11-27 18:00:00", []string{"2026-11-30 18:00:00"}},
		{"the first of a month at 08:00", "cron(0 8 1 * ? *)", "", "2026-11-25 00:00:00", []string{"2026-12-01 08:00:00", "2027-01-01 08:00:00"}},
		{"every 15 minutes", "cron(0/15 * * * ? *)", "", "2026-11-25 09:50:00", []string{"2026-11-25 10:00:00", "2026-11-25 10:15:00"}},
		{"every 10 minutes on weekdays", "cron(0/10 * ? * MON-FRI *)", "", "2026-11-27 23:55:00", []string{"2026-11-30 00:00:00"}},
		{"every 5 minutes in working hours", "cron(0/5 8-17 ? * MON-FRI *)", "", "2026-11-27 17:55:00", []string{"2026-11-30 08:00:00"}},
		{"after midnight on weekdays", "cron(0/30 0-2 ? * MON-FRI *)", "", "2026-11-26 02:30:00", []string{"2026-11-27 00:00:00"}},
		{"last Friday of a month", "cron(15 10 ? * 6L 2022-2027)", "", "2026-11-28 00:00:00", []string{"2026-12-25 10:15:00", "2027-01-29 10:15:00"}},

		{"every minute", "cron(* * * * ? *)", "", "2026-12-31 23:59:30", []string{"2027-01-01 00:00:00", "2027-01-01 00:01:00"}},
		{"lists", "cron(5,35 14 * * ? *)", "", "2026-11-25 14:10:00", []string{"2026-11-25 14:35:00", "2026-11-26 14:05:00"}},
		{"a range with a step", "cron(0 8-18/4 * * ? *)", "", "2026-11-25 08:00:00", []string{"2026-11-25 12:00:00", "2026-11-25 16:00:00", "2026-11-26 08:00:00"}},
		{"a step over all", "cron(*/20 * * * ? *)", "", "2026-11-25 09:41:00", []string{"2026-11-25 10:00:00"}},
		{"names in lower case", "cron(0 0 ? jan,jul sun *)", "", "2026-11-25 00:00:00", []string{"2027-01-03 00:00:00"}},
		{"numbers of weekdays: 1 is Sunday", "cron(0 0 ? * 1 *)", "", "2026-11-25 00:00:00", []string{"2026-11-29 00:00:00"}},
		{"L as a weekday is Saturday", "cron(0 0 ? * L *)", "", "2026-11-25 00:00:00", []string{"2026-11-28 00:00:00"}},
		{"last day of a month", "cron(0 0 L * ? *)", "", "2027-01-31 00:00:00", []string{"2027-02-28 00:00:00", "2027-03-31 00:00:00"}},
		{"last day of a February", "cron(0 0 L 2 ? *)", "", "2027-03-01 00:00:00", []string{"2028-02-29 00:00:00"}},
		{"29 February", "cron(0 0 29 2 ? *)", "", "2026-01-01 00:00:00", []string{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}},
		{"the 31st", "cron(0 0 31 * ? *)", "", "2026-11-25 00:00:00", []string{"2026-12-31 00:00:00", "2027-01-31 00:00:00", "2027-03-31 00:00:00"}},
		{"weekday nearest to a Saturday", "cron(0 9 15W * ? *)", "", "2027-05-01 00:00:00", []string{"2027-05-14 09:00:00"}},
		{"weekday nearest to a Sunday", "cron(0 9 15W * ? *)", "", "2026-11-01 00:00:00", []string{"2026-11-16 09:00:00"}},
		{"weekday nearest to the first, a Saturday", "cron(0 9 1W * ? *)", "", "2027-04-30 12:00:00", []string{"2027-05-03 09:00:00"}},
		{"weekday nearest to the 31st, a Sunday", "cron(0 9 31W * ? *)", "", "2027-01-05 00:00:00", []string{"2027-01-29 09:00:00"}},
		{"weekday nearest to a 31st that is not there", "cron(0 9 31W 2 ? 2027)", "", "2027-01-05 00:00:00", []string{""}},
		{"last weekday of a month", "cron(0 9 LW * ? *)", "", "2026-11-30 09:00:00", []string{"2026-12-31 09:00:00", "2027-01-29 09:00:00"}},
		{"second Tuesday", "cron(0 9 ? * 3#2 *)", "", "2026-11-25 00:00:00", []string{"2026-12-08 09:00:00", "2027-01-12 09:00:00"}},
		{"second Tuesday by name", "cron(0 9 ? * TUE#2 *)", "", "2026-11-25 00:00:00", []string{"2026-12-08 09:00:00"}},
		{"fifth Monday", "cron(0 9 ? * MON#5 *)", "", "2026-11-25 00:00:00", []string{"2026-11-30 09:00:00", "2027-03-29 09:00:00"}},
		{"last Monday by name", "cron(0 9 ? * MONL *)", "", "2026-11-25 00:00:00", []string{"2026-11-30 09:00:00", "2026-12-28 09:00:00"}},
		{"one year", "cron(0 0 1 1 ? 2028)", "", "2026-11-25 00:00:00", []string{"2028-01-01 00:00:00", ""}},
		{"years past", "cron(0 0 1 1 ? 2020-2024)", "", "2026-11-25 00:00:00", []string{""}},
		{"years in steps", "cron(0 0 1 1 ? 2020/5)", "", "2026-11-25 00:00:00", []string{"2030-01-01 00:00:00"}},

		// Time zones; times in UTC.
		{"New York", "cron(0 9 * * ? *)", "America/New_York", "2026-11-25 12:00:00", []string{"2026-11-25 14:00:00"}},
		{"Berlin in summer", "cron(0 9 * * ? *)", "Europe/Berlin", "2026-07-01 12:00:00", []string{"2026-07-02 07:00:00"}},
		{"a local time that is left out", "cron(30 2 * * ? *)", "Europe/Berlin", "2027-03-27 12:00:00", []string{"2027-03-29 00:30:00"}},
		{"a local time that is repeated", "cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24 12:00:00", []string{"2026-10-25 01:30:00", "2026-10-26 01:30:00"}},
		{"at", "at(2026-12-24T18:00:00)", "Europe/Berlin", "2026-11-25 00:00:00", []string{"2026-12-24 17:00:00", ""}},
		{"at, past", "at(2026-01-01T00:00:00)", "", "2026-11-25 00:00:00", []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			e, err := parseExpression(tt.expression, zone, false)
			if err != nil {
				t.Fatal(err)
			}
			begin, err := time.Parse(time.DateTime, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			after := begin
			var got []string
			for range tt.want {
				at, ok := e.next(begin, after)
				if !ok {
					got = append(got, "")
					break
				}
				got = append(got, at.UTC().Format(time.DateTime))
				after = at
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s after %s: %q, want %q", tt.expression, tt.after, got, tt.want)
			}
		})
	}
}

func TestInvalidExpression(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression string
		ofRule     bool
		reason     string
	}{
		{"rate(1 minutes)", true, "1 wants the unit in the singular: minute"},
		{"rate(5 minute)", true, "5 wants the unit in the plural: minutes"},
		{"rate(1 minutes)", false, ""}, // Scheduler takes it
		{"rate(0 minutes)", true, "a rate is a positive whole number and a unit"},
		{"rate(-1 minutes)", true, "a rate is a positive whole number and a unit"},
		{"rate(1.5 hours)", true, "a rate is a positive whole number and a unit"},
		{"rate(5)", true, `the unit is "", must be minutes, hours or days`},
		{"rate(5 weeks)", true, `the unit is "weeks", must be minutes, hours or days`},
		{"rate(367 days)", true, "the interval is longer than a year"},
		{"rate(5 minutes", true, "it is not of the form rate(…), cron(…) or at(…)"},
		{"every(5 minutes)", true, "every(…) is not supported"},
		{"at(2026-01-01T00:00:00)", true, "at(…) is not supported"},
		{"at(tomorrow)", false, "a time is yyyy-mm-ddThh:mm:ss"},
		{"cron(0 0 * * *)", true, "it has 5 fields, must have 6: minutes, hours, day of month, month, day of week, year"},
		{"cron(0 0 * * * *)", true, "exactly one of day of month and day of week must be ?"},
		{"cron(0 0 ? * ? *)", true, "exactly one of day of month and day of week must be ?"},
		{"cron(60 0 * * ? *)", true, `minutes: "60" must be 0 to 59`},
		{"cron(0 24 * * ? *)", true, `hours: "24" must be 0 to 23`},
		{"cron(0 0 32 * ? *)", true, `day of month: "32" must be 1 to 31`},
		{"cron(0 0 0W * ? *)", true, `day of month: "0" must be 1 to 31`},
		{"cron(0 0 * FOO ? *)", true, `month: "FOO" must be 1 to 12`},
		{"cron(0 0 ? * 8 *)", true, `day of week: "8" must be 1 to 7`},
		{"cron(0 0 ? * 2#6 *)", true, `day of week: "6" must be 1 to 5`},
		{"cron(0 0 ? * 9L *)", true, `day of week: "9" must be 1 to 7`},
		{"cron(0 0 ? * 9#1 *)", true, `day of week: "9" must be 1 to 7`},
		{"cron(0 0 * * ? 1969)", true, `year: "1969" must be 1970 to 2199`},
		{"cron(0/0 0 * * ? *)", true, `minutes: the step "0" is not a positive number`},
		{"cron(30-10 0 * * ? *)", true, "minutes: the range 30-10 runs backwards"},
		{"cron(1,,2 0 * * ? *)", true, `minutes: "" must be 0 to 59`},
		{"cron(1-x 0 * * ? *)", true, `minutes: "X" must be 0 to 59`},
	}
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			t.Parallel()
			_, err := parseExpression(tt.expression, time.UTC, tt.ofRule)
			want := "the schedule expression " + tt.expression + " is not valid: " + tt.reason
			if (err == nil) != (tt.reason == "") || err != nil && err.Error() != want {
				t.Errorf("parseExpression = %v\nwant %s", err, want)
			}
		})
	}
}

// fired is one call of a scheduled function.
type fired struct {
	after   time.Duration
	payload string
}

// scheduled runs a bus for a while and returns what its schedules called.
func scheduled(t *testing.T, cfg Config, d time.Duration) []fired {
	t.Helper()
	var calls []fired
	began := time.Now()
	cfg.Functions = []template.Function{function("F")}
	cfg.Invoker = invoker(func(_ string, payload []byte) (lambda.Result, error) {
		calls = append(calls, fired{time.Since(began), string(payload)})
		return lambda.Result{}, nil
	})
	s := open(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	time.Sleep(d)
	cancel()
	<-ended
	synctest.Wait()
	return calls
}

func times(calls []fired) []time.Duration {
	var all []time.Duration
	for _, c := range calls {
		all = append(all, c.after)
	}
	return all
}

func TestSchedulerFiresAtOnceAndThenAtItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := scheduled(t, Config{Schedules: []template.Schedule{
			{ID: "S", Name: "local-sweeper", Expression: "rate(1 minute)", Timezone: "UTC", Enabled: true, Target: to("F")},
			{ID: "Off", Name: "off", Expression: "rate(1 minute)", Timezone: "UTC", Target: to("F")},
		}}, 150*time.Second)
		if got, want := times(calls), []time.Duration{0, time.Minute, 2 * time.Minute}; !slices.Equal(got, want) {
			t.Fatalf("fired after %v, want %v", got, want)
		}
		var event struct {
			ID, Source, Time string
			DetailType       string `json:"detail-type"`
			Resources        []string
			Detail           any
		}
		if err := json.Unmarshal([]byte(calls[1].payload), &event); err != nil {
			t.Fatal(err)
		}
		if event.Source != "aws.scheduler" || event.DetailType != "Scheduled Event" || event.Detail != "{}" || event.Time != "2000-01-01T00:01:00Z" ||
			!slices.Equal(event.Resources, []string{"arn:aws:scheduler:eu-west-1:123456789012:schedule/default/local-sweeper"}) || len(event.ID) != 36 {
			t.Errorf("payload %s", calls[1].payload)
		}
	})
}

func TestSchedulerSendsItsInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := to("F")
		target.Input = []byte(`{"at":"<aws.scheduler.scheduled-time>","try":<aws.scheduler.attempt-number>}`)
		calls := scheduled(t, Config{Schedules: []template.Schedule{
			{ID: "S", Name: "s", Expression: "cron(30 1 * * ? *)", Timezone: "Europe/Berlin", Enabled: true, Target: target},
		}}, 36*time.Hour)
		want := []fired{
			{30 * time.Minute, `{"at":"2000-01-01T00:30:00Z","try":1}`},
			{24*time.Hour + 30*time.Minute, `{"at":"2000-01-02T00:30:00Z","try":1}`},
		}
		if !slices.Equal(calls, want) {
			t.Errorf("fired %v, want %v", calls, want)
		}
	})
}

func TestRuleByScheduleFiresAfterAnInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := scheduled(t, Config{Rules: []template.Rule{
			{ID: "R", Name: "every", Bus: "default", Schedule: "rate(5 minutes)", Enabled: true, Targets: []template.Target{to("F")}},
			{ID: "Off", Name: "off", Bus: "default", Schedule: "rate(1 minute)", Targets: []template.Target{to("F")}},
		}}, 11*time.Minute)
		if got, want := times(calls), []time.Duration{5 * time.Minute, 10 * time.Minute}; !slices.Equal(got, want) {
			t.Fatalf("fired after %v, want %v", got, want)
		}
		if !strings.Contains(calls[0].payload, `"detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","time":"2000-01-01T00:05:00Z",`+
			`"region":"eu-west-1","resources":["arn:aws:events:eu-west-1:123456789012:rule/every"],"detail":{}}`) {
			t.Errorf("payload %s", calls[0].payload)
		}
	})
}

func TestSchedulesFollowTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := scheduled(t, Config{Clock: clock.New(60), Schedules: []template.Schedule{
			{ID: "S", Name: "s", Expression: "rate(1 hour)", Timezone: "UTC", Enabled: true, Target: to("F")},
		}}, 150*time.Second)
		if got, want := times(calls), []time.Duration{0, time.Minute, 2 * time.Minute}; !slices.Equal(got, want) {
			t.Errorf("fired after %v of real time, want %v", got, want)
		}
		if last := calls[len(calls)-1].payload; !strings.Contains(last, `"time":"2000-01-01T00:02:00Z"`) {
			t.Errorf("the function is told %s, want the real time", last)
		}
	})
}

func TestScheduleWhoseTargetCantBeCalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{
			Functions: []template.Function{function("F")}, Invoker: &attempts{outcomes: []outcome{unknown}},
			Schedules: []template.Schedule{{ID: "S", Name: "s", Expression: "at(2000-01-01T00:01:00)", Timezone: "UTC", Enabled: true, Target: to("F")}},
		})
		s.Run(t.Context()) // ends: there is no second time
		synctest.Wait()
		dead := s.received(t, "Dead")
		if len(dead) != 1 || !strings.Contains(dead[0].Body, `"source":"aws.scheduler"`) {
			t.Fatalf("dead letters %+v", dead)
		}
		want := "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/s 2000-01-01T00:01:00Z false NO_RESOURCE"
		a := dead[0].MessageAttributes
		if got := fmt.Sprint(a["SCHEDULE_ARN"].StringValue, " ", a["SCHEDULED_TIME"].StringValue, " ", a["IS_PAYLOAD_TRUNCATED"].StringValue, " ", a["ERROR_CODE"].StringValue); got != want {
			t.Errorf("attributes %s, want %s", got, want)
		}
	})
}
