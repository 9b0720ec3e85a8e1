package template

import (
	"encoding/json"
	"slices"
	"time"
)

// readRule reads an AWS::Events::Rule.
func (l *loader) readRule(r *resource) {
	p := l.propertiesOf(r)
	rule := Rule{
		ID: r.id, Name: l.name(r), Bus: l.busIn(p),
		Schedule: p.text("ScheduleExpression"),
		Enabled:  p.choice("State", "ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS") != "DISABLED",
	}
	if pattern := p.value("EventPattern"); pattern != nil {
		if pattern.kind != objectKind || len(pattern.fields) == 0 {
			p.problem("EventPattern", "the pattern of %s must be a map that is not empty", r.id)
			return
		}
		rule.Pattern = pattern.json()
	}
	if rule.Pattern == nil && rule.Schedule == "" {
		l.problems.add(r.line, "the rule %s has neither a pattern nor a schedule", r.id)
	}
	for _, t := range p.objects("Targets") {
		if target, ok := l.readTarget(r, t); ok {
			rule.Targets = append(rule.Targets, target)
		}
	}
	l.stack.Rules = append(l.stack.Rules, rule)
}

// busIn is the name of the bus that a rule names by name or ARN. A bus that exists outside the template exists here too.
func (l *loader) busIn(p properties) string {
	name := p.text("EventBusName")
	if fromName, ok := fromARN(name, "events", "event-bus/"); ok {
		name = fromName
	}
	if name == "" || name == "default" {
		return "default"
	}
	if !slices.ContainsFunc(l.stack.Buses, func(b Bus) bool { return b.Name == name }) {
		l.stack.Buses = append(l.stack.Buses, Bus{Name: name})
	}
	return name
}

// readSchedule reads an AWS::Scheduler::Schedule.
func (l *loader) readSchedule(r *resource) {
	p := l.propertiesOf(r)
	s := Schedule{
		ID: r.id, Name: l.name(r),
		Expression: p.required("ScheduleExpression"),
		Timezone:   p.text("ScheduleExpressionTimezone"),
		Enabled:    p.choice("State", "ENABLED", "DISABLED") == "ENABLED",
	}
	if s.Timezone == "" {
		s.Timezone = "UTC"
	}
	for _, key := range []string{"StartDate", "EndDate"} {
		if p.has(key) {
			l.notes.add(p.lineOf(key), "%s of %s is not observed here", key, r.id)
		}
	}
	target, ok := l.readTarget(r, p.object("Target"))
	if !ok {
		return
	}
	s.Target = target
	l.stack.Schedules = append(l.stack.Schedules, s)
}

// readTarget reads the target of a rule or a schedule; false if it is not a function or queue of this template.
func (l *loader) readTarget(r *resource, p properties) (Target, bool) {
	retry := p.object("RetryPolicy")
	t := Target{
		RetryAttempts:   retry.number("MaximumRetryAttempts", 185, 0, 185),
		MaximumEventAge: retry.seconds("MaximumEventAgeInSeconds", 24*time.Hour, 60, 86_400),
		MessageGroupID:  p.object("SqsParameters").text("MessageGroupId"),
	}
	arn := p.required("Arn")
	if name, ok := fromARN(arn, "lambda", "function:"); ok && l.functionByName(name) != nil {
		t.Function = name
	} else if name, ok := fromARN(arn, "sqs", ""); ok && l.queueByName(name) != nil {
		t.Queue = name
		if l.queueByName(name).FIFO != (t.MessageGroupID != "") {
			l.problems.add(p.line, "the target %s of %s needs SqsParameters.MessageGroupId exactly if it is a FIFO queue", name, r.id)
		}
	} else {
		l.notes.add(p.line, "the target %q of %s is no function or queue of this template and is not run here", arn, r.id)
		return t, false
	}
	for _, key := range []string{"InputPath", "InputTransformer"} {
		if p.has(key) {
			l.notes.add(p.lineOf(key), "%s of %s is not run here: the target gets the whole event", key, r.id)
		}
	}
	if input := p.text("Input"); input != "" {
		if !json.Valid([]byte(input)) {
			p.problem("Input", "Input of %s must be JSON", r.id)
		}
		t.Input = json.RawMessage(input)
	}
	if letters := p.object("DeadLetterConfig"); letters.has("Arn") {
		t.DeadLetterQueue = l.queueIn(letters, "Arn")
	}
	return t, true
}
