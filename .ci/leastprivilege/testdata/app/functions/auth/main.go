package main

import (
	"context"
	"fmt"

	"example.com/app/shared/awsenv"
	"example.com/app/shared/store"
)

type members interface {
	Get(context.Context) error
	Join(context.Context) error
}

type poster interface {
	Post(context.Context, string) error
}

type handler struct {
	members members
	poster  poster
	due     func() error
}

func (h handler) handle(ctx context.Context) error {
	if err := h.members.Join(ctx); err != nil {
		return err
	}
	if err := h.poster.Post(ctx, "id"); err != nil {
		return err
	}
	return h.members.Get(ctx)
}

func main() {
	awsenv.Endpoint()
	s := store.New(awsenv.Required("CONNECTIONS_TABLE"), awsenv.Required("MEMBERS_TABLE"))
	h := handler{members: s, poster: store.Poster{}, due: s.Due(context.Background())}
	run(h.handle)
	fmt.Println(store.Sender{QueueURL: awsenv.Required("QUEUE_URL")})
}

// run is a stranger that calls what it is given.
func run(f func(context.Context) error) { _ = f(context.Background()) }
