package connection

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// connectionItem and memberItem are the stored shapes.
type connectionItem struct {
	ConnectionID  string `dynamodbav:"connectionId"`
	ConnectedAt   int64  `dynamodbav:"connectedAt"`
	SourceIP      string `dynamodbav:"sourceIp,omitempty"`
	UserAgent     string `dynamodbav:"userAgent,omitempty"`
	TenantID      string `dynamodbav:"tenantId,omitempty"`
	UserID        string `dynamodbav:"userId,omitempty"`
	MemberShard   *int   `dynamodbav:"memberShard,omitempty"`
	ValidUntil    int64  `dynamodbav:"validUntil,omitempty"`
	Accept        string `dynamodbav:"accept,omitempty"`
	AuthAttempts  int    `dynamodbav:"authAttempts,omitempty"`
	Deadline      int64  `dynamodbav:"deadline"`
	DeadlineShard int    `dynamodbav:"deadlineShard"`
	ExpiresAt     int64  `dynamodbav:"expiresAt"`
}

type memberItem struct {
	TenantShard string `dynamodbav:"tenantShard"`
	Member      string `dynamodbav:"member"`
	ValidUntil  int64  `dynamodbav:"validUntil"`
	Accept      string `dynamodbav:"accept,omitempty"`
	ConnectedAt int64  `dynamodbav:"connectedAt"`
	ExpiresAt   int64  `dynamodbav:"expiresAt"`
}

// acceptBatch is the stored form of a client's accept list: the words of it that the server knows.
const acceptBatch = "batch"

func acceptOf(batch bool) string {
	if batch {
		return acceptBatch
	}
	return ""
}

func toConnection(item map[string]types.AttributeValue) (Connection, error) {
	var stored connectionItem
	if err := attributevalue.UnmarshalMap(item, &stored); err != nil {
		return Connection{}, err
	}
	c := Connection{
		ID: stored.ConnectionID, ConnectedAt: time.UnixMilli(stored.ConnectedAt), SourceIP: stored.SourceIP, UserAgent: stored.UserAgent,
		TenantID: stored.TenantID, UserID: stored.UserID, AuthAttempts: stored.AuthAttempts, Deadline: time.UnixMilli(stored.Deadline),
	}
	if c.Authenticated() {
		c.ValidUntil = time.UnixMilli(stored.ValidUntil)
		c.AcceptsBatch = stored.Accept == acceptBatch
	}
	return c, nil
}

func toMember(tenantID string, item memberItem) (Member, error) {
	userID, id, err := splitMemberKey(item.Member)
	return Member{
		TenantID: tenantID, UserID: userID, ConnectionID: id, ConnectedAt: time.UnixMilli(item.ConnectedAt),
		ValidUntil: time.UnixMilli(item.ValidUntil), AcceptsBatch: item.Accept == acceptBatch,
	}, err
}
