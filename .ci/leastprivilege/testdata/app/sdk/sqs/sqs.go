package sqs

import "context"

type (
	Client            struct{}
	Options           struct{}
	SendMessageInput  struct{ QueueUrl *string }
	SendMessageOutput struct{}
)

func (*Client) SendMessage(context.Context, *SendMessageInput, ...func(*Options)) (*SendMessageOutput, error) {
	return nil, nil
}
