// Package store does each kind of call that the checker must see.
package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

type Store struct {
	client      *dynamodb.Client
	connections *string
	members     *string
}

func New(connections, members string) *Store {
	return &Store{client: &dynamodb.Client{}, connections: &connections, members: &members}
}

func (s *Store) Get(ctx context.Context) error {
	_, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.connections})
	return err
}

// Delete is called by no function of the fixture.
func (s *Store) Delete(ctx context.Context) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: s.connections})
	return err
}

func (s *Store) Join(ctx context.Context) error {
	items := []types.TransactWriteItem{{Update: &types.Update{TableName: s.connections}}}
	items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: s.members}})
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

const index = "byDeadline"

// Due queries in a function that is only handed over as a value.
func (s *Store) Due(ctx context.Context) func() error {
	return func() error {
		return dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{TableName: s.connections, IndexName: text(index)}).NextPage(ctx)
	}
}

func text(s string) *string { return &s }

type Poster struct {
	client *apigatewaymanagementapi.Client
}

func (p Poster) Post(ctx context.Context, id string) error {
	_, err := p.client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id})
	return err
}

// Close is called by no function of the fixture.
func (p Poster) Close(ctx context.Context, id string) error {
	_, err := p.client.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	return err
}

// A Sender sends in a method that only a package outside the module calls.
type Sender struct {
	Client   *sqs.Client
	QueueURL string
}

func (s Sender) String() string {
	_, _ = s.Client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: &s.QueueURL})
	return ""
}
