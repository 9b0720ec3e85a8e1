// Command connect is the Lambda of the $connect route.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/connect/handler"
	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	env := awsenv.New(os.Getenv)
	log := telemetry.Logger(env.Optional("LOG_LEVEL"))
	origins, badOrigins := handler.ParseOrigins(env.List("ALLOWED_ORIGINS"))
	h := &handler.Handler{
		Connections:  connection.NewStore(dynamo.Client(env), env.Required("CONNECTIONS_TABLE"), "", time.Now),
		Origins:      origins,
		AuthDeadline: time.Duration(env.Int("AUTH_DEADLINE_SECONDS", 1, 3600)) * time.Second,
		Now:          time.Now,
		Log:          log,
	}
	env.Check("ALLOWED_ORIGINS", badOrigins)
	telemetry.ExitOn(log, env.Err())
	lambda.Start(h.Handle)
}
