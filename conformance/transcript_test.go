package conformance_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/coder/websocket"

	"github.com/purposepath/realtime/local/localtest"
)

// hurry is how much faster the clock of a stack with a deadline runs: a sweep each second.
const hurry = 60

// A transcript is who sends what and what must come back: client/transcripts/README.md. The client's tests hold its fake and its mock
// server to the same files.
type transcript struct {
	Limits struct{ ReplayEvents, Connections, AuthMs int }
	Let    map[string]any
	Steps  []struct {
		Open, Close, Closed, From, To string
		Code                          websocket.StatusCode
		Send                          any
		Text                          *string
		Get                           []any
		Publish                       map[string]any
	}
}

func TestTheStackAnswersAsTheTranscriptsSay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../client/transcripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var script transcript
			if err := decodeNumbers(text, &script); err != nil {
				t.Fatal(err)
			}
			tenant := tenantOf(t) + "-" + rand.Text() // -count runs it again on the same log
			p := player{t: t, stack: stack, tenant: tenant, speed: 1, sockets: map[string]*socket{}}
			p.names = map[string]any{"tenant": p.tenant}
			maps.Copy(p.names, script.Let)
			p.limit(script)
			p.play(script)
		})
	}
}

// A player plays one transcript.
type player struct {
	t       *testing.T
	stack   *localtest.Stack
	speed   time.Duration
	tenant  string
	sockets map[string]*socket
	names   map[string]any
}

// limit starts a stack of the transcript's own where it sets limits.
func (p *player) limit(script transcript) {
	parameters := map[string]string{}
	for name, value := range map[string]int{
		"ReplayMaxEvents": script.Limits.ReplayEvents, "MaxConnectionsPerUser": script.Limits.Connections, "AuthDeadlineSeconds": script.Limits.AuthMs / 1000,
	} {
		if value > 0 {
			parameters[name] = strconv.Itoa(value)
		}
	}
	if len(parameters) == 0 {
		return
	}
	if script.Limits.AuthMs > 0 {
		p.speed = hurry
	}
	p.stack = localtest.Start(p.t, localtest.Options{Parameters: parameters, Speed: float64(p.speed)})
}

func (p *player) play(script transcript) {
	for i, step := range script.Steps {
		var wrong string
		switch {
		case step.Open != "":
			p.sockets[step.Open] = dial(p.t, p.stack.WebSocketURL)
		case step.Close != "":
			_ = p.sockets[step.Close].conn.Close(websocket.StatusNormalClosure, "")
		case step.Publish != nil:
			p.publish(p.value(step.Publish).(map[string]any))
		case step.Text != nil:
			p.sockets[step.From].send("%s", *step.Text)
		case step.From != "":
			p.sockets[step.From].send("%s", p.text(p.value(step.Send)))
		case step.To != "":
			wrong = p.receive(p.sockets[step.To], step.Get)
		default:
			s := p.sockets[step.Closed]
			if code := s.end(); code != step.Code {
				wrong = fmt.Sprintf("closed with %d", code)
			} else if m, more := <-s.frames; more {
				wrong = fmt.Sprintf("%s %s came before the close", m.Type, m.Data)
			}
		}
		if wrong != "" {
			p.t.Fatalf("step %d: %s", i+1, wrong)
		}
	}
}

func (p *player) text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// publish puts an event as a domain service does: its envelope's fields are beside the payload's.
func (p *player) publish(event map[string]any) {
	detail := maps.Clone(event["data"].(map[string]any))
	for _, name := range []string{"eventId", "occurredAt", "correlationId"} {
		if value, given := event[name]; given {
			detail[name] = value
		}
	}
	newService(p.t, p.stack).putEntries(types.PutEventsRequestEntry{
		EventBusName: aws.String(p.stack.Bus), Source: aws.String("purposepath.goals"), DetailType: aws.String(event["type"].(string)), Detail: aws.String(p.text(detail)),
	})
}

