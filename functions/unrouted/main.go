// Command unrouted is the Lambda of the $default route.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/purposepath/realtime/functions/unrouted/handler"
	"github.com/purposepath/realtime/shared/telemetry"
)

func main() {
	h := &handler.Handler{Now: time.Now, Log: telemetry.Logger(os.Getenv("LOG_LEVEL"))}
	lambda.Start(h.Handle)
}
