// Package bus is the local EventBridge and what stands behind it: event buses with their rules, schedules, and Lambda's
// queue of asynchronous invocations.
//
// Guarantees:
//   - PutEvents answers as soon as its events are accepted; nothing waits for a function.
//   - Every event that a rule matches reaches each of the rule's targets at least once, or a dead-letter queue, or the log
//     says that it is dropped and why. Order is not promised, as on AWS.
//   - A function is invoked asynchronously, by Lambda's rules: a function error is repeated MaximumRetryAttempts times after
//     1 and 2 minutes; a throttled or unreachable Lambda is asked again after 1 s, 2 s, … 5 min; after MaximumEventAge or
//     the last attempt the OnFailure queue gets Lambda's record. At most ten invocations of a function run at a time, first
//     come first served.
//   - The backlog is bounded (100,000 invocations, 256 MiB); beyond it an entry of PutEvents gets ThrottlingException.
//   - All delays and schedules run on the clock of the Config. Nothing polls.
//
// Different on purpose: buses, rules and schedules come from the template and can't be created or changed; nothing is
// persisted: Close drops the backlog and says how much; a wildcard pattern is never "too complex".
//
// The caller routes every request whose X-Amz-Target begins with "AWSEvents." to ServeHTTP, gives invocations of type Event
// to Async, calls Run for the schedules, and Close in the end.
package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/template"
)

// An Invoker calls a function and waits for its answer. An error means that it was not called; a *lambda.Error says
// whether trying again helps.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error)
}

// A Sender puts a message into a queue. An error with a method Retryable() bool that says true is tried again.
type Sender interface {
	Send(ctx context.Context, queue string, m queue.Message) (id string, err error)
}

// Config is what New needs. Clock may be nil (real time).
type Config struct {
	Buses     []template.Bus
	Rules     []template.Rule
	Schedules []template.Schedule
	Functions []template.Function // their Async
	Invoker   Invoker
	Queues    Sender
	Clock     *clock.Clock
	Log       *slog.Logger
	Region    string
	AccountID string
}

// defaultBus always exists.
const defaultBus = "default"

// A Bus is all event buses of a stack. Its methods may be called from several goroutines.
type Bus struct {
	cfg       Config
	names     []string // of buses, the default one first
	rules     []*rule
	schedules []schedule
	backlog   *backlog
}

// A rule has its pattern compiled; nil for a rule by schedule alone.
type rule struct {
	template.Rule
	arn     string
	pattern *pattern
	targets []*target
}

// New compiles the patterns and schedules; its error names each rule and schedule that is not valid, and why.
func New(cfg Config) (*Bus, error) {
	b := &Bus{cfg: cfg, names: []string{defaultBus}, backlog: newBacklog(cfg.Functions)}
	known := map[string]bool{defaultBus: true}
	for _, bus := range cfg.Buses {
		if !known[bus.Name] {
			known[bus.Name] = true
			b.names = append(b.names, bus.Name)
		}
	}
	var errs []error
	for _, def := range cfg.Rules {
		if !known[def.Bus] {
			errs = append(errs, fmt.Errorf("rule %s: the event bus %s does not exist", def.ID, def.Bus))
		}
		if err := b.addRule(def); err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", def.ID, err))
		}
	}
	for _, def := range cfg.Schedules {
		if err := b.addSchedule(def); err != nil {
			errs = append(errs, fmt.Errorf("schedule %s: %w", def.ID, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bus) addRule(def template.Rule) error {
	r := &rule{Rule: def, arn: b.arn("events", "rule/"+strings.TrimPrefix(def.Bus+"/", defaultBus+"/")+def.Name)}
	if def.Pattern != nil {
		var err error
		if r.pattern, err = compile(def.Pattern); err != nil {
			return err
		}
	}
	for _, t := range def.Targets {
		if err := b.checkTarget(t); err != nil {
			return err
		}
		r.targets = append(r.targets, b.newTarget(t))
	}
	b.rules = append(b.rules, r)
	if def.Schedule == "" {
		return nil
	}
	if def.Bus != defaultBus {
		return errors.New("a schedule expression is supported only on the default event bus")
	}
	return b.addScheduledRule(r)
}

// arn names a resource of this stack.
func (b *Bus) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, b.cfg.Region, b.cfg.AccountID, resource)
}

// busNamed takes the name or the ARN of a bus; "" is the default one. It is "" if there is no such bus.
func (b *Bus) busNamed(nameOrARN string) string {
	if nameOrARN == "" {
		return defaultBus
	}
	for _, name := range b.names {
		if nameOrARN == name || nameOrARN == b.arn("events", "event-bus/"+name) {
			return name
		}
	}
	return ""
}

// checkTarget refuses a target that is no function of the template. Queues are the Sender's to know.
func (b *Bus) checkTarget(t template.Target) error {
	if t.Queue == "" && b.backlog.functions[t.Function] == nil {
		return fmt.Errorf("the function %s does not exist", t.Function)
	}
	return nil
}

// put gives an event to every target of the rules that it matches. The error is errFull or errClosed, and then no target
// has it.
func (b *Bus) put(bus string, e event) error {
	members, text := e.members(), e.json()
	var deliveries []*delivery
	for _, r := range b.rules {
		if r.Bus == bus && r.Enabled && r.pattern != nil && r.pattern.match(members) {
			deliveries = append(deliveries, r.deliveries(text)...)
		}
	}
	if deliveries == nil {
		b.cfg.Log.Info("event matches no rule with a target", "bus", bus, "source", e.Source, "detailType", e.DetailType, "eventId", e.ID)
	}
	return b.deliver(deliveries)
}

// deliveries are those of one event to the rule's targets.
func (r *rule) deliveries(event []byte) []*delivery {
	var all []*delivery
	origin := map[string]string{"RULE_ARN": r.arn}
	for _, t := range r.targets {
		all = append(all, &delivery{target: t, event: event, origin: origin})
	}
	return all
}

// event is one event in the form that targets get; its JSON is written by hand so that the detail stays byte for byte.
type event struct {
	ID         string
	DetailType string
	Source     string
	Account    string
	Time       string // RFC 3339, whole seconds, UTC
	Region     string
	Resources  []string
	Detail     string         // a JSON object
	detail     map[string]any // the same, decoded
}

func (e event) json() []byte {
	b := append([]byte(`{"version":"0","id":`), encode(e.ID)...)
	for _, member := range [][2]string{
		{"detail-type", e.DetailType}, {"source", e.Source}, {"account", e.Account}, {"time", e.Time}, {"region", e.Region},
	} {
		b = append(b, `,"`+member[0]+`":`...)
		b = append(b, encode(member[1])...)
	}
	b = append(b, `,"resources":[`...)
	for i, resource := range e.Resources {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, encode(resource)...)
	}
	b = append(b, `],"detail":`...)
	return append(append(b, e.Detail...), '}')
}

// members is the event as a pattern sees it.
func (e event) members() map[string]any {
	resources := make([]any, len(e.Resources))
	for i, resource := range e.Resources {
		resources[i] = resource
	}
	return map[string]any{
		"version": "0", "id": e.ID, "detail-type": e.DetailType, "source": e.Source, "account": e.Account, "time": e.Time,
		"region": e.Region, "resources": resources, "detail": e.detail,
	}
}

// encode is JSON without the escapes for HTML. What it is given always marshals: text, numbers, and JSON that was checked.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
