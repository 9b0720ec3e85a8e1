package main

import (
	"context"
	"fmt"
	"os/exec"
)

// invokeAll makes the page's invocations one after the other beside a stack of their own. From the first `rtlocal event` on a client
// is connected: those events come from its connection, and what containers post to it must arrive, in the page's order.
func invokeAll(ctx context.Context, r *report, s *sam, rows []invocation) error {
	stack, err := startStack(ctx, "stack")
	if err != nil {
		return err
	}
	defer stack.stop()
	var c *client
	connection := ""
	for _, row := range rows {
		if row.live && c == nil {
			if c, err = dial(ctx); err != nil {
				return err
			}
			defer c.close()
			var info struct{ Connection string }
			if err := ask(ctx, "/_local/info", nil, &info); err != nil {
				return err
			}
			connection = info.Connection
		}
		r.result(row.String(), s.hold(ctx, row, c, connection))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if c != nil {
		r.result("the client gets nothing else", c.quiet())
	}
	return nil
}

// hold makes one invocation and compares.
func (s *sam) hold(ctx context.Context, row invocation, c *client, connection string) error {
	event, stdin := samplePath(row.sample), []byte(nil)
	if row.live {
		var err error
		if stdin, err = exec.CommandContext(ctx, rtlocal, "event", row.sample).Output(); err != nil {
			return fmt.Errorf("rtlocal event: %w", err)
		}
		event = "-"
	}
	answer, log, err := s.invoke(ctx, row.function, s.parameters, event, stdin)
	if err != nil {
		return err
	}
	if err := compare(row.answer, answer, connection); err != nil {
		return fmt.Errorf("%w\nthe log:\n%s", err, log)
	}
	if row.frame == "" {
		return nil
	}
	if c == nil {
		return fmt.Errorf("the page wants %s, but no client is connected before the first rtlocal event", row.frame)
	}
	if _, err := c.next(ctx, row.frame); err != nil {
		return fmt.Errorf("%w\nthe log:\n%s", err, log)
	}
	return nil
}
