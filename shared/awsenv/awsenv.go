// Package awsenv turns a function's environment into checked settings and an aws.Config.
//
// Guarantees:
//   - Empty means unset, for every variable.
//   - A required variable that is missing, and a value that breaks its rule, stop the start: [Env.Err] names all of them.
//   - Nothing is read lazily: what a function needs is known before its first invocation.
//   - No file, no metadata service and no shared AWS configuration is read. In Lambda region and credentials are always
//     in the environment, and LoadDefaultConfig costs 3.7 ms of each cold start.
//
// The caller asks for everything first, then checks Err, then uses the values.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// callTimeout bounds one attempt of an AWS call. The tables and queues answer in milliseconds; what hangs is tried again by
// the SDK well before the function's own time-out (5 s at least).
const callTimeout = 1500 * time.Millisecond

// An Env reads variables and collects what is wrong with them.
type Env struct {
	getenv   func(string) string
	problems []error
}

// New reads through getenv, normally os.Getenv.
func New(getenv func(string) string) *Env { return &Env{getenv: getenv} }

// Err is nil, or names every variable that is missing or wrong.
func (e *Env) Err() error {
	if len(e.problems) == 0 {
		return nil
	}
	return fmt.Errorf("environment: %w", errors.Join(e.problems...))
}

func (e *Env) problem(format string, args ...any) {
	problem := fmt.Errorf(format, args...)
	same := func(other error) bool { return other.Error() == problem.Error() }
	if !slices.ContainsFunc(e.problems, same) { // several clients ask for the same variables
		e.problems = append(e.problems, problem)
	}
}

// Check adds what somebody else found wrong with a value, if anything.
func (e *Env) Check(name string, err error) {
	if err != nil {
		e.problem("%s: %w", name, err)
	}
}

// Optional returns the variable, or "" when it is unset.
func (e *Env) Optional(name string) string { return e.getenv(name) }

// Required returns the variable, which must be set.
func (e *Env) Required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.problem("%s is not set", name)
	}
	return value
}

// Int returns the variable as a number between least and most, which must be set: its default stands in template.yaml, and
// only there.
func (e *Env) Int(name string, least, most int) int {
	text := e.Required(name)
	if text == "" {
		return least
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		e.problem("%s is %q, not a whole number from %d to %d", name, text, least, most)
		return least
	}
	return value
}

// List returns the variable's parts between commas, without spaces and empty parts. At least one must be there.
func (e *Env) List(name string) []string {
	var parts []string
	for part := range strings.SplitSeq(e.Required(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 && e.getenv(name) != "" {
		e.problem("%s holds no value between its commas", name)
	}
	return parts
}

// AWS is the configuration of every client: region and credentials from the environment, and a time-out for each attempt.
func (e *Env) AWS() aws.Config {
	credentials := aws.Credentials{
		AccessKeyID:     e.Required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: e.Required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    e.Optional("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	return aws.Config{
		Region: e.Required("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(callTimeout),
	}
}

// Endpoint is the base URL of a service, or nil for the SDK's own: AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL.
// The service is named as the SDKs do: DYNAMODB, SQS. Each client must be given it as its BaseEndpoint, because an aws.Config
// made by hand ignores these variables.
//
// Under `sam local` (AWS_SAM_LOCAL=true) an endpoint is required, so that a function on a developer's machine never writes
// to a real account by accident.
func (e *Env) Endpoint(service string) *string {
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		if value := e.getenv(name); value != "" {
			e.checkURL(name, value)
			return &value
		}
	}
	if e.getenv("AWS_SAM_LOCAL") == "true" {
		e.problem("AWS_ENDPOINT_URL is not set: under sam local a function must not reach a real account "+
			"(start the local stack and use `sam local … --config-env local`; service %s)", service)
	}
	return nil
}

// ManagementEndpoint is the base URL of API Gateway's management API: an override as in [Env.Endpoint], else
// MANAGEMENT_ENDPOINT. It is never made from an event's domainName, which is wrong behind a custom domain.
func (e *Env) ManagementEndpoint() *string {
	if override := e.Endpoint("APIGATEWAYMANAGEMENTAPI"); override != nil {
		return override
	}
	value := e.Required("MANAGEMENT_ENDPOINT")
	if value != "" {
		e.checkURL("MANAGEMENT_ENDPOINT", value)
	}
	return &value
}

func (e *Env) checkURL(name, value string) {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		e.problem("%s is %q, not an http or https URL", name, value)
	}
}
