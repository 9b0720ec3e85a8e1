package connection_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/dynamo/dynamotest"
)

// hostileIDs are what a token or a producer may call a tenant or a user: they hold separators of keys, escapes, other ids, the longest
// there may be, and texts that only look alike.
func hostileIDs() []string {
	return []string{
		"a", "A", "a ", "a#", "a#0", "a#1", "a#b", "a%", "a%23", "a%2523", "a%230", "#", "%", "a/b", "/", "../a", "a\\", "a\"", "a'", "a\u00a0",
		"é", "e\u0301", "日本", "\U0001f511", "\u200b", "\u202ea", "null", "0", "-1", "$connect", "{}", strings.Repeat("#", 256), strings.Repeat("日", 85),
		strings.Repeat("a", 255), strings.Repeat("a", 256),
	}
}

func TestMembersOfHostileIDsAreKeptApart(t *testing.T) {
	t.Parallel()
	client, tables := dynamotest.Open(t)
	s := connection.NewStore(client, tables.Connections, tables.Members, time.Now)
	now := time.Now()
	ids := hostileIDs()
	own := map[string][]string{} // connections of a tenant and user
	for i, tenant := range ids {
		for j := range 2 { // each tenant has two users, which other tenants have too
			user, id := ids[(i+j*7)%len(ids)], fmt.Sprintf("%d#%d=", i, j)
			m := connection.Member{TenantID: tenant, UserID: user, ConnectionID: id, ConnectedAt: now, ValidUntil: now.Add(time.Hour)}
			if err := errors.Join(s.Put(t.Context(), connection.Connection{ID: id, ConnectedAt: now}), s.Authenticate(t.Context(), m)); err != nil {
				t.Fatal(err)
			}
			own[tenant+"\x00"+user] = append(own[tenant+"\x00"+user], id)
		}
	}
	for _, tenant := range ids {
		members, err := s.Members(t.Context(), tenant)
		if err != nil || len(members) != 2 {
			t.Errorf("tenant %q has %d members, %v, want 2", tenant, len(members), err)
		}
		for _, m := range members {
			if want := own[tenant+"\x00"+m.UserID]; m.TenantID != tenant || len(want) != 1 || want[0] != m.ConnectionID {
				t.Errorf("tenant %q has member %q of user %q", tenant, m.ConnectionID, m.UserID)
			}
		}
		for _, user := range ids {
			members, err := s.OfUser(t.Context(), tenant, user)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range members {
				got = append(got, m.ConnectionID)
			}
			if diff := cmp.Diff(own[tenant+"\x00"+user], got); diff != "" {
				t.Errorf("connections of user %q of tenant %q (-want +got):\n%s", user, tenant, diff)
			}
		}
	}
}

// The verifier takes ids of 256 bytes. What is longer must fail, not be cut into somebody else's.
func TestIDsOfAKilobyteAreNobodyElses(t *testing.T) {
	t.Parallel()
	client, tables := dynamotest.Open(t)
	s := connection.NewStore(client, tables.Connections, tables.Members, time.Now)
	now := time.Now()
	long := strings.Repeat("u", 1<<10)
	m := connection.Member{TenantID: "acme", UserID: long, ConnectionID: "c=", ConnectedAt: now, ValidUntil: now.Add(time.Hour)}
	if err := s.Put(t.Context(), connection.Connection{ID: m.ConnectionID, ConnectedAt: now}); err != nil {
		t.Fatal(err)
	}
	if err := s.Authenticate(t.Context(), m); err == nil {
		t.Error("a sort key of more than 1,024 bytes was taken")
	}
	members, err := s.Members(t.Context(), "acme")
	c, errGet := s.Get(t.Context(), m.ConnectionID)
	if err != nil || errGet != nil || len(members) != 0 || c.Authenticated() {
		t.Errorf("%d members, %v; connection %+v, %v: nothing of the transaction may be left", len(members), err, c, errGet)
	}
}
