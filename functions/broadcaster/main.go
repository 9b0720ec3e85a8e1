// Command broadcaster is the Lambda that EventBridge's rule calls with each domain event.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/broadcaster/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	h := &handler.Handler{
		Queue: queue.New(env), Now: time.Now, Log: log, Metrics: telemetry.NewMetrics(os.Stdout, "broadcaster", time.Now),
	}
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
