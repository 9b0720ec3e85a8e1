package connection

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/purposepath/realtime/shared/dynamo"
)

// deadlineIndex is the Connections table's index over (deadlineShard, deadline), keys only.
const deadlineIndex = "byDeadline"

// Members returns all members of a tenant, in no order: every shard, every page.
func (s *Store) Members(ctx context.Context, tenantID string) ([]Member, error) {
	var shards [MemberShards][]Member
	group, ctx := errgroup.WithContext(ctx)
	for shard := range shards {
		group.Go(func() (err error) {
			shards[shard], err = s.query(ctx, tenantID, shard, "")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	var all []Member
	for _, members := range shards {
		all = append(all, members...)
	}
	return all, nil
}

// OfUser returns the members of one user, in no order.
func (s *Store) OfUser(ctx context.Context, tenantID, userID string) ([]Member, error) {
	members, err := s.query(ctx, tenantID, memberShard(userID), userPrefix(userID))
	if err != nil {
		return nil, fmt.Errorf("members of user: %w", err)
	}
	// An engine whose begins_with knows no upper and lower case would add another user's: auth closes what it finds here.
	return slices.DeleteFunc(members, func(m Member) bool { return m.UserID != userID }), nil
}

func (s *Store) query(ctx context.Context, tenantID string, shard int, prefix string) ([]Member, error) {
	input := &dynamodb.QueryInput{
		TableName: s.members, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("tenantShard = :shard"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":shard": dynamo.Text(tenantShardKey(tenantID, shard))},
	}
	if prefix != "" {
		input.KeyConditionExpression = aws.String("tenantShard = :shard AND begins_with(#member, :prefix)")
		input.ExpressionAttributeNames = map[string]string{"#member": "member"} // a reserved word
		input.ExpressionAttributeValues[":prefix"] = dynamo.Text(prefix)
	}
	now := s.now()
	var members []Member
	for pages := dynamodb.NewQueryPaginator(s.client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, dynamo.Err(fmt.Sprintf("query shard %d", shard), err)
		}
		var items []memberItem
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
			return nil, fmt.Errorf("query shard %d: %w", shard, err)
		}
		for _, item := range items {
			m, err := toMember(tenantID, item)
			if err != nil {
				return nil, fmt.Errorf("query shard %d: %w", shard, err)
			}
			if now.Before(m.ValidUntil) && now.Before(m.expiresAt()) {
				members = append(members, m)
			}
		}
	}
	return members, nil
}

// Due yields the ids of connections whose deadline has passed, as the index knows them: late, so that each must be read again
// before anything is done to it. It ends after the first error.
func (s *Store) Due(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for shard := range DeadlineShards {
			pages := dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{
				TableName: s.connections, IndexName: aws.String(deadlineIndex),
				KeyConditionExpression: aws.String("deadlineShard = :shard AND deadline <= :now"),
				ExpressionAttributeValues: map[string]types.AttributeValue{
					":shard": dynamo.Number(int64(shard)), ":now": dynamo.Number(s.now().UnixMilli()),
				},
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					yield("", dynamo.Err(fmt.Sprintf("query deadlines, shard %d", shard), err))
					return
				}
				for _, item := range page.Items {
					id, ok := item["connectionId"].(*types.AttributeValueMemberS)
					if !ok {
						yield("", errors.New("query deadlines: an index entry without connectionId"))
						return
					}
					if !yield(id.Value, nil) {
						return
					}
				}
			}
		}
	}
}
