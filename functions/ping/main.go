// Command ping is the Lambda of the ping route.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/ping/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/replay"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	client, clock := dynamo.Client(env), backoff.RealClock()
	management := push.NewManagement(env, 1)
	events := eventlog.New(eventlog.NewReader(client, env.Required("TENANTS_TABLE"), env.Required("EVENTS_TABLE"), time.Now), clock)
	h := &handler.Handler{
		Connections: connection.NewStore(client, env.Required("CONNECTIONS_TABLE"), "", time.Now),
		Heads:       events,
		Replayer:    &replay.Replayer{Log: events, Push: push.New(management, 1, clock), Limits: replay.LimitsOf(env), Now: time.Now},
		Socket:      management,
		Now:         time.Now,
		Log:         log,
		Metrics:     telemetry.NewMetrics(os.Stdout, "ping", time.Now),
	}
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
