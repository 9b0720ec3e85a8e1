package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/product"
	"github.com/purposepath/realtime/local/internal/stack"
)

// defaultPort is the one that front-ends know from the mock server they had.
const defaultPort = "5055"

// maxSpeed: ten minutes of idleness then pass in a sixth of a second; beyond, nothing could happen within them.
const maxSpeed = 3600

// The tenant and user of the first token.
const (
	demoTenant = "demo"
	demoUser   = "ana"
)

// overrides are parameter=value pairs.
type overrides map[string]string

func (o overrides) String() string { return "" }

func (o overrides) Set(pair string) error {
	name, value, found := strings.Cut(pair, "=")
	if !found || name == "" {
		return errors.New("give Parameter=value")
	}
	o[name] = value
	return nil
}

func runStack(ctx context.Context, p program, args []string) error {
	flags := p.flags("run")
	port := flags.String("port", p.port(), "port on 127.0.0.1; 0 takes a free one (environment: PORT)")
	listen := flags.String("listen", "127.0.0.1", "address to listen on")
	dir := flags.String("dir", ".", "folder of template.yaml and samconfig.toml")
	path := flags.String("template", "", "the template; default: samconfig.toml's, else template.yaml")
	environment := flags.String("config-env", "local", "section of samconfig.toml")
	engine := flags.String("dynamodb-endpoint", "", "URL of a DynamoDB of your own, instead of the embedded one")
	endpoint := flags.String("lambda-endpoint", "", "URL of another Lambda Invoke API, such as sam local start-lambda's")
	speed := flags.Float64("speed", 1, "how many times faster the stack's clock runs: idle and lifetime limits, schedules, retries, tokens; functions keep real time")
	asJSON := flags.Bool("json", false, "print the functions' lines as they wrote them")
	parameters := overrides{}
	flags.Var(parameters, "parameter", "Parameter=value for the template; may be repeated")
	if words, err := parse(flags, args); err != nil {
		return err
	} else if len(words) > 0 {
		return wrong(flags, "it takes flags only, got %q", words[0])
	}
	if *speed <= 0 || *speed > maxSpeed {
		return wrong(flags, "--speed is %v, not above 0 and at most %v", *speed, float64(maxSpeed))
	}
	if ip := net.ParseIP(*listen); ip == nil || !ip.IsLoopback() {
		_, _ = fmt.Fprintf(p.err, "warning: listening on %s: whoever reaches this machine can read and write everything in the stack\n", *listen)
	}
	printer := lambda.NewPrinter(p.out)
	printer.JSON = *asJSON
	if file, ok := p.out.(*os.File); ok {
		printer.Colour = lambda.WantsColour(file, p.getenv)
	}
	began := time.Now()
	s, err := stack.Start(ctx, stack.Config{
		Dir: *dir, Template: *path, Environment: *environment, Overrides: parameters, Address: net.JoinHostPort(*listen, *port),
		Engine: *engine, Lambda: *endpoint, Clock: clock.New(*speed), Log: printer.Print,
		Progress: func(message string) { _, _ = fmt.Fprintln(p.err, message+" …") },
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // ended by the user while it started
		}
		return err
	}
	defer s.Close()
	if err := welcome(p, s, time.Since(began)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.err, "ending …")
		return nil
	case err := <-s.Failed():
		return err
	}
}

func (p program) port() string {
	if port := p.getenv("PORT"); port != "" {
		return port
	}
	return defaultPort
}

// welcome says what to do next, in lines to paste.
func welcome(p program, s *stack.Stack, took time.Duration) error {
	var b strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	say("")
	say("PurposePath Realtime is ready (%.1f s): %d functions, %d tables, %d queues", took.Seconds(),
		len(s.Template.Functions), len(s.Template.Tables), len(s.Template.Queues))
	say("")
	say("  socket    %s", s.WebSocketURL())
	say("  AWS APIs  %s   (DynamoDB, SQS, EventBridge, Lambda, @connections)", s.URL)
	if s.Issuer == nil {
		_, err := fmt.Fprint(p.out, b.String())
		return err
	}
	token, _, err := s.Issuer.Token(demoTenant, demoUser, product.DefaultLife)
	if err != nil {
		return err
	}
	say("  token     %s   (tenant %s, user %s, one hour)", token, demoTenant, demoUser)
	say("")
	say("Connect, and see what arrives:")
	say("")
	say(`  npx wscat -c %s -w 3600 -x '{"action":"auth","token":"%s"}'`, s.WebSocketURL(), token)
	say("")
	say("Put an event, as a domain service does:")
	say("")
	say("  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws events put-events --region %s --endpoint-url %s --entries '%s'",
		s.Template.Region, s.URL, sampleEntry(s.Bus()))
	say("")
	say("Or without AWS CLI and wscat:")
	say("")
	port := ""
	if !strings.HasSuffix(s.URL, ":"+defaultPort) {
		port = " --endpoint " + s.URL
	}
	say("  .build/rtlocal listen --tenant %s --user %s%s", demoTenant, demoUser, port)
	say("  .build/rtlocal publish goal.created --tenant %s%s", demoTenant, port)
	say("  .build/rtlocal simulate --tenant %s --rate 2%s", demoTenant, port)
	say("  .build/rtlocal token --tenant %s --user %s --expires 15m%s", demoTenant, demoUser, port)
	say("")
	say("Ctrl-C ends everything. The functions' logs follow.")
	say("")
	_, err = fmt.Fprint(p.out, b.String())
	return err
}

// sampleEntry is one entry of PutEvents that needs nothing but the demo tenant.
func sampleEntry(bus string) string {
	return `[{"EventBusName":"` + bus + `","Source":"purposepath.goals","DetailType":"goal.resumed",` +
		`"Detail":"{\"tenantId\":\"` + demoTenant + `\",\"goalId\":\"goal-4f1c\",\"resumedAt\":\"` + time.Now().UTC().Format("2006-01-02T15:04:05.000Z") +
		`\",\"resumedBy\":\"user-ana\"}"}]`
}
