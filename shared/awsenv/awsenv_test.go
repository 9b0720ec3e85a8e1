package awsenv_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/awsenv"
)

// lambda is what Lambda itself always sets.
func lambda(more map[string]string) func(string) string {
	vars := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for name, value := range more {
		vars[name] = value
	}
	return func(name string) string { return vars[name] }
}

func TestMissingAndWrongVariablesAreAllNamed(t *testing.T) {
	t.Parallel()
	env := awsenv.New(lambda(map[string]string{
		"AWS_REGION": "", "REPLAY_MAX_EVENTS": "many", "PUSH_CONCURRENCY": "0", "JWT_AUDIENCE": " , ", "AWS_ENDPOINT_URL": "localhost:5055",
	}))
	env.AWS()
	env.AWS()
	env.Required("CONNECTIONS_TABLE")
	env.Int("REPLAY_MAX_EVENTS", 1, 1000)
	env.Int("PUSH_CONCURRENCY", 1, 500)
	env.Int("LOG_RETENTION_HOURS", 1, 47)
	env.List("JWT_AUDIENCE")
	env.List("ALLOWED_ORIGINS")
	env.Endpoint("SQS")
	err := env.Err()
	if err == nil {
		t.Fatal("Err = nil, want every problem")
	}
	for _, want := range []string{
		"AWS_REGION is not set",
		"CONNECTIONS_TABLE is not set",
		`REPLAY_MAX_EVENTS is "many", not a whole number from 1 to 1000`,
		`PUSH_CONCURRENCY is "0", not a whole number from 1 to 500`,
		"LOG_RETENTION_HOURS is not set",
		"JWT_AUDIENCE holds no value between its commas",
		"ALLOWED_ORIGINS is not set",
		`AWS_ENDPOINT_URL is "localhost:5055", not an http or https URL`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Err lacks %q:\n%v", want, err)
		}
	}
	if strings.Count(err.Error(), "AWS_REGION") != 1 {
		t.Error("Err names a variable twice")
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error("Err shows a secret")
	}
}

func TestConfigHoldsTheEnvironmentsRegionAndCredentials(t *testing.T) {
	t.Parallel()
	env := awsenv.New(lambda(map[string]string{"AWS_SESSION_TOKEN": "session"}))
	cfg := env.AWS()
	if err := env.Err(); err != nil {
		t.Fatal(err)
	}
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Region != "eu-west-1" || got.AccessKeyID != "key" || got.SecretAccessKey != "secret" || got.SessionToken != "session" {
		t.Errorf("config = %s %+v", cfg.Region, got)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	const management = "https://abc.execute-api.eu-west-1.amazonaws.com/dev"
	tests := []struct {
		name                 string
		vars                 map[string]string
		dynamodb, management string // "" = the SDK's own
		problem              string
	}{
		{name: "on AWS the SDK knows its endpoints and the management API is the template's",
			vars: map[string]string{"MANAGEMENT_ENDPOINT": management}, management: management},
		{name: "empty is unset",
			vars: map[string]string{"AWS_ENDPOINT_URL": "", "MANAGEMENT_ENDPOINT": management}, management: management},
		{name: "one endpoint for all, the management API too",
			vars:     map[string]string{"AWS_ENDPOINT_URL": "http://localhost:5055", "MANAGEMENT_ENDPOINT": management},
			dynamodb: "http://localhost:5055", management: "http://localhost:5055"},
		{name: "a service's own endpoint wins",
			vars: map[string]string{"AWS_ENDPOINT_URL": "http://localhost:5055", "AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000",
				"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": "http://localhost:5055/dev"},
			dynamodb: "http://localhost:8000", management: "http://localhost:5055/dev"},
		{name: "no management endpoint at all", vars: map[string]string{}, problem: "MANAGEMENT_ENDPOINT is not set"},
		{name: "sam local without the local stack is refused",
			vars: map[string]string{"AWS_SAM_LOCAL": "true", "MANAGEMENT_ENDPOINT": management}, management: management,
			problem: "AWS_ENDPOINT_URL is not set: under sam local"},
		{name: "sam local with the local stack",
			vars:     map[string]string{"AWS_SAM_LOCAL": "true", "AWS_ENDPOINT_URL": "http://localhost:5055"},
			dynamodb: "http://localhost:5055", management: "http://localhost:5055"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := awsenv.New(lambda(tt.vars))
			text := func(p *string) string {
				if p == nil {
					return ""
				}
				return *p
			}
			got := []string{text(env.Endpoint("DYNAMODB")), text(env.ManagementEndpoint())}
			if diff := cmp.Diff([]string{tt.dynamodb, tt.management}, got); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
			err := env.Err()
			if (err == nil) != (tt.problem == "") || (err != nil && !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("Err = %v, want %q", err, tt.problem)
			}
		})
	}
}

func TestListIsTrimmed(t *testing.T) {
	t.Parallel()
	env := awsenv.New(lambda(map[string]string{"JWT_AUDIENCE": "web, mobile,,"}))
	if diff := cmp.Diff([]string{"web", "mobile"}, env.List("JWT_AUDIENCE")); diff != "" || env.Err() != nil {
		t.Errorf("List (-want +got): %s, Err = %v", diff, env.Err())
	}
}
