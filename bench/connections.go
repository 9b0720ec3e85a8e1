package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pings measures one ping at a time.
func pings(ctx context.Context, t *trial) error {
	a, err := t.audience(ctx, 1)
	if err != nil {
		return err
	}
	var trips latencies
	count, used, err := t.sample(ctx, t.sizes.samples, func(ctx context.Context) error {
		began := time.Now()
		if err := a.sockets[0].send([]byte(`{"action":"ping"}`)); err != nil {
			return err
		}
		for {
			f, err := a.receive(ctx)
			if err != nil {
				return err
			}
			switch f.kind {
			case "pong":
				trips = append(trips, f.at.Sub(began))
				return nil
			case "connection_error":
				return errors.New("the ping was refused")
			}
		}
	})
	if err != nil {
		return err
	}
	t.report.addPercentiles(titleRoundTrip, "ping", "", trips[len(trips)-count:])
	t.report.addUsage(titleCPU, "ping", used, count)
	return nil
}

// connects measures one client at a time that connects and authenticates. All stay until the end, so that no $disconnect is in the
// figures.
func connects(ctx context.Context, t *trial) error {
	var sockets []*socket
	defer func() {
		for _, s := range sockets {
			s.close()
		}
	}()
	count, used, err := t.sample(ctx, t.sizes.connects, func(ctx context.Context) error {
		token, err := t.stack.token(ctx, "newcomers", fmt.Sprintf("user-%04d", len(sockets)))
		if err != nil {
			return err
		}
		s, err := connect(ctx, t.stack.socketURL, token, 0)
		if err == nil {
			sockets = append(sockets, s)
		}
		return err
	})
	if err != nil {
		return err
	}
	var handshake, auth, both latencies
	for _, s := range sockets[len(sockets)-count:] {
		handshake, auth, both = append(handshake, s.handshake), append(auth, s.auth), append(both, s.handshake+s.auth)
	}
	t.report.addPercentiles(titleRoundTrip, "handshake ($connect)", "", handshake)
	t.report.addPercentiles(titleRoundTrip, "auth", "", auth)
	t.report.addPercentiles(titleRoundTrip, "connect and auth", "", both)
	t.report.addUsage(titleCPU, "connect and auth", used, count)
	return nil
}
