package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/purposepath/realtime/local/internal/product"
	"github.com/purposepath/realtime/local/internal/stack"
)

// askTimeout bounds a question to a running stack on this machine.
const askTimeout = 10 * time.Second

func (p program) endpointFlag(flags *flag.FlagSet) *string {
	return flags.String("endpoint", "http://localhost:"+p.port(), "URL of the running stack")
}

// eventsDir is where samples are looked for.
func eventsDir(flags *flag.FlagSet) *string {
	return flags.String("events", "events", "folder of the sample events")
}

// ask gets one of the stack's own pages.
func ask(ctx context.Context, endpoint, path string, query url.Values, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no stack answers at %s: start one with `make run`, or name another with --endpoint", endpoint)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("ask the stack at %s: %w", endpoint, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the stack at %s says: %s", endpoint, strings.TrimSpace(string(body)))
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("what answers at %s is not this stack: %w", endpoint, err)
	}
	return nil
}

func askToken(ctx context.Context, endpoint, tenant, user, expires string) (string, error) {
	var t product.Token
	err := ask(ctx, endpoint, "/_local/token", url.Values{"tenant": {tenant}, "user": {user}, "expires": {expires}}, &t)
	return t.Token, err
}

func printToken(ctx context.Context, p program, args []string) error {
	flags := p.flags("token")
	endpoint := p.endpointFlag(flags)
	tenant := flags.String("tenant", "", "the tenant (required)")
	user := flags.String("user", "", "the user (required)")
	expires := flags.String("expires", "", "life of the token, such as 15m; default 1h")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	if *tenant == "" || *user == "" {
		return wrong(flags, "--tenant and --user are required")
	}
	token, err := askToken(ctx, *endpoint, *tenant, *user, *expires)
	if err == nil {
		_, err = fmt.Fprintln(p.out, token)
	}
	return err
}

// service is a domain service of the running stack.
func service(ctx context.Context, endpoint, dir string) (*product.Service, error) {
	var info stack.Info
	if err := ask(ctx, endpoint, "/_local/info", nil, &info); err != nil {
		return nil, err
	}
	samples, err := product.Samples(dir)
	if err != nil {
		return nil, err
	}
	return product.NewService(endpoint, info.EventBus, samples), nil
}

func publish(ctx context.Context, p program, args []string) error {
	flags := p.flags("publish")
	endpoint, dir := p.endpointFlag(flags), eventsDir(flags)
	tenant := flags.String("tenant", "", "the tenant (required)")
	data := flags.String("data", "", "payload as JSON, or - to read it from standard input; default: the type's sample")
	words, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || *tenant == "" {
		return wrong(flags, "give one event type and --tenant")
	}
	payload, err := p.payload(*data)
	if err != nil {
		return err
	}
	s, err := service(ctx, *endpoint, *dir)
	if err != nil {
		return err
	}
	id, err := s.Publish(ctx, words[0], *tenant, payload)
	if err == nil {
		_, err = fmt.Fprintln(p.out, id)
	}
	return err
}

// maxPayload is the most that PutEvents takes, in bytes.
const maxPayload = 1 << 20

func (p program) payload(data string) (map[string]any, error) {
	if data == "" {
		return nil, nil
	}
	if data == "-" {
		read, err := io.ReadAll(io.LimitReader(p.in, maxPayload+1))
		if err != nil {
			return nil, fmt.Errorf("read the payload: %w", err)
		}
		data = string(read)
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	var payload map[string]any
	if err := decoder.Decode(&payload); err != nil || payload == nil {
		return nil, errors.New("the payload is not a JSON object")
	}
	return payload, nil
}

func simulate(ctx context.Context, p program, args []string) error {
	flags := p.flags("simulate")
	endpoint, dir := p.endpointFlag(flags), eventsDir(flags)
	tenant := flags.String("tenant", demoTenant, "the tenant")
	rate := flags.Float64("rate", 1, "events a second, at most 1000")
	types := flags.String("types", "", "event types between commas; default: all")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	if *rate <= 0 || *rate > 1000 {
		return wrong(flags, "--rate is %v, not above 0 and at most 1000", *rate)
	}
	var list []string
	if *types != "" {
		list = strings.Split(*types, ",")
	}
	s, err := service(ctx, *endpoint, *dir)
	if err != nil {
		return err
	}
	return s.Simulate(ctx, *tenant, *rate, list, func(eventType string) {
		_, _ = fmt.Fprintf(p.out, "%s  %s\n", time.Now().Format("15:04:05.000"), eventType)
	})
}

func listen(ctx context.Context, p program, args []string) error {
	flags := p.flags("listen")
	endpoint := p.endpointFlag(flags)
	tenant := flags.String("tenant", demoTenant, "the tenant, for a token of the local stack")
	user := flags.String("user", demoUser, "the user, for a token of the local stack")
	address := flags.String("url", "", "WebSocket URL, such as a deployed stage's; default: the local stack's")
	token := flags.String("token", p.getenv("RTLOCAL_TOKEN"), "token to use; required with --url (environment: RTLOCAL_TOKEN)")
	since := flags.String("since", "", "resume after the event of this number")
	asJSON := flags.Bool("json", false, "print frames as they came")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	l := &product.Listener{URL: *address, Token: *token, JSON: *asJSON, Out: p.out}
	if *since != "" {
		position, err := strconv.ParseInt(*since, 10, 64)
		if err != nil {
			return wrong(flags, "--since is %q, not a number", *since)
		}
		l.Since = &position
	}
	if l.URL != "" && l.Token == "" {
		return wrong(flags, "--url needs --token")
	}
	if l.URL == "" {
		var info stack.Info
		if err := ask(ctx, *endpoint, "/_local/info", nil, &info); err != nil {
			return err
		}
		l.URL = info.WebSocketURL
	}
	if l.Token == "" {
		var err error
		if l.Token, err = askToken(ctx, *endpoint, *tenant, *user, ""); err != nil {
			return err
		}
	}
	return l.Run(ctx)
}

func printEvent(ctx context.Context, p program, args []string) error {
	flags := p.flags("event")
	endpoint, dir := p.endpointFlag(flags), eventsDir(flags)
	tenant := flags.String("tenant", demoTenant, "the tenant of the token")
	user := flags.String("user", demoUser, "the user of the token")
	words, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return wrong(flags, "give the name of one file of %s%c, without .json", *dir, os.PathSeparator)
	}
	var info stack.Info
	if err := ask(ctx, *endpoint, "/_local/info", nil, &info); err != nil {
		return err
	}
	token, err := askToken(ctx, *endpoint, *tenant, *user, "")
	if err != nil {
		return err
	}
	event, err := product.Invocation(*dir, words[0], info.Connection, token, time.Now())
	if err == nil {
		_, err = fmt.Fprintf(p.out, "%s\n", event)
	}
	return err
}
