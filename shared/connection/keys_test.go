package connection

import (
	"strings"
	"testing"
)

// FuzzMemberKey: whatever ids tokens hold, no user's or tenant's key can be read as another's.
func FuzzMemberKey(f *testing.F) {
	f.Add("acme", "ana", "c=", "acme#0", "ana#c=")
	f.Add("a", "u%23", "c", "a%", "u#")
	f.Add("", "", "", "#", "%")
	f.Add("日本", "é", "c", "日本#1", "e\u0301")
	f.Fuzz(func(t *testing.T, tenant, user, id, otherTenant, otherUser string) {
		gotUser, gotID, err := splitMemberKey(memberKey(user, id))
		if err != nil || gotUser != user || gotID != id {
			t.Errorf("splitMemberKey(memberKey(%q, %q)) = %q, %q, %v", user, id, gotUser, gotID, err)
		}
		// OfUser asks for keys that begin with the user's prefix.
		if begins := strings.HasPrefix(memberKey(user, id), userPrefix(otherUser)); begins != (user == otherUser) {
			t.Errorf("connections of user %q are found under %q", user, otherUser)
		}
		for shard := range MemberShards {
			for otherShard := range MemberShards {
				same := tenant == otherTenant && shard == otherShard
				if (tenantShardKey(tenant, shard) == tenantShardKey(otherTenant, otherShard)) != same {
					t.Errorf("shard %d of tenant %q and shard %d of tenant %q: one key", shard, tenant, otherShard, otherTenant)
				}
			}
		}
		if n := memberShard(user); n < 0 || n >= MemberShards {
			t.Errorf("user %q is in shard %d", user, n)
		}
		if n := deadlineShard(id); n < 0 || n >= DeadlineShards {
			t.Errorf("connection %q is in deadline shard %d", id, n)
		}
	})
}
