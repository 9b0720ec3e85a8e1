// Package conformance_test holds the whole system, its real functions behind the local stack, to the protocol: through sockets and the
// AWS SDK, as its users meet it.
package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/purposepath/realtime/local/localtest"
)

// stack is shared by the tests: each has a tenant of its own.
var stack *localtest.Stack

func TestMain(m *testing.M) {
	var stop func()
	var err error
	if stack, stop, err = localtest.StartMain(localtest.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	if problems := logProblems(stack); code == 0 && len(problems) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(problems, "\n"))
		code = 1
	}
	os.Exit(code)
}

// tenantOf is a tenant of the test's own.
func tenantOf(t *testing.T) string {
	return strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
}

func credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})
}

// A service is a domain service.
type service struct {
	t      *testing.T
	client *eventbridge.Client
	bus    string
}

func newService(t *testing.T, s *localtest.Stack) *service {
	t.Helper()
	return &service{t: t, bus: s.Bus, client: eventbridge.New(eventbridge.Options{
		BaseEndpoint: aws.String(s.URL), Region: "eu-west-1", Credentials: credentials(),
	})}
}

// entry is an event of which only tenant and id matter.
func (s *service) entry(tenant, id string) types.PutEventsRequestEntry {
	detail, err := json.Marshal(map[string]any{
		"tenantId": tenant, "eventId": id, "secret": payloadMark, "goalId": "goal-1", "resumedBy": "user-1", "correlationId": "call of " + id,
		"resumedAt": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return types.PutEventsRequestEntry{
		EventBusName: aws.String(s.bus), Source: aws.String("purposepath.goals"), DetailType: aws.String("goal.resumed"), Detail: aws.String(string(detail)),
	}
}

// put puts events, ten in a call, in the order of their ids.
func (s *service) put(tenant string, ids ...string) {
	s.t.Helper()
	for len(ids) > 0 {
		n := min(10, len(ids))
		entries := make([]types.PutEventsRequestEntry, n)
		for i, id := range ids[:n] {
			entries[i] = s.entry(tenant, id)
		}
		s.putEntries(entries...)
		ids = ids[n:]
	}
}

func (s *service) putEntries(entries ...types.PutEventsRequestEntry) {
	s.t.Helper()
	out, err := s.client.PutEvents(s.t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	if err != nil || out.FailedEntryCount != 0 {
		s.t.Fatalf("PutEvents = %+v, %v", out, err)
	}
}

// names are prefix-0000, prefix-0001, …
func names(prefix string, count int) []string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return list
}
