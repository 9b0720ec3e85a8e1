package connection

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/purposepath/realtime/shared/dynamo"
)

// memberShard is where a user's connections are kept: all in one shard, so that "who is this user" is one query.
func memberShard(userID string) int { return hash(userID) % MemberShards }

// deadlineShard spreads the index by deadline, which would otherwise be one hot key.
func deadlineShard(connectionID string) int { return hash(connectionID) % DeadlineShards }

func hash(s string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails to write
	return int(h.Sum32() >> 1)
}

// escape keeps the separator of composite keys out of ids; unescape takes it back.
func escape(id string) string   { return strings.NewReplacer("%", "%25", "#", "%23").Replace(id) }
func unescape(id string) string { return strings.NewReplacer("%25", "%", "%23", "#").Replace(id) }

func tenantShardKey(tenantID string, shard int) string {
	return escape(tenantID) + "#" + strconv.Itoa(shard)
}

func userPrefix(userID string) string { return escape(userID) + "#" }

func memberKey(userID, connectionID string) string { return userPrefix(userID) + escape(connectionID) }

// splitMemberKey is the reverse of memberKey.
func splitMemberKey(key string) (userID, connectionID string, err error) {
	user, id, found := strings.Cut(key, "#")
	if !found {
		return "", "", fmt.Errorf("member key %q has no #", key)
	}
	return unescape(user), unescape(id), nil
}

func connectionKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"connectionId": dynamo.Text(id)}
}

func memberKeyOf(tenantID, userID, connectionID string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"tenantShard": dynamo.Text(tenantShardKey(tenantID, memberShard(userID))), "member": dynamo.Text(memberKey(userID, connectionID)),
	}
}
