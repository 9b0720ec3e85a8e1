package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// opening is how many connections are opened at a time.
	opening = 16
	// openEvery keeps them below 500 a second, API Gateway's quota for new connections.
	openEvery = 2500 * time.Microsecond
)

// An audience is some connections of one tenant and what they receive.
type audience struct {
	tenant  string
	sockets []*socket
	inbox   chan frame
	reading sync.WaitGroup
}

// gather opens connections, each of a user of its own: a user may have 20.
func gather(ctx context.Context, s *stack, tenant string, count int) (*audience, error) {
	a := &audience{tenant: tenant, sockets: make([]*socket, count), inbox: make(chan frame, 2*count)}
	pace := time.NewTicker(openEvery)
	defer pace.Stop()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(opening)
	for i := range a.sockets {
		select {
		case <-pace.C:
		case <-ctx.Done(): // those that still begin end at once
		}
		group.Go(func() error {
			token, err := s.token(ctx, tenant, fmt.Sprintf("user-%04d", i))
			if err == nil {
				a.sockets[i], err = connect(ctx, s.socketURL, token, i)
			}
			return err
		})
	}
	err := group.Wait()
	for _, socket := range a.sockets {
		if socket != nil {
			a.reading.Go(func() { socket.deliver(a.inbox) })
		}
	}
	if err != nil {
		a.leave()
		return nil, err
	}
	return a, nil
}

// leave closes all connections and returns when nobody reads from them.
func (a *audience) leave() {
	for _, socket := range a.sockets {
		if socket != nil {
			socket.close()
		}
	}
	done := make(chan struct{})
	go func() {
		a.reading.Wait()
		close(done)
	}()
	for {
		select {
		case <-a.inbox:
		case <-done:
			return
		}
	}
}

// receive waits for the next message of any connection.
func (a *audience) receive(ctx context.Context) (frame, error) {
	select {
	case f := <-a.inbox:
		if f.err != nil {
			return frame{}, fmt.Errorf("connection %d of %s: %w", f.socket, a.tenant, f.err)
		}
		return f, nil
	case <-time.After(patience):
		return frame{}, errors.New("an event did not arrive within " + patience.String())
	case <-ctx.Done():
		return frame{}, ctx.Err()
	}
}
