// Command disconnect is the Lambda of the $disconnect route.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/disconnect/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	h := &handler.Handler{
		Connections: connection.NewStore(dynamo.Client(env), env.Required("CONNECTIONS_TABLE"), env.Required("MEMBERS_TABLE"), time.Now),
		Clock:       backoff.RealClock(),
		Log:         log,
	}
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
