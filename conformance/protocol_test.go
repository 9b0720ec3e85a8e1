package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/localtest"
)

// refusal is what a client is told, in short.
func refusal(t *testing.T, m message) string {
	t.Helper()
	a := m.answer(t)
	if a.Error == "" {
		t.Errorf("%s %s has no text", m.Type, m.Data)
	}
	return strings.Join([]string{m.Type, a.Code, a.Reason, a.Ref}, " ")
}

func TestWhatIsWrongIsAnsweredAndTheConnectionStays(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	good := stack.Token(t, tenant, "ana", time.Hour)
	parts := strings.Split(good, ".")
	for _, tt := range []struct{ name, send, want string }{
		{"an unknown action", `{"action":"subscribe","ref":"1"}`, "connection_error VALIDATION_ERROR  1"},
		{"a reserved action", `{"action":"publish"}`, "connection_error VALIDATION_ERROR  "},
		{"a system route", `{"action":"$connect"}`, "connection_error VALIDATION_ERROR  "},
		{"no JSON", `hello`, "connection_error VALIDATION_ERROR  "},
		{"broken JSON", `{"action":"auth",`, "connection_error VALIDATION_ERROR  "},
		{"a ping before auth", `{"action":"ping","ref":"1"}`, "connection_error UNAUTHORIZED  1"},
		{"auth without token", `{"action":"auth","ref":"1"}`, "auth.error VALIDATION_ERROR  1"},
		{"a token that is none", `{"action":"auth","token":"x"}`, "auth.error UNAUTHORIZED  "},
		{"a token of another signature", `{"action":"auth","token":"` + parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86) + `"}`, "auth.error UNAUTHORIZED  "},
		{"an expired token", `{"action":"auth","token":"` + stack.Token(t, tenant, "ana", -time.Second) + `"}`, "auth.error UNAUTHORIZED token_expired "},
		{"another protocol", `{"action":"auth","protocol":9,"token":"` + good + `"}`, "auth.error FORBIDDEN upgrade "},
		{"a position that is no number", `{"action":"auth","lastSequence":"5","token":"` + good + `"}`, "auth.error VALIDATION_ERROR  "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, stack.WebSocketURL)
			s.send("%s", tt.send)
			if got := refusal(t, s.next()); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			s.send(`{"action":"auth","token":%q}`, good)
			s.nextOf("auth.success")
		})
	}
}

func TestTheThirdFailureInARowClosesAfterTheAnswer(t *testing.T) {
	t.Parallel()
	s := dial(t, stack.WebSocketURL)
	for i := range 3 {
		s.send(`{"action":"auth","token":"x","ref":"%d"}`, i)
		if got, want := refusal(t, s.next()), fmt.Sprintf("auth.error UNAUTHORIZED  %d", i); got != want {
			t.Errorf("answered %q, want %q", got, want)
		}
	}
	if code := s.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", code)
	}
}

func TestRenewalAndAnotherIdentityOnTheSameConnection(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	newService(t, stack).put(tenant, "e1")
	c.until(s, 1)
	s.send(`{"action":"auth","token":%q,"lastSequence":%d}`, stack.Token(t, tenant, "ana", 2*time.Hour), c.position)
	if a := s.nextOf("auth.success").answer(t); a.Recovered == nil || !*a.Recovered || a.Sequence != c.position {
		t.Errorf("renewal = %+v", a)
	}
	for _, other := range [][2]string{{tenant, "bob"}, {tenant + "-rival", "ana"}} {
		s.send(`{"action":"auth","token":%q}`, stack.Token(t, other[0], other[1], time.Hour))
		if got := refusal(t, s.next()); got != "auth.error FORBIDDEN  " {
			t.Errorf("as %v: answered %q", other, got)
		}
	}
	newService(t, stack).put(tenant, "e2")
	c.until(s, 2)
}

func TestPing(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	newService(t, stack).put(tenant, "e1", "e2", "e3")
	c.until(s, 3)
	s.send(`{"action":"ping","ref":"a"}`)
	if a := s.nextOf("pong").answer(t); a.Sequence != c.position || a.After != nil || a.Recovered != nil || a.Ref != "a" {
		t.Errorf("pong = %+v", a)
	}
	s.send(`{"action":"ping","lastSequence":%d}`, c.position-2)
	var healed []string
	for {
		m := s.next()
		if m.Type == "pong" {
			if a := m.answer(t); a.Recovered == nil || !*a.Recovered || *a.After != c.position-2 {
				t.Errorf("pong = %+v", a)
			}
			break
		}
		healed = append(healed, m.EventID)
	}
	// The answer may overtake what it speaks of.
	for len(healed) < 2 {
		healed = append(healed, s.next().EventID)
	}
	if diff := cmp.Diff(c.ids()[1:], healed); diff != "" {
		t.Errorf("healed (-want +got):\n%s", diff)
	}
}

