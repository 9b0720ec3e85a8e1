package connectiontest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/purposepath/realtime/shared/connection"
)

// Memory keeps connections and members in memory. Each method is one atomic step, as each call of the real store's is (Delete
// and DeleteMember are two), so that a test can run every order of them.
type Memory struct {
	now func() time.Time

	mu          sync.Mutex
	connections map[string]connection.Connection
	members     map[memberKey]connection.Member
}

type memberKey struct{ tenantID, userID, connectionID string }

func keyOf(m connection.Member) memberKey { return memberKey{m.TenantID, m.UserID, m.ConnectionID} }

// NewMemory returns an empty store.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, connections: map[string]connection.Connection{}, members: map[memberKey]connection.Member{}}
}

// Put implements Store.
func (s *Memory) Put(_ context.Context, c connection.Connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections[c.ID] = c
	return nil
}

// Get implements Store.
func (s *Memory) Get(_ context.Context, id string) (connection.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	if !ok || !s.now().Before(c.ConnectedAt.Add(connection.MaxLife)) {
		return connection.Connection{}, fmt.Errorf("get connection %s: %w", id, connection.ErrNotFound)
	}
	return c, nil
}

// Authenticate implements Store.
func (s *Memory) Authenticate(_ context.Context, m connection.Member) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[m.ConnectionID]
	switch {
	case !ok:
		return fmt.Errorf("authenticate connection %s: %w", m.ConnectionID, connection.ErrNotFound)
	case c.Authenticated() && (c.TenantID != m.TenantID || c.UserID != m.UserID):
		return fmt.Errorf("authenticate connection %s: %w", m.ConnectionID, connection.ErrOtherIdentity)
	}
	c.TenantID, c.UserID, c.ValidUntil, c.AcceptsBatch = m.TenantID, m.UserID, m.ValidUntil, m.AcceptsBatch
	c.Deadline, c.AuthAttempts = m.ValidUntil, 0
	s.connections[c.ID] = c
	m.ConnectedAt = m.ConnectedAt.Truncate(time.Second)
	s.members[keyOf(m)] = m
	return nil
}

// FailedAttempt implements Store.
func (s *Memory) FailedAttempt(_ context.Context, id string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	if !ok {
		return 0, fmt.Errorf("count failed authentication of %s: %w", id, connection.ErrNotFound)
	}
	c.AuthAttempts++
	s.connections[id] = c
	return c.AuthAttempts, nil
}

// Delete implements Store.
func (s *Memory) Delete(_ context.Context, id string) error {
	if c, ok := s.deleteConnection(id); ok && c.Authenticated() {
		s.deleteMember(memberKey{c.TenantID, c.UserID, id})
	}
	return nil
}

// DeleteMember implements Store.
func (s *Memory) DeleteMember(_ context.Context, m connection.Member) error {
	s.deleteConnection(m.ConnectionID)
	s.deleteMember(keyOf(m))
	return nil
}

func (s *Memory) deleteConnection(id string) (connection.Connection, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	delete(s.connections, id)
	return c, ok
}

func (s *Memory) deleteMember(key memberKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, key)
}

// Members implements Store.
func (s *Memory) Members(_ context.Context, tenantID string) ([]connection.Member, error) {
	return s.filter(func(m connection.Member) bool { return m.TenantID == tenantID }), nil
}

// OfUser implements Store.
func (s *Memory) OfUser(_ context.Context, tenantID, userID string) ([]connection.Member, error) {
	return s.filter(func(m connection.Member) bool { return m.TenantID == tenantID && m.UserID == userID }), nil
}

func (s *Memory) filter(want func(connection.Member) bool) []connection.Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var found []connection.Member
	for _, m := range s.members {
		if want(m) && now.Before(m.ValidUntil) && now.Before(m.ConnectedAt.Add(connection.MaxLife)) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b connection.Member) int { return cmp.Compare(a.ConnectionID, b.ConnectionID) })
	return found
}

// Due implements Store.
func (s *Memory) Due(context.Context) iter.Seq2[string, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []string
	for id, c := range s.connections {
		if !c.Deadline.After(s.now()) {
			due = append(due, id)
		}
	}
	slices.Sort(due)
	return func(yield func(string, error) bool) {
		for _, id := range due {
			if !yield(id, nil) {
				return
			}
		}
	}
}
