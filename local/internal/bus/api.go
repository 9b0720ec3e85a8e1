package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxRequestBytes bounds the body of a request: 1 MiB of entries, escaped.
const maxRequestBytes = 16 << 20

// maxPattern is the longest event pattern that TestEventPattern takes, in characters.
const maxPattern = 4096

// A refusal is an error of the API.
type refusal struct{ code, message string }

func (e *refusal) Error() string { return e.code + ": " + e.message }

func validation(format string, args ...any) error {
	return &refusal{"ValidationException", fmt.Sprintf(format, args...)}
}

// ServeHTTP answers one call of the JSON protocol, whatever its path (EventBridge API reference; AWS JSON 1.1).
func (b *Bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := b.call(w, r)
	status := http.StatusOK
	var refused *refusal
	if errors.As(err, &refused) {
		status = http.StatusBadRequest
		answer = map[string]string{"__type": refused.code, "message": refused.message}
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.1")
	header.Set("X-Amzn-Requestid", newID())
	w.WriteHeader(status)
	_, _ = w.Write(encode(answer))
}

// call returns the answer or a *refusal.
func (b *Bus) call(w http.ResponseWriter, r *http.Request) (any, error) {
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AWSEvents.")
	if r.Method != http.MethodPost || !ok {
		return nil, &refusal{"UnknownOperationException", "A call of EventBridge is a POST whose X-Amz-Target begins with AWSEvents."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, validation("Total size of the entries in the request is over the limit.")
		}
		return nil, malformed()
	}
	return b.run(operation, body)
}

// run does one operation.
func (b *Bus) run(operation string, body []byte) (any, error) {
	switch operation {
	case "PutEvents":
		return with(body, b.putEvents)
	case "TestEventPattern":
		return with(body, testEventPattern)
	case "ListEventBuses":
		return with(body, b.listBuses)
	case "DescribeEventBus":
		return with(body, b.describeBus)
	case "ListRules":
		return with(body, b.listRules)
	}
	return nil, &refusal{"UnknownOperationException", "The local stack does not do " + operation + "; its buses and rules come from the template."}
}

// with decodes the input of an operation and does it.
func with[In any](body []byte, operation func(In) (any, error)) (any, error) {
	var in In
	if len(body) == 0 {
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed()
	}
	return operation(in)
}

func malformed() error {
	return &refusal{"SerializationException", "The request is not valid JSON of this operation's shape."}
}

type testPatternInput struct{ EventPattern, Event string }

func testEventPattern(in testPatternInput) (any, error) {
	if len(in.EventPattern) > maxPattern {
		return nil, validation("1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: Member must have length less than or equal to %d", maxPattern)
	}
	p, err := compile([]byte(in.EventPattern))
	if err != nil {
		return nil, &refusal{"InvalidEventPatternException", err.Error()}
	}
	value, err := decode([]byte(in.Event))
	event, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, validation("Parameter Event is not valid.")
	}
	return map[string]bool{"Result": p.match(event)}, nil
}

type busDescription struct{ Name, Arn string }

func (b *Bus) listBuses(in struct{ NamePrefix string }) (any, error) {
	buses := []busDescription{}
	for _, name := range b.names {
		if strings.HasPrefix(name, in.NamePrefix) {
			buses = append(buses, busDescription{name, b.arn("events", "event-bus/"+name)})
		}
	}
	return map[string][]busDescription{"EventBuses": buses}, nil
}

func (b *Bus) describeBus(in struct{ Name string }) (any, error) {
	name := b.busNamed(in.Name)
	if name == "" {
		return nil, noBus(in.Name)
	}
	return busDescription{name, b.arn("events", "event-bus/"+name)}, nil
}

func noBus(name string) error {
	return &refusal{"ResourceNotFoundException", "Event bus " + name + " does not exist."}
}

type ruleDescription struct {
	Name               string
	Arn                string
	EventPattern       string `json:",omitempty"`
	ScheduleExpression string `json:",omitempty"`
	State              string
	EventBusName       string
}

func (b *Bus) listRules(in struct{ EventBusName, NamePrefix string }) (any, error) {
	bus := b.busNamed(in.EventBusName)
	if bus == "" {
		return nil, noBus(in.EventBusName)
	}
	rules := []ruleDescription{}
	for _, r := range b.rules {
		if r.Bus != bus || !strings.HasPrefix(r.Name, in.NamePrefix) {
			continue
		}
		state := "ENABLED"
		if !r.Enabled {
			state = "DISABLED"
		}
		rules = append(rules, ruleDescription{r.Name, r.arn, string(r.Pattern), r.Schedule, state, bus})
	}
	return map[string][]ruleDescription{"Rules": rules}, nil
}
