package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // time zones on machines that have none

	"github.com/purposepath/realtime/local/internal/template"
)

// A schedule fires what it has at the times of its expression.
type schedule struct {
	name       string
	expression expression
	immediate  bool // a rate fires when it begins, and not only after its first interval
	fire       func(at time.Time) []*delivery
}

// addScheduledRule: a rule by schedule sends a "Scheduled Event" (EventBridge user guide, "Creating a rule that runs on a
// schedule"). Its times are UTC, and a rate first fires after one interval.
func (b *Bus) addScheduledRule(r *rule) error {
	e, err := parseExpression(r.Schedule, time.UTC, true)
	if err != nil || !r.Enabled {
		return err
	}
	b.schedules = append(b.schedules, schedule{name: r.Name, expression: e, fire: func(at time.Time) []*delivery {
		return r.deliveries(event{
			ID: newID(), DetailType: "Scheduled Event", Source: "aws.events", Account: b.cfg.AccountID,
			Time: b.scheduledTime(at), Region: b.cfg.Region, Resources: []string{r.arn}, Detail: "{}",
		}.json())
	}})
	return nil
}

// addSchedule: EventBridge Scheduler has time zones, and a rate without a start date begins at once (Scheduler user guide,
// "Schedule types").
func (b *Bus) addSchedule(def template.Schedule) error {
	zone, err := time.LoadLocation(def.Timezone)
	if err != nil {
		return fmt.Errorf("the time zone %q is not known", def.Timezone)
	}
	e, err := parseExpression(def.Expression, zone, false)
	if err != nil {
		return err
	}
	if err := b.checkTarget(def.Target); err != nil || !def.Enabled {
		return err
	}
	t := b.newTarget(def.Target)
	input := string(t.Input)
	t.Input = nil // what is sent is also what a dead letter holds
	arn := b.arn("scheduler", "schedule/default/"+def.Name)
	b.schedules = append(b.schedules, schedule{name: def.Name, expression: e, immediate: true, fire: func(at time.Time) []*delivery {
		execution, scheduled := newID(), b.scheduledTime(at)
		payload := []byte(strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", arn, "<aws.scheduler.scheduled-time>", scheduled,
			"<aws.scheduler.execution-id>", execution, "<aws.scheduler.attempt-number>", "1",
		).Replace(input))
		if input == "" {
			payload = event{
				ID: newID(), DetailType: "Scheduled Event", Source: "aws.scheduler", Account: b.cfg.AccountID,
				Time: scheduled, Region: b.cfg.Region, Resources: []string{arn},
				Detail: `"{}"`, // a string: observed on AWS (aws-lambda-java-libs#479, aws-lambda-dotnet#1864)
			}.json()
		}
		return []*delivery{{target: t, event: payload, origin: map[string]string{
			"SCHEDULE_ARN": arn, "SCHEDULED_TIME": scheduled, "EXECUTION_ID": execution, "IS_PAYLOAD_TRUNCATED": "false",
		}}}
	}})
	return nil
}

// scheduledTime is what a function is told, which keeps real time.
func (b *Bus) scheduledTime(at time.Time) string { return wholeSeconds(b.cfg.Clock.World(at)) }

// Run fires the schedules until ctx ends.
func (b *Bus) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, s := range b.schedules {
		running.Go(func() { b.runSchedule(ctx, s) })
	}
	running.Wait()
}

func (b *Bus) runSchedule(ctx context.Context, s schedule) {
	begin := b.cfg.Clock.Now()
	after := begin
	if s.immediate {
		after = begin.Add(-1)
	}
	for {
		// After a machine has slept, what it missed is left out, as a rule does on AWS.
		at, ok := s.expression.next(begin, after)
		if !ok || b.cfg.Clock.Sleep(ctx, at.Sub(b.cfg.Clock.Now())) != nil {
			return
		}
		err := b.deliver(s.fire(at))
		switch {
		case errors.Is(err, errClosed):
			return
		case err != nil:
			b.cfg.Log.Error("schedule missed a time", "schedule", s.name, "time", at, "error", err)
		}
		after = b.cfg.Clock.Now()
		if after.Before(at) { // a fast clock rounds
			after = at
		}
	}
}

// An expression says when a schedule fires next, after a moment. Begin is when the schedule began.
type expression interface {
	next(begin, after time.Time) (at time.Time, ok bool)
}

// parseExpression reads rate(…), cron(…), and for Scheduler at(…). A rule is strict about singular and plural; Scheduler
// takes either.
func parseExpression(text string, zone *time.Location, ofRule bool) (expression, error) {
	kind, rest, _ := strings.Cut(text, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return nil, invalidExpression(text, "it is not of the form rate(…), cron(…) or at(…)")
	}
	var e expression
	var err error
	switch {
	case kind == "rate":
		e, err = parseRate(inner, ofRule)
	case kind == "cron":
		e, err = parseCron(inner, zone)
	case kind == "at" && !ofRule:
		e, err = parseAt(inner, zone)
	default:
		err = fmt.Errorf("%s(…) is not supported", kind)
	}
	if err != nil {
		return nil, invalidExpression(text, err.Error())
	}
	return e, nil
}

func invalidExpression(text, reason string) error {
	return fmt.Errorf("the schedule expression %s is not valid: %s", text, reason)
}

// A rate fires at its begin and every interval thereafter.
type rate time.Duration

func parseRate(text string, strict bool) (expression, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.ParseUint(number, 10, 31)
	unit = strings.TrimSpace(unit)
	if err != nil || n < 1 {
		return nil, errors.New("a rate is a positive whole number and a unit")
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	singular := strings.TrimSuffix(unit, "s")
	length, ok := units[singular]
	switch {
	case !ok:
		return nil, fmt.Errorf("the unit is %q, must be minutes, hours or days", unit)
	case strict && n == 1 && unit != singular:
		return nil, fmt.Errorf("1 wants the unit in the singular: %s", singular)
	case strict && n > 1 && unit == singular:
		return nil, fmt.Errorf("%d wants the unit in the plural: %ss", n, singular)
	case n > uint64(maxRate/length):
		return nil, errors.New("the interval is longer than a year")
	}
	return rate(time.Duration(n) * length), nil
}

// maxRate is the longest interval: AWS names no limit for a rule and a year for Scheduler.
const maxRate = 366 * 24 * time.Hour

func (r rate) next(begin, after time.Time) (time.Time, bool) {
	interval := time.Duration(r)
	if after.Before(begin) {
		return begin, true
	}
	return begin.Add((after.Sub(begin)/interval + 1) * interval), true
}

// once fires at one moment, if it has not passed.
type once time.Time

func parseAt(text string, zone *time.Location) (expression, error) {
	at, err := time.ParseInLocation("2006-01-02T15:04:05", text, zone)
	if err != nil {
		return nil, errors.New("a time is yyyy-mm-ddThh:mm:ss")
	}
	return once(at), nil
}

func (o once) next(_, after time.Time) (time.Time, bool) {
	return time.Time(o), time.Time(o).After(after)
}
