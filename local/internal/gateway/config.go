package gateway

import (
	"context"
	"log/slog"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/template"
)

// An Invoker calls a function and waits for its answer. When ctx ends first it returns an error at once; the function may
// run on.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error)
}

// A Config describes a gateway. API, Invoker and Log are required; a limit left zero is AWS's.
//
// The sources of the limits are the pages "Quotas for configuring and running a WebSocket API" and "Amazon API Gateway
// quotas" of the API Gateway developer guide, unless a field says otherwise.
type Config struct {
	API     template.API
	Invoker Invoker
	Clock   *clock.Clock // times in events, idle and age limits, throttling; nil is real time
	Log     *slog.Logger

	IdleTimeout     time.Duration // without a message in either direction; default 10 min
	MaxAge          time.Duration // of a connection, busy or not; default 2 h
	MaxFrameBytes   int           // payload of one frame, both directions; default 32,768
	MaxMessageBytes int           // of one message, both directions; default 131,072

	// ConnectRate is the most new connections a second, in bursts of as many; default 500. Negative: no limit.
	ConnectRate int
	// RequestRate is the most messages and @connections calls a second, in bursts of half as many; default 10,000 (AWS
	// shares this quota with all other APIs of the account). Negative: no limit.
	RequestRate int

	// OutboundBufferBytes is what one connection may have waiting beyond what the operating system takes, before posts to it
	// are refused with 429. AWS has such a buffer but does not say how large; default 524,288.
	OutboundBufferBytes int
	// WriteTimeout, in real time, is how long a waiting frame may make no way before the connection is given up as
	// lost. Not AWS's: it bounds how long a client that has stopped reading holds memory. Default 10 min.
	WriteTimeout time.Duration
	// MaxInFlight is how many messages of one connection are handled at a time; the next is read from the socket when
	// one of them is done. Not AWS's: it bounds goroutines and memory. Default 64.
	MaxInFlight int
}

func (cfg Config) withDefaults() Config {
	orDefault(&cfg.IdleTimeout, 10*time.Minute)
	orDefault(&cfg.MaxAge, 2*time.Hour)
	orDefault(&cfg.MaxFrameBytes, 32<<10)
	orDefault(&cfg.MaxMessageBytes, 128<<10)
	orDefault(&cfg.ConnectRate, 500)
	orDefault(&cfg.RequestRate, 10_000)
	orDefault(&cfg.OutboundBufferBytes, 512<<10)
	orDefault(&cfg.WriteTimeout, 10*time.Minute)
	orDefault(&cfg.MaxInFlight, 64)
	return cfg
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
