// Command auth is the Lambda of the auth route.
package main

import (
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/auth/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/telemetry"
	"github.com/purposepath/realtime/shared/token"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	verifier, badToken := token.New(token.Config{
		Issuer: env.Required("JWT_ISSUER"), Audiences: env.List("JWT_AUDIENCE"), ClientID: env.Optional("JWT_CLIENT_ID"),
		JWKSURL: env.Optional("JWT_JWKS_URL"), TenantClaim: env.Optional("JWT_TENANT_CLAIM"), UserClaim: env.Optional("JWT_USER_CLAIM"),
	}, http.DefaultClient, time.Now)
	client, clock := dynamo.Client(env), backoff.RealClock()
	management := push.NewManagement(env, 16)
	events := eventlog.New(eventlog.NewReader(client, env.Required("TENANTS_TABLE"), env.Required("EVENTS_TABLE"), time.Now), clock)
	h := &handler.Handler{
		Tokens:             verifier,
		Connections:        connection.NewStore(client, env.Required("CONNECTIONS_TABLE"), env.Required("MEMBERS_TABLE"), time.Now),
		Heads:              events,
		Replayer:           &replay.Replayer{Log: events, Push: push.New(management, 1, clock), Limits: replay.LimitsOf(env), Now: time.Now},
		Socket:             management,
		MaxConnectionsUser: env.Int("MAX_CONNECTIONS_PER_USER", 1, 1000),
		Clock:              clock,
		Log:                log,
		Metrics:            telemetry.NewMetrics(os.Stdout, "auth", time.Now),
	}
	env.Check("JWT settings", badToken)
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
