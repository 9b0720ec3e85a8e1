package dynamodb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type (
	Client                   struct{}
	Options                  struct{}
	GetItemInput             struct{ TableName *string }
	GetItemOutput            struct{}
	DeleteItemInput          struct{ TableName *string }
	DeleteItemOutput         struct{}
	QueryInput               struct{ TableName, IndexName *string }
	QueryPaginator           struct{}
	TransactWriteItemsInput  struct{ TransactItems []types.TransactWriteItem }
	TransactWriteItemsOutput struct{}
)

func (*Client) GetItem(context.Context, *GetItemInput, ...func(*Options)) (*GetItemOutput, error) {
	return nil, nil
}

func (*Client) DeleteItem(context.Context, *DeleteItemInput, ...func(*Options)) (*DeleteItemOutput, error) {
	return nil, nil
}

func (*Client) TransactWriteItems(context.Context, *TransactWriteItemsInput, ...func(*Options)) (*TransactWriteItemsOutput, error) {
	return nil, nil
}

func NewQueryPaginator(*Client, *QueryInput) *QueryPaginator { return nil }

func (*QueryPaginator) NextPage(context.Context) error { return nil }
