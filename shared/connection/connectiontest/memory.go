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

// Memory keeps connections and members in memory, in the atomic steps that the real store has (one a method; Delete and
// DeleteMember are two), so that a test can run every order of them.
type Memory struct {
	// Before is called before each step, if it is set; its error is the step's answer, and the step is not made.
	Before func(ctx context.Context, step string) error

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

func (s *Memory) before(ctx context.Context, step string) error {
	if s.Before == nil {
		return nil
	}
	return s.Before(ctx, step)
}

// Put implements Store.
func (s *Memory) Put(ctx context.Context, c connection.Connection) error {
	if err := s.before(ctx, "put connection"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections[c.ID] = c
	return nil
}

// Get implements Store.
func (s *Memory) Get(ctx context.Context, id string) (connection.Connection, error) {
	if err := s.before(ctx, "get connection"); err != nil {
		return connection.Connection{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	if !ok || !s.now().Before(c.ConnectedAt.Add(connection.MaxLife)) {
		return connection.Connection{}, fmt.Errorf("get connection %s: %w", id, connection.ErrNotFound)
	}
	return c, nil
}

// Authenticate implements Store.
func (s *Memory) Authenticate(ctx context.Context, m connection.Member) error {
	if err := s.before(ctx, "authenticate"); err != nil {
		return err
	}
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
	m.ConnectedAt = m.ConnectedAt.Truncate(time.Millisecond)
	s.members[keyOf(m)] = m
	return nil
}

// FailedAttempt implements Store.
func (s *Memory) FailedAttempt(ctx context.Context, id string) (int, error) {
	if err := s.before(ctx, "count failed attempt"); err != nil {
		return 0, err
	}
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
func (s *Memory) Delete(ctx context.Context, id string) error {
	c, err := s.deleteConnection(ctx, id)
	if err != nil || !c.Authenticated() {
		return err
	}
	return s.deleteMember(ctx, memberKey{c.TenantID, c.UserID, id})
}

// DeleteMember implements Store.
func (s *Memory) DeleteMember(ctx context.Context, m connection.Member) error {
	if _, err := s.deleteConnection(ctx, m.ConnectionID); err != nil {
		return err
	}
	return s.deleteMember(ctx, keyOf(m))
}

func (s *Memory) deleteConnection(ctx context.Context, id string) (connection.Connection, error) {
	if err := s.before(ctx, "delete connection"); err != nil {
		return connection.Connection{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.connections[id]
	delete(s.connections, id)
	return c, nil
}

func (s *Memory) deleteMember(ctx context.Context, key memberKey) error {
	if err := s.before(ctx, "delete member"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, key)
	return nil
}

// Members implements Store.
func (s *Memory) Members(ctx context.Context, tenantID string) ([]connection.Member, error) {
	return s.filter(ctx, "members", func(m connection.Member) bool { return m.TenantID == tenantID })
}

// OfUser implements Store.
func (s *Memory) OfUser(ctx context.Context, tenantID, userID string) ([]connection.Member, error) {
	return s.filter(ctx, "members of user", func(m connection.Member) bool { return m.TenantID == tenantID && m.UserID == userID })
}

func (s *Memory) filter(ctx context.Context, step string, want func(connection.Member) bool) ([]connection.Member, error) {
	if err := s.before(ctx, step); err != nil {
		return nil, err
	}
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
	return found, nil
}

// Due implements Store.
func (s *Memory) Due(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.before(ctx, "due"); err != nil {
			yield("", err)
			return
		}
		for _, id := range s.due() {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (s *Memory) due() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []string
	for id, c := range s.connections {
		if !c.Deadline.After(s.now()) {
			due = append(due, id)
		}
	}
	slices.Sort(due)
	return due
}
