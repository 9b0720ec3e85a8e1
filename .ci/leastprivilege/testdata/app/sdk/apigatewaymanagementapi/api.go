package apigatewaymanagementapi

import "context"

type (
	Client                 struct{}
	Options                struct{}
	PostToConnectionInput  struct{ ConnectionId *string }
	PostToConnectionOutput struct{}
	DeleteConnectionInput  struct{ ConnectionId *string }
	DeleteConnectionOutput struct{}
)

func (*Client) PostToConnection(context.Context, *PostToConnectionInput, ...func(*Options)) (*PostToConnectionOutput, error) {
	return nil, nil
}

func (*Client) DeleteConnection(context.Context, *DeleteConnectionInput, ...func(*Options)) (*DeleteConnectionOutput, error) {
	return nil, nil
}
