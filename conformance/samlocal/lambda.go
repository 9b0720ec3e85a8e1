package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"

	"golang.org/x/sync/errgroup"
)

const (
	lambdaPort = "3001" // SAM CLI's own default
	clients    = 4
	events     = 8
	tenant     = "demo"
	eventType  = "goal.created"
)

// startLambda has SAM CLI run the stack's functions, and sends events all the way: a domain service's PutEvents, rule, container,
// queue, container, post, socket. Several of each at once, since API Gateway waits for no one.
func startLambda(ctx context.Context, r *report, s *sam) error {
	// All containers are there before the first client: one that is started for each invocation takes a second.
	lambda, err := start(ctx, "start-lambda", "http://127.0.0.1:"+lambdaPort, func(ctx context.Context) *exec.Cmd {
		return s.command(ctx, "start-lambda", s.parameters, "--port", lambdaPort, "--warm-containers", "EAGER")
	})
	if err != nil {
		return err
	}
	defer lambda.stop()
	stack, err := startStack(ctx, "stack-of-start-lambda", "--lambda-endpoint", "http://127.0.0.1:"+lambdaPort)
	if err != nil {
		return err
	}
	defer stack.stop()

	all := make([]*client, clients)
	err = connectAll(ctx, all)
	defer func() {
		for _, c := range all {
			if c != nil {
				c.close()
			}
		}
	}()
	r.result(fmt.Sprintf("sam local start-lambda: %d clients connect and authenticate at once", clients), err)
	if err != nil {
		return fmt.Errorf("nobody is connected\n%s", lambda.tail())
	}
	head, err := ping(ctx, all[0])
	r.result("sam local start-lambda: ping is answered", err)
	r.result(fmt.Sprintf("sam local start-lambda: one event reaches %d clients", clients), publish(ctx, all, 1, head))
	r.result(fmt.Sprintf("sam local start-lambda: %d events at once reach %d clients, without a hole", events, clients), publish(ctx, all, events, head+1))
	return nil
}

func connectAll(ctx context.Context, all []*client) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range all {
		group.Go(func() error {
			var token struct{ Token string }
			if err := ask(ctx, "/_local/token", url.Values{"tenant": {tenant}, "user": {"user-" + strconv.Itoa(i)}}, &token); err != nil {
				return err
			}
			c, err := dial(ctx)
			if err != nil {
				return err
			}
			all[i] = c
			if err := c.send(ctx, map[string]string{"action": "auth", "token": token.Token}); err != nil {
				return err
			}
			_, err = c.next(ctx, "auth.success")
			return err
		})
	}
	return group.Wait()
}

func ping(ctx context.Context, c *client) (head int64, err error) {
	if err := c.send(ctx, map[string]string{"action": "ping"}); err != nil {
		return 0, err
	}
	pong, err := c.next(ctx, "pong")
	if err != nil {
		return 0, err
	}
	var data struct{ Sequence int64 }
	err = json.Unmarshal(pong.Data, &data)
	return data.Sequence, err
}

// publish puts events at the same moment, and waits until every client has all that follow the head: in whatever order they came and
// however often, as the protocol allows.
func publish(ctx context.Context, all []*client, count int, head int64) error {
	var group errgroup.Group
	for range count {
		group.Go(func() error {
			if out, err := exec.CommandContext(ctx, rtlocal, "publish", eventType, "--tenant", tenant).CombinedOutput(); err != nil {
				return fmt.Errorf("rtlocal publish: %w\n%s", err, out)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, c := range all {
		missing := map[int64]bool{}
		for n := range count {
			missing[head+1+int64(n)] = true
		}
		for len(missing) > 0 {
			f, err := c.next(ctx, eventType)
			if err != nil {
				return fmt.Errorf("client %d of %d lacks %d of %d events: %w", i+1, len(all), len(missing), count, err)
			}
			if f.Sequence <= head || f.Sequence > head+int64(count) {
				return fmt.Errorf("client %d of %d got an event numbered %d, after %d", i+1, len(all), f.Sequence, head)
			}
			delete(missing, f.Sequence)
		}
	}
	return nil
}