func TestAConnectionBeyondTheUsersLimitIsReplaced(t *testing.T) {
	t.Parallel()
	limited := localtest.Start(t, localtest.Options{Parameters: map[string]string{"MaxConnectionsPerUser": "2"}})
	var sockets []*socket
	open := func(more string) answer {
		s := dial(t, limited.WebSocketURL)
		sockets = append(sockets, s)
		s.send(`{"action":"auth","token":%q%s}`, limited.Token(t, "acme", "ana", time.Hour), more)
		return s.nextOf("auth.success").answer(t)
	}
	open("")
	second := open("")
	open("") // the first must go
	if got := refusal(t, sockets[0].next()); got != "connection_error FORBIDDEN replaced " {
		t.Errorf("told %q", got)
	}
	if code := sockets[0].end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", code)
	}
	open(`,"replaces":"` + second.ConnectionID + `"`) // the second goes, though the third is not younger
	if got := refusal(t, sockets[1].next()); got != "connection_error FORBIDDEN replaced " {
		t.Errorf("told %q", got)
	}
	for _, s := range sockets[2:] {
		s.send(`{"action":"ping"}`)
		s.nextOf("pong")
	}
}

func TestTheSweeperClosesWhoNeverAuthenticatesAndWhoseTokenRanOut(t *testing.T) {
	t.Parallel()
	// The stack's minute passes in a second, and the ten minutes of idleness in ten; the functions' five seconds are five.
	hurried := localtest.Start(t, localtest.Options{Parameters: map[string]string{"AuthDeadlineSeconds": "5"}, Speed: 60})
	silent, expiring := dial(t, hurried.WebSocketURL), dial(t, hurried.WebSocketURL)
	expiring.send(`{"action":"auth","token":%q}`, hurried.Token(t, "acme", "ana", 5*time.Minute)) // 5 s of the functions' time
	expiring.nextOf("auth.success")
	if got := refusal(t, silent.next()); got != "connection_error UNAUTHORIZED auth_deadline " {
		t.Errorf("told %q", got)
	}
	if code := silent.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", code)
	}
	if got := refusal(t, expiring.next()); got != "connection_error UNAUTHORIZED token_expired " {
		t.Errorf("told %q", got)
	}
	if code := expiring.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", code)
	}
}

func TestARefusedEventIsADeadLetterWithItsReasonAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	tenant := tenantOf(t)
	c := newClient(t, stack, tenant, "ana", "[]")
	s := c.connect()
	domain := newService(t, stack)
	bad := domain.entry(tenant, "bad")
	bad.Detail = aws.String(strings.Replace(*bad.Detail, `"resumedBy":"user-1"`, `"resumedBy":7`, 1))
	foreign := types.PutEventsRequestEntry{
		EventBusName: bad.EventBusName, Source: bad.Source, DetailType: aws.String("invoice.paid"), Detail: aws.String(`{"tenantId":"` + tenant + `"}`),
	}
	domain.putEntries(domain.entry(tenant, "before"), bad, foreign, domain.entry(tenant, "after"))
	c.until(s, 2)
	if got := strings.Join(c.ids(), " "); got != "before after" && got != "after before" {
		t.Errorf("events = %s", got)
	}
	letter := findLetter(t, sqs.New(sqs.Options{BaseEndpoint: aws.String(stack.URL), Region: "eu-west-1", Credentials: credentials()}), "DeadLetterQueue", tenant)
	var event struct {
		DetailType string `json:"detail-type"`
		Detail     json.RawMessage
	}
	if err := json.Unmarshal([]byte(*letter.body), &event); err != nil || event.DetailType != "goal.resumed" || string(event.Detail) != *bad.Detail {
		t.Errorf("body = %s, %v: not the event as it came", *letter.body, err)
	}
	if diff := cmp.Diff(map[string]string{"reason": "invalid_payload", "field": "resumedBy", "refusedBy": "broadcaster"}, letter.attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

type letter struct {
	body       *string
	attributes map[string]string
}

// findLetter waits for a message of a queue that holds a text.
func findLetter(t *testing.T, client *sqs.Client, queue, text string) letter {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(queue), MessageAttributeNames: []string{"All"}, WaitTimeSeconds: 1, VisibilityTimeout: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			if strings.Contains(*m.Body, text) {
				attributes := map[string]string{}
				for name, value := range m.MessageAttributes {
					attributes[name] = *value.StringValue
				}
				return letter{m.Body, attributes}
			}
		}
	}
	t.Fatalf("no message with %q in %s", text, queue)
	return letter{}
}

func TestTheManagementAPI(t *testing.T) {
	t.Parallel()
	s := dial(t, stack.WebSocketURL+"/dev")
	s.send(`{"action":"auth","token":%q}`, stack.Token(t, tenantOf(t), "ana", time.Hour))
	id := aws.String(s.nextOf("auth.success").answer(t).ConnectionID)
	for _, endpoint := range []string{stack.URL, stack.URL + "/dev"} {
		client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{BaseEndpoint: aws.String(endpoint), Region: "eu-west-1", Credentials: credentials()})
		if _, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte(`{"type":"note"}`)}); err != nil {
			t.Fatal(err)
		}
		s.nextOf("note")
		got, err := client.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: id})
		if err != nil || got.ConnectedAt == nil || *got.Identity.SourceIp != "127.0.0.1" {
			t.Errorf("GetConnection = %+v, %v", got, err)
		}
	}
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{BaseEndpoint: aws.String(stack.URL), Region: "eu-west-1", Credentials: credentials()})
	if _, err := client.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: id}); err != nil {
		t.Fatal(err)
	}
	if code := s.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", code)
	}
	_, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte(`{}`)})
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != 410 {
		t.Errorf("PostToConnection = %v, want 410", err)
	}
}
