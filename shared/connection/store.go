package connection

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/purposepath/realtime/shared/dynamo"
)

// A Store keeps connections and members in two DynamoDB tables.
//
// Shape: Connections has key connectionId; Members has key (tenantShard, member). Times are Unix milliseconds, but for
// expiresAt, which is in seconds because TTL demands it. Both tables' definitions stand in template.yaml.
type Store struct {
	client      *dynamodb.Client
	connections *string
	members     *string
	now         func() time.Time
}

// NewStore returns a store over the two tables. A function that touches only one of them may leave the other's name empty.
func NewStore(client *dynamodb.Client, connectionsTable, membersTable string, now func() time.Time) *Store {
	return &Store{client: client, connections: &connectionsTable, members: &membersTable, now: now}
}

// Put records a connection that has just been made and must authenticate before its deadline.
func (s *Store) Put(ctx context.Context, c Connection) error {
	item, err := attributevalue.MarshalMap(connectionItem{
		ConnectionID: c.ID, ConnectedAt: c.ConnectedAt.UnixMilli(), SourceIP: c.SourceIP, UserAgent: c.UserAgent,
		Deadline: c.Deadline.UnixMilli(), DeadlineShard: deadlineShard(c.ID), ExpiresAt: c.ConnectedAt.Add(MaxLife).Unix(),
	})
	if err != nil {
		return fmt.Errorf("put connection %s: %w", c.ID, err)
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.connections, Item: item})
	return dynamo.Err("put connection "+c.ID, err)
}

// Get returns a connection, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Connection, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: s.connections, Key: connectionKey(id), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Connection{}, dynamo.Err("get connection "+id, err)
	}
	c, err := toConnection(out.Item)
	if err == nil && (c.ID == "" || !s.now().Before(c.ConnectedAt.Add(MaxLife))) {
		err = ErrNotFound
	}
	if err != nil {
		return Connection{}, fmt.Errorf("get connection %s: %w", id, err)
	}
	return c, nil
}

const authenticateUpdate = `SET tenantId = :tenant, userId = :user, memberShard = :shard, validUntil = :until, ` +
	`deadline = :until, accept = :accept, authAttempts = :none`

const authenticateCondition = `attribute_exists(connectionId) AND (attribute_not_exists(tenantId) OR (tenantId = :tenant AND userId = :user))`

// Authenticate makes a connection a member, or renews it, in one transaction.
//
// Errors: ErrNotFound when the connection has no record (any more); ErrOtherIdentity when it is another's.
func (s *Store) Authenticate(ctx context.Context, m Member) error {
	attempt := "authenticate connection " + m.ConnectionID
	shard := memberShard(m.UserID)
	item, err := attributevalue.MarshalMap(memberItem{
		TenantShard: tenantShardKey(m.TenantID, shard), Member: memberKey(m.UserID, m.ConnectionID),
		ValidUntil: m.ValidUntil.UnixMilli(), Accept: acceptOf(m.AcceptsBatch), ConnectedAt: m.ConnectedAt.UnixMilli(), ExpiresAt: m.expiresAt().Unix(),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", attempt, err)
	}
	_, err = s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Update: &types.Update{
			TableName: s.connections, Key: connectionKey(m.ConnectionID),
			UpdateExpression: aws.String(authenticateUpdate), ConditionExpression: aws.String(authenticateCondition),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":tenant": dynamo.Text(m.TenantID), ":user": dynamo.Text(m.UserID), ":shard": dynamo.Number(int64(shard)),
				":until": dynamo.Number(m.ValidUntil.UnixMilli()), ":accept": dynamo.Text(acceptOf(m.AcceptsBatch)), ":none": dynamo.Number(0),
			},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
		{Put: &types.Put{TableName: s.members, Item: item}},
	}})
	if old, failed := dynamo.FailedCondition(err, 0); failed {
		if len(old) == 0 {
			return fmt.Errorf("%s: %w", attempt, ErrNotFound)
		}
		return fmt.Errorf("%s: %w", attempt, ErrOtherIdentity)
	}
	return dynamo.Err(attempt, err)
}

// FailedAttempt counts a failed authentication and returns how many there were in a row, or ErrNotFound.
func (s *Store) FailedAttempt(ctx context.Context, id string) (int, error) {
	attempt := "count failed authentication of " + id
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.connections, Key: connectionKey(id),
		UpdateExpression:          aws.String("ADD authAttempts :one"),
		ConditionExpression:       aws.String("attribute_exists(connectionId)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": dynamo.Number(1)},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if _, failed := dynamo.FailedCondition(err, 0); failed {
		return 0, fmt.Errorf("%s: %w", attempt, ErrNotFound)
	}
	if err != nil {
		return 0, dynamo.Err(attempt, err)
	}
	c, err := toConnection(out.Attributes)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", attempt, err)
	}
	return c.AuthAttempts, nil
}

// Delete removes a connection and, if it had authenticated, its member.
func (s *Store) Delete(ctx context.Context, id string) error {
	out, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: s.connections, Key: connectionKey(id), ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return dynamo.Err("delete connection "+id, err)
	}
	c, err := toConnection(out.Attributes)
	if err != nil {
		return fmt.Errorf("delete connection %s: %w", id, err)
	}
	if !c.Authenticated() {
		return nil
	}
	return s.deleteMember(ctx, c.TenantID, c.UserID, c.ID)
}

// DeleteMember removes a member that is gone, and its connection. The member goes last: a crash between leaves one that the
// next push finds gone again.
func (s *Store) DeleteMember(ctx context.Context, m Member) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: s.connections, Key: connectionKey(m.ConnectionID)})
	if err != nil {
		return dynamo.Err("delete connection "+m.ConnectionID, err)
	}
	return s.deleteMember(ctx, m.TenantID, m.UserID, m.ConnectionID)
}

func (s *Store) deleteMember(ctx context.Context, tenantID, userID, id string) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: s.members, Key: memberKeyOf(tenantID, userID, id)})
	return dynamo.Err("delete member "+id, err)
}
