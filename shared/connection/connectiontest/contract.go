// Package connectiontest is the contract of a connection store, as tests, and a store in memory that passes it.
package connectiontest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/purposepath/realtime/shared/connection"
)

// A Store is everything that the functions ask of connections; each of them asks for less.
type Store interface {
	Put(context.Context, connection.Connection) error
	Get(ctx context.Context, id string) (connection.Connection, error)
	Authenticate(context.Context, connection.Member) error
	FailedAttempt(ctx context.Context, id string) (int, error)
	Delete(ctx context.Context, id string) error
	DeleteMember(context.Context, connection.Member) error
	Members(ctx context.Context, tenantID string) ([]connection.Member, error)
	OfUser(ctx context.Context, tenantID, userID string) ([]connection.Member, error)
	Due(context.Context) iter.Seq2[string, error]
}

var (
	_ Store = (*Memory)(nil)
	_ Store = (*connection.Store)(nil)
)

// start is the present of every test: to the millisecond, which is how times are kept.
var start = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)

// a connection made at start.
func opened(id string) connection.Connection {
	return connection.Connection{
		ID: id, ConnectedAt: start, SourceIP: "203.0.113.7", UserAgent: "test", Deadline: start.Add(30 * time.Second),
	}
}

func member(tenantID, userID, id string) connection.Member {
	return connection.Member{TenantID: tenantID, UserID: userID, ConnectionID: id, ConnectedAt: start, ValidUntil: start.Add(time.Hour), AcceptsBatch: true}
}

