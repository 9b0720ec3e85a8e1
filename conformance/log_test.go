package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/localtest"
)

// payloadMark stands in every payload that the tests put, and must stand in no log.
const payloadMark = "payload-that-no-log-may-hold"

// functionSuffix: the functions write JSON; the other lines are the stack's.
const functionSuffix = "Function"

// dimensions are those that metrics may have: each value of one is a metric of its own.
var dimensions = []string{"function", "reason", "code"}

// logProblems reads every line of a stack and says what must not be there.
func logProblems(s *localtest.Stack) []string {
	var problems []string
	for _, line := range s.Raw() {
		say := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("log of %s: %s: %.300s", line.Function, fmt.Sprintf(format, args...), line.Text))
		}
		for what, mark := range map[string]string{"a payload": payloadMark, "a token": "eyJhbGci", "a stack": "goroutine ", "a secret": "AWS4-HMAC"} {
			if strings.Contains(line.Text, mark) {
				say("it holds %s", what)
			}
		}
		if !strings.HasSuffix(line.Function, functionSuffix) {
			continue
		}
		var fields struct {
			Timestamp, Level, Message, RequestID string
			AWS                                  *struct {
				CloudWatchMetrics []struct{ Dimensions [][]string }
			} `json:"_aws"`
		}
		switch err := json.Unmarshal([]byte(line.Text), &fields); {
		case err != nil:
			// The runtime's own: aws-lambda-go's report of an error, the stack's notes about processes.
			if !slices.ContainsFunc([]string{`{"errorMessage":`, "cold start", "exited", "killed", "timed out"}, func(own string) bool { return strings.Contains(line.Text, own) }) {
				say("it is not JSON (%v)", err)
			}
		case fields.AWS != nil:
			for _, metric := range fields.AWS.CloudWatchMetrics {
				for _, name := range slices.Concat(metric.Dimensions...) {
					if !slices.Contains(dimensions, name) {
						say("its dimension %s is not of the list", name)
					}
				}
			}
		case fields.Level == "" || fields.Message == "" || fields.Timestamp == "":
			say("it lacks timestamp, level or message")
		}
	}
	return problems
}

func TestALineForEachInvocationCarriesTheCorrelationID(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	newService(t, stack).put(tenant, "correlated")
	c.until(s, 1)
	if c.events[0].CorrelationID != "call of correlated" {
		t.Errorf("correlationId = %q", c.events[0].CorrelationID)
	}
	for _, parts := range [][]string{
		{"BroadcasterFunction", "accepted", "call of correlated", "tookMs="},
		{"PusherFunction", "pushed", "call of correlated", "connections=1", "delivered=1", "pushMs="},
		{"AuthFunction", "authenticated", tenant, "tookMs="},
	} {
		for deadline := time.Now().Add(patience); len(stack.LinesWith(parts...)) == 0; {
			if time.Now().After(deadline) {
				t.Errorf("no line with %q", parts)
				break
			}
		}
	}
}

func TestMetricsOfTheWholePath(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	domain := newService(t, stack)
	domain.put(tenant, "e1")
	c.until(s, 1)
	c.position--
	c.events = nil
	c.connect() // one event is replayed
	bad := domain.entry(tenant, "bad")
	bad.Detail = nil
	bad.Detail = new(string)
	*bad.Detail = `{"tenantId":"` + tenant + `"}`
	domain.putEntries(bad)
	dial(t, stack.WebSocketURL).send(`{"action":"auth","token":"x"}`)
	for _, metric := range []string{"eventsAccepted", "eventsRefused", "eventLatency", "postsDelivered", "eventsReplayed", "authFailures"} {
		found := func() bool {
			return slices.ContainsFunc(stack.Raw(), func(l localtest.Line) bool {
				return strings.Contains(l.Text, `"_aws"`) && strings.Contains(l.Text, `"`+metric+`":[`)
			})
		}
		for deadline := time.Now().Add(patience); !found(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("no metric %s", metric)
				break
			}
		}
	}
}
