// Command pusher is the Lambda that takes batches from the tenant queue.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/pusher/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/push"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	client, clock := dynamo.Client(env), backoff.RealClock()
	retention := time.Duration(env.Int("LOG_RETENTION_HOURS", 1, 47)) * time.Hour
	concurrency := env.Int("PUSH_CONCURRENCY", 1, 1000)
	h := &handler.Handler{
		Events:  eventlog.New(eventlog.NewStore(client, env.Required("TENANTS_TABLE"), env.Required("EVENTS_TABLE"), retention, time.Now), clock),
		Members: connection.NewStore(client, env.Required("CONNECTIONS_TABLE"), env.Required("MEMBERS_TABLE"), time.Now),
		Push:    push.New(push.NewManagement(env, concurrency), concurrency, clock),
		Queue:   queue.New(env),
		Now:     time.Now,
		Log:     log,
		Metrics: telemetry.NewMetrics(os.Stdout, "pusher", time.Now),
	}
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