// Run holds a store to the contract. open returns an empty store that reads the time from now.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Store) {
	type clock struct{ now time.Time }
	run := func(name string, test func(t *testing.T, s Store, c *clock)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: start}
			test(t, open(t, func() time.Time { return c.now }), c)
		})
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	members := func(t *testing.T, s Store, tenantID string) []connection.Member {
		t.Helper()
		got, err := s.Members(t.Context(), tenantID)
		must(t, err)
		slices.SortFunc(got, func(a, b connection.Member) int {
			return cmp.Or(strings.Compare(a.UserID, b.UserID), strings.Compare(a.ConnectionID, b.ConnectionID))
		})
		return got
	}
	due := func(t *testing.T, s Store) []string {
		t.Helper()
		var ids []string
		for id, err := range s.Due(t.Context()) {
			must(t, err)
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return ids
	}
	equal := func(t *testing.T, what string, want, got any) {
		t.Helper()
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}

	run("a connection is read back as it was put", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		got, err := s.Get(t.Context(), "a=")
		must(t, err)
		equal(t, "connection", opened("a="), got)
		equal(t, "members", []connection.Member(nil), members(t, s, "acme"))
	})

	run("a connection that never was is not found", func(t *testing.T, s Store, _ *clock) {
		_, err := s.Get(t.Context(), "none=")
		isErr(t, err, connection.ErrNotFound)
		isErr(t, s.Authenticate(t.Context(), member("acme", "ana", "none=")), connection.ErrNotFound)
		_, err = s.FailedAttempt(t.Context(), "none=")
		isErr(t, err, connection.ErrNotFound)
		equal(t, "members", []connection.Member(nil), members(t, s, "acme"))
	})

	run("a record outlives the two hours of a connection by five minutes and not more", func(t *testing.T, s Store, c *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		m := member("acme", "ana", "a=")
		m.ValidUntil = start.Add(24 * time.Hour)
		must(t, s.Authenticate(t.Context(), m))
		c.now = start.Add(2*time.Hour + 5*time.Minute - time.Millisecond)
		_, err := s.Get(t.Context(), "a=")
		must(t, err)
		equal(t, "members", 1, len(members(t, s, "acme")))
		c.now = start.Add(2*time.Hour + 5*time.Minute)
		_, err = s.Get(t.Context(), "a=")
		isErr(t, err, connection.ErrNotFound)
		equal(t, "members", 0, len(members(t, s, "acme")))
	})

	run("authentication makes a member and moves the deadline", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		m := member("acme", "ana", "a=")
		must(t, s.Authenticate(t.Context(), m))
		got, err := s.Get(t.Context(), "a=")
		must(t, err)
		want := opened("a=")
		want.TenantID, want.UserID, want.ValidUntil, want.Deadline, want.AcceptsBatch = "acme", "ana", m.ValidUntil, m.ValidUntil, true
		equal(t, "connection", want, got)
		equal(t, "members", []connection.Member{m}, members(t, s, "acme"))
	})

	run("renewal replaces validity and accept, and leaves one member", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		must(t, s.Authenticate(t.Context(), member("acme", "ana", "a=")))
		renewed := member("acme", "ana", "a=")
		renewed.ValidUntil, renewed.AcceptsBatch = start.Add(2*time.Hour), false
		must(t, s.Authenticate(t.Context(), renewed))
		equal(t, "members", []connection.Member{renewed}, members(t, s, "acme"))
		got, err := s.Get(t.Context(), "a=")
		must(t, err)
		equal(t, "deadline", renewed.ValidUntil, got.Deadline)
		equal(t, "accepts batch", false, got.AcceptsBatch)
	})

	run("another identity is refused and changes nothing", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		m := member("acme", "ana", "a=")
		must(t, s.Authenticate(t.Context(), m))
		isErr(t, s.Authenticate(t.Context(), member("acme", "bob", "a=")), connection.ErrOtherIdentity)
		isErr(t, s.Authenticate(t.Context(), member("rival", "ana", "a=")), connection.ErrOtherIdentity)
		equal(t, "members", []connection.Member{m}, members(t, s, "acme"))
		equal(t, "the rival's members", []connection.Member(nil), members(t, s, "rival"))
	})

	run("failed attempts are counted in a row", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		for want := 1; want <= 2; want++ {
			got, err := s.FailedAttempt(t.Context(), "a=")
			must(t, err)
			equal(t, "attempts", want, got)
		}
		must(t, s.Authenticate(t.Context(), member("acme", "ana", "a=")))
		got, err := s.FailedAttempt(t.Context(), "a=")
		must(t, err)
		equal(t, "attempts after a success", 1, got)
	})

	run("delete removes connection and member, and is idempotent", func(t *testing.T, s Store, _ *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		must(t, s.Authenticate(t.Context(), member("acme", "ana", "a=")))
		for range 2 {
			must(t, s.Delete(t.Context(), "a="))
			equal(t, "members", []connection.Member(nil), members(t, s, "acme"))
			_, err := s.Get(t.Context(), "a=")
			isErr(t, err, connection.ErrNotFound)
		}
		isErr(t, s.Authenticate(t.Context(), member("acme", "ana", "a=")), connection.ErrNotFound)
	})

	run("delete of a member removes exactly that connection", func(t *testing.T, s Store, _ *clock) {
		for _, id := range []string{"a=", "b="} {
			must(t, s.Put(t.Context(), opened(id)))
			must(t, s.Authenticate(t.Context(), member("acme", "ana", id)))
		}
		for range 2 {
			must(t, s.DeleteMember(t.Context(), member("acme", "ana", "a=")))
			equal(t, "members", []connection.Member{member("acme", "ana", "b=")}, members(t, s, "acme"))
			_, err := s.Get(t.Context(), "a=")
			isErr(t, err, connection.ErrNotFound)
		}
		_, err := s.Get(t.Context(), "b=")
		must(t, err)
	})

	run("a disconnect at the moment of authentication leaves no orphan", func(t *testing.T, s Store, _ *clock) {
		const rounds = 20
		for i := range rounds {
			id := fmt.Sprintf("%d=", i)
			must(t, s.Put(t.Context(), opened(id)))
			var both sync.WaitGroup
			both.Go(func() {
				if err := s.Authenticate(t.Context(), member("acme", "ana", id)); err != nil && !errors.Is(err, connection.ErrNotFound) {
					t.Error(err)
				}
			})
			both.Go(func() {
				if err := s.Delete(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
		}
		equal(t, "members", []connection.Member(nil), members(t, s, "acme"))
	})

	run("members are those of the tenant, over all shards and pages", func(t *testing.T, s Store, _ *clock) {
		var want []connection.Member
		for i := range 40 {
			m := member("acme", fmt.Sprintf("user-%02d", i), fmt.Sprintf("%02d=", i))
			must(t, s.Put(t.Context(), opened(m.ConnectionID)))
			must(t, s.Authenticate(t.Context(), m))
			want = append(want, m)
		}
		must(t, s.Put(t.Context(), opened("rival=")))
		must(t, s.Authenticate(t.Context(), member("rival", "user-00", "rival=")))
		equal(t, "members", want, members(t, s, "acme"))
	})

	run("ids of any characters stay apart", func(t *testing.T, s Store, _ *clock) {
		// Each pair would collide if ids were joined as they are.
		identities := [][2]string{{"a#1", "b"}, {"a", "1#b"}, {"a%23", "b"}, {"a#", "b"}, {"ä/тест", "使用者"}, {strings.Repeat("t", 256), strings.Repeat("#", 256)}}
		for i, identity := range identities {
			id := fmt.Sprintf("%d=", i)
			must(t, s.Put(t.Context(), opened(id)))
			must(t, s.Authenticate(t.Context(), member(identity[0], identity[1], id)))
		}
		for i, identity := range identities {
			want := []connection.Member{member(identity[0], identity[1], fmt.Sprintf("%d=", i))}
			equal(t, "members of "+identity[0], want, members(t, s, identity[0]))
			got, err := s.OfUser(t.Context(), identity[0], identity[1])
			must(t, err)
			equal(t, "connections of "+identity[1], want, got)
		}
	})

	run("a user's connections are theirs alone", func(t *testing.T, s Store, _ *clock) {
		for _, m := range []connection.Member{member("acme", "ana", "1="), member("acme", "ana", "2="), member("acme", "anabel", "3="), member("rival", "ana", "4=")} {
			must(t, s.Put(t.Context(), opened(m.ConnectionID)))
			must(t, s.Authenticate(t.Context(), m))
		}
		got, err := s.OfUser(t.Context(), "acme", "ana")
		must(t, err)
		equal(t, "connections", 2, len(got))
		for _, m := range got {
			if m.UserID != "ana" || m.TenantID != "acme" {
				t.Errorf("got %s of %s", m.UserID, m.TenantID)
			}
		}
	})

	run("a member is not returned from the moment its token has run out", func(t *testing.T, s Store, c *clock) {
		must(t, s.Put(t.Context(), opened("a=")))
		must(t, s.Authenticate(t.Context(), member("acme", "ana", "a=")))
		c.now = start.Add(time.Hour - time.Millisecond)
		equal(t, "members just before", 1, len(members(t, s, "acme")))
		c.now = start.Add(time.Hour)
		equal(t, "members", 0, len(members(t, s, "acme")))
		got, err := s.OfUser(t.Context(), "acme", "ana")
		must(t, err)
		equal(t, "connections of the user", 0, len(got))
	})

	run("what is past its deadline is due, and nothing else", func(t *testing.T, s Store, c *clock) {
		for _, id := range []string{"silent=", "late=", "authenticated="} {
			conn := opened(id)
			if id == "late=" {
				conn.Deadline = start.Add(time.Minute)
			}
			must(t, s.Put(t.Context(), conn))
		}
		must(t, s.Authenticate(t.Context(), member("acme", "ana", "authenticated=")))
		equal(t, "due at once", []string(nil), due(t, s))
		c.now = start.Add(30 * time.Second)
		equal(t, "due after 30 s", []string{"silent="}, due(t, s))
		c.now = start.Add(time.Hour)
		equal(t, "due after the token's hour", []string{"authenticated=", "late=", "silent="}, due(t, s))
		must(t, s.Delete(t.Context(), "late="))
		equal(t, "due after a delete", []string{"authenticated=", "silent="}, due(t, s))
	})
}

func isErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error = %v, want %v", err, want)
	}
}
