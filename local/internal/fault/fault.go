// Package fault makes the local AWS fail on demand: what AWS does once a month, a test needs now.
//
// Every AWS call of a function goes through the stack's port, so faults stand there, in front of the imitations, which know nothing of
// them. A fault applies to the calls that match it, so many times, in the order in which faults were added; a call meets at most one.
//
//	POST   /_local/faults   {"target":"table","match":"TransactWriteItems","answer":"conflict","times":3}   adds one
//	GET    /_local/faults   lists those left, with how often each has struck
//	DELETE /_local/faults   removes all
package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Fault is what happens to calls that match.
type Fault struct {
	// Target is what fails: "table" (DynamoDB), "connections" (@connections), "function" (Lambda's Invoke API) or "queue" (SQS).
	Target string `json:"target"`
	// Match must be part of the call's name: "TransactWriteItems Events", "POST R1kmxc2VNjMCFIA=", "PusherFunction",
	// "SendMessage TenantQueue". Empty matches all of the target.
	Match string `json:"match,omitempty"`
	// Answer is what the caller gets; see Answers. Empty: the real answer, after the delay.
	Answer string `json:"answer,omitempty"`
	// DelayMs is how long the call waits first, in milliseconds of real time.
	DelayMs int `json:"delayMs,omitempty"`
	// Times is how often it strikes; 0 is once, -1 without end.
	Times int `json:"times,omitempty"`

	Struck int `json:"struck"` // how often it has
}

// The answers of any target: nothing of the call is done, or all of it is and its answer is lost.
const (
	Hang = "hang" // no answer until the caller gives up
	Drop = "drop" // the connection is cut without an answer; nothing is done
	Lose = "lose" // the call is done, the connection is cut without the answer
)

// maxDelay bounds a delay: a forgotten fault must not hold a stack for ever.
const maxDelay = 10 * time.Minute

// answers says for each target which answers there are.
func answers(target string) map[string]func(http.ResponseWriter) {
	switch target {
	case "table":
		return map[string]func(http.ResponseWriter){
			"throttle": aws(400, "com.amazonaws.dynamodb.v20120810#ThrottlingException", "Rate of requests exceeds the allowed throughput."),
			"conflict": conflict,
			"error":    aws(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error"),
			"denied":   aws(400, "com.amazon.coral.service#AccessDeniedException", "User is not authorized to perform this operation"),
		}
	case "connections":
		return map[string]func(http.ResponseWriter){
			"410": gateway(410, "GoneException"), "429": gateway(429, "LimitExceededException"),
			"500": gateway(500, "InternalServerErrorException"), "403": gateway(403, "ForbiddenException"),
			"vanish": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, // 200, and nothing arrives
		}
	case "function":
		return map[string]func(http.ResponseWriter){
			"throttle": lambda(429, "TooManyRequestsException", "Rate Exceeded."),
			"error":    lambda(500, "ServiceException", "the service failed"),
			"panic": func(w http.ResponseWriter) { // as if it had, before it did anything
				w.Header().Set("X-Amz-Function-Error", "Unhandled")
				_, _ = w.Write([]byte(`{"errorMessage":"panic","errorType":"errorString"}`))
			},
		}
	case "queue":
		return map[string]func(http.ResponseWriter){
			"throttle": aws(400, "com.amazonaws.sqs#RequestThrottled", "The request was denied due to request throttling."),
			"error":    aws(500, "com.amazonaws.sqs#InternalError", "The service failed."),
		}
	}
	return nil
}

func aws(status int, kind, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
	}
}

// conflict is what a transaction gets that meets another one: the engine itself never answers it.
func conflict(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":             "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
		"CancellationReasons": []map[string]string{{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}},
	})
}

func gateway(status int, kind string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("X-Amzn-Errortype", kind)
		w.WriteHeader(status)
	}
}

func lambda(status int, kind, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("X-Amzn-Errortype", kind)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message})
	}
}

// Kill, for functions: the call is made, and after the delay every process of the function is killed.
const Kill = "kill"

// check says what is wrong with a fault.
func (f Fault) check() error {
	known := answers(f.Target)
	if known == nil {
		return fmt.Errorf("target is %q, not table, connections, function or queue", f.Target)
	}
	names := []string{Hang, Drop, Lose}
	if f.Target == "function" {
		names = append(names, Kill)
	}
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	switch {
	case f.Answer != "" && !slices.Contains(names, f.Answer):
		return fmt.Errorf("answer is %q; a %s has %s", f.Answer, f.Target, strings.Join(names, ", "))
	case f.DelayMs < 0 || time.Duration(f.DelayMs)*time.Millisecond > maxDelay:
		return fmt.Errorf("delayMs is %d, not from 0 to %d", f.DelayMs, maxDelay.Milliseconds())
	case f.Answer == "" && f.DelayMs == 0:
		return fmt.Errorf("a fault needs an answer or a delay")
	case f.Times < -1:
		return fmt.Errorf("times is %d: give how often, or -1", f.Times)
	}
	return nil
}

// Faults are those of one stack. The zero Faults are none.
type Faults struct {
	mu   sync.Mutex
	list []*Fault
}

// Add adds a fault.
func (s *Faults) Add(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Times == 0 {
		f.Times = 1
	}
	f.Struck = 0
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, &f)
	return nil
}

// List returns the faults that can still strike.
func (s *Faults) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, len(s.list))
	for i, f := range s.list {
		list[i] = *f
	}
	return list
}

// Clear removes all faults. Calls that one holds go on waiting.
func (s *Faults) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
}

// take returns the fault that a call meets.
func (s *Faults) take(target, call string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.list {
		if f.Target != target || !strings.Contains(call, f.Match) {
			continue
		}
		f.Struck++
		if f.Times > 0 && f.Struck >= f.Times {
			s.list = slices.Delete(s.list, i, i+1)
		}
		return *f, true
	}
	return Fault{}, false
}

// any says whether there is a fault of the target at all: without, a call costs nothing.
func (s *Faults) any(target string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.list, func(f *Fault) bool { return f.Target == target })
}