var (
	placeholder = regexp.MustCompile(`^<(.+)>$`)
	counted     = regexp.MustCompile(`^(.+)([+-]\d+)$`)
	tokenOf     = regexp.MustCompile(`^token (\w+)(?: (-?\d+[sh]))?(?: of (\w+))?$`)
	timeNamed   = regexp.MustCompile(`^time( after)?(?: (\w+))?$`)
	timestamp   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// nameIn is the name within a placeholder, "" where the value is none.
func nameIn(value any) string {
	if text, ok := value.(string); ok {
		if found := placeholder.FindStringSubmatch(text); found != nil {
			return found[1]
		}
	}
	return ""
}

// named is what a name stands for, with what is added to it; nil where it has no value yet.
func (p *player) named(name string) any {
	found := counted.FindStringSubmatch(name)
	if found == nil {
		return p.names[name]
	}
	base, err := strconv.ParseInt(fmt.Sprint(p.names[found[1]]), 10, 64)
	by, badBy := strconv.ParseInt(found[2], 10, 64)
	if err != nil || badBy != nil {
		p.t.Fatalf("<%s>: no number yet", name)
	}
	return json.Number(strconv.FormatInt(base+by, 10))
}

// value puts in what the placeholders of a value stand for.
func (p *player) value(v any) any {
	if name := nameIn(v); name != "" {
		if found := tokenOf.FindStringSubmatch(name); found != nil {
			return p.token(found[1], found[2], found[3])
		}
		known := p.named(name)
		if known == nil {
			p.t.Fatalf("<%s> has no value yet", name)
		}
		if text, ok := known.(string); ok {
			return text
		}
		return p.value(known)
	}
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = p.value(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, member := range v {
			object[key] = p.value(member)
		}
		return object
	}
	return v
}

func (p *player) token(user, life, other string) string {
	tenant, lasts := p.tenant, time.Hour
	if other != "" {
		tenant += "-" + other
	}
	if life != "" {
		var err error
		if lasts, err = time.ParseDuration(life); err != nil {
			p.t.Fatal(err)
		}
	}
	return p.stack.Token(p.t, tenant, user, lasts*p.speed) // the functions keep real time
}

// receive compares the next messages with those wanted: the events in their order, and the control messages in theirs.
func (p *player) receive(s *socket, wanted []any) string {
	var got []any
	for len(got) < len(wanted) {
		var m any
		if err := decodeNumbers(s.next().frame, &m); err != nil {
			p.t.Fatal(err)
		}
		got = append(got, m)
	}
	isEvent := func(m any) bool {
		object, _ := m.(map[string]any)
		return object["eventId"] != nil || object["type"] == "batch"
	}
	isControl := func(m any) bool { return !isEvent(m) }
	for _, drop := range []func(any) bool{isControl, isEvent} {
		these, those := slices.DeleteFunc(slices.Clone(got), drop), slices.DeleteFunc(slices.Clone(wanted), drop)
		if len(these) != len(those) {
			return "got " + p.text(got)
		}
		for i := range those {
			if wrong := p.differs(those[i], these[i], "the message"); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// differs says what is wrong with a value, "" where nothing is. It gives values to names that have none.
func (p *player) differs(want, got any, at string) string {
	wrong := func(expected any) string { return fmt.Sprintf("%s is %s, not %v", at, p.text(got), expected) }
	if name := nameIn(want); name != "" {
		text, isText := got.(string)
		stamp := timeNamed.FindStringSubmatch(name)
		switch {
		case name == "text":
			if text == "" {
				return wrong("a text")
			}
		case stamp != nil && (!isText || !timestamp.MatchString(text)):
			return wrong("a timestamp of the protocol")
		case stamp != nil && stamp[1] != "":
			if text <= fmt.Sprint(p.names[stamp[2]]) {
				return wrong(fmt.Sprintf("later than %v", p.names[stamp[2]]))
			}
		case stamp != nil:
			if stamp[2] != "" {
				p.names[stamp[2]] = got
			}
		case p.named(name) == nil:
			if got == nil {
				return wrong("there")
			}
			p.names[name] = got
		default:
			return p.differs(p.named(name), got, at)
		}
		return ""
	}
	switch want := want.(type) {
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return wrong(fmt.Sprintf("an array of %d", len(want)))
		}
		for i := range want {
			if wrong := p.differs(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		for key := range object {
			if _, expected := want[key]; !expected {
				return fmt.Sprintf("%s has %s: %s", at, key, p.text(got))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if wrong := p.differs(want[key], object[key], at+"."+key); wrong != "" {
				return wrong
			}
		}
	default:
		if !reflect.DeepEqual(want, got) {
			return wrong(p.text(want))
		}
	}
	return ""
}

// decodeNumbers keeps numbers as they are written: sequences don't fit every float.
func decodeNumbers(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}
