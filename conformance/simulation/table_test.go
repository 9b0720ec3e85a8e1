package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
)

// The tables are a simulated DynamoDB: the memory stores, whose single steps are atomic, behind calls that take time, fail, are carried
// out without an answer, or land after the caller gave up; and transactions whose items become visible one by one.
type tables struct {
	w           *world
	connections *connectiontest.Memory
	events      *eventlogtest.Memory

	hiddenMembers map[string]hiddenMember        // by connection
	hiddenEvents  map[string][]hiddenTransaction // by tenant, in their order
	oldDeadlines  map[string]time.Time           // until when the index names a connection by a deadline that it no longer has
}

// A hiddenMember is a transaction of auth that is not all visible yet.
type hiddenMember struct {
	member, connection time.Time // when the new items become visible
	old                connection.Connection
	oldMember          *connection.Member
}

// A hiddenTransaction is one of the pusher's.
type hiddenTransaction struct {
	head     time.Time // when each of its items becomes visible
	records  map[int64]time.Time
	ids      map[string]time.Time
	complete time.Time // when head and records are, those of earlier transactions too
	all      time.Time
	old      int64 // the head before it
}

var (
	errThrottled = fmt.Errorf("simulated throttling: %w", backoff.ErrTransient)
	errFailed    = fmt.Errorf("simulated failure: %w", backoff.ErrTransient)
	errConflict  = fmt.Errorf("simulated transaction conflict: %w", backoff.ErrTransient)
	errNoAnswer  = fmt.Errorf("simulated loss of the answer: %w", backoff.ErrTransient)
	errLate      = fmt.Errorf("simulated write that lands late: %w", backoff.ErrTransient)
)

func newTables(w *world, retention time.Duration) *tables {
	t := &tables{
		w: w, connections: connectiontest.NewMemory(time.Now), events: eventlogtest.NewMemory(retention, time.Now),
		hiddenMembers: map[string]hiddenMember{}, hiddenEvents: map[string][]hiddenTransaction{}, oldDeadlines: map[string]time.Time{},
	}
	t.connections.Before, t.events.Before = t.before, t.before
	return t
}

// writes are the steps that change a table.
var writes = []string{"put connection", "authenticate", "count failed attempt", "delete connection", "delete member", "create head", "commit"}

// before is every call on its way to the table.
func (t *tables) before(ctx context.Context, step string) error {
	inv := invocationOf(ctx)
	if inv == nil {
		return nil // the simulation's own look, or a write that lands late
	}
	w, key := t.w, inv.call(ctx, step)
	if err := w.await(ctx, key, w.latency(key)); err != nil {
		return err
	}
	if w.strikes(tableSlow, key) {
		if err := w.await(ctx, key+" slow", w.chance.between(100*time.Millisecond, 8*time.Second, "slow "+key)); err != nil {
			return err
		}
	}
	if w.crashes(inv, "before "+key) {
		return errKilled
	}
	isWrite := slices.Contains(writes, step)
	if isWrite && inv.function == "ping" {
		w.fail("a ping writes: %s", key)
	}
	transaction := step == "commit" || step == "authenticate"
	switch {
	// A transaction of the pusher may also find the other one carried out, though readers don't see all of it.
	case isWrite && t.inFlight(detailOf(ctx)) && (step != "commit" || w.chance.below(2, "conflict "+key) == 0):
		w.counts.conflicts++
		return errConflict
	case w.strikes(tableThrottled, key):
		return errThrottled
	case w.strikes(tableFailed, key):
		return errFailed
	case transaction && w.strikes(tableConflict, key):
		return errConflict
	case isWrite && w.strikes(tableLate, key):
		return errLate
	}
	w.note("  %s", key)
	return nil
}

// inFlight says whether a transaction over the connection's or the tenant's items is not complete.
func (t *tables) inFlight(detail string) bool {
	now := time.Now()
	if h, ok := t.hiddenMembers[detail]; ok && (now.Before(h.member) || now.Before(h.connection)) {
		return true
	}
	for _, h := range t.hiddenEvents[detail] {
		if now.Before(h.all) {
			return true
		}
	}
	return false
}

// write ends a call that changes something: again is the same write, for when it lands late.
func (t *tables) write(ctx context.Context, step string, err error, again func(context.Context) error) error {
	inv := invocationOf(ctx)
	if inv == nil {
		return err
	}
	w, key := t.w, inv.name+"/"+detailOf(ctx)+"/"+step
	switch {
	case errors.Is(err, errLate):
		w.after(w.chance.between(time.Millisecond, 3*time.Second, "late "+key), func() {
			w.note("  late: %s: %v", key, again(context.Background()))
		})
		return err
	case errors.Is(err, backoff.ErrTransient) || inv.over:
		return err
	case w.strikes(tableLostAnswer, key):
		return errNoAnswer
	case w.crashes(inv, "after "+key):
		return errKilled
	}
	return err
}

// visible lets a transaction take as long as its items need to become visible.
func (t *tables) visible(ctx context.Context, at time.Time) error {
	inv := invocationOf(ctx)
	if inv == nil || !time.Now().Before(at) {
		return nil
	}
	return t.w.await(ctx, inv.name+"/"+detailOf(ctx)+"/visible", time.Until(at))
}

// A connectionTable is the connections as functions have them.
type connectionTable struct{ *tables }

func (t connectionTable) Put(ctx context.Context, c connection.Connection) error {
	ctx = withDetail(ctx, c.ID)
	return t.write(ctx, "put connection", t.connections.Put(ctx, c), func(ctx context.Context) error { return t.connections.Put(ctx, c) })
}

func (t connectionTable) Get(ctx context.Context, id string) (connection.Connection, error) {
	c, err := t.connections.Get(withDetail(ctx, id), id)
	if h, ok := t.hiddenMembers[id]; ok && err == nil && time.Now().Before(h.connection) {
		return h.old, nil
	}
	return c, err
}

func (t connectionTable) Authenticate(ctx context.Context, m connection.Member) error {
	ctx = withDetail(ctx, m.ConnectionID)
	inv := invocationOf(ctx)
	err := t.authenticate(ctx, inv, m)
	if waited := t.visible(ctx, t.hiddenUntil(m.ConnectionID)); waited != nil && err == nil {
		err = waited
	}
	return t.write(ctx, "authenticate", err, func(ctx context.Context) error { return t.authenticate(ctx, inv, m) })
}

func (t connectionTable) authenticate(ctx context.Context, inv *invocation, m connection.Member) error {
	look := context.Background()
	err := t.connections.Before(ctx, "authenticate")
	if err != nil {
		return err
	}
	if t.inFlight(m.ConnectionID) {
		return errConflict // one that lands late meets another
	}
	old, _ := t.connections.Get(look, m.ConnectionID)
	oldMember := t.member(old)
	if err := t.connections.Authenticate(look, m); err != nil {
		return err
	}
	complete, where := time.Now(), fmt.Sprint("auth of ", m.ConnectionID, " at ", t.w.steps.Load())
	if t.w.strikes(tableOneByOne, where) {
		h := hiddenMember{
			old: old, oldMember: oldMember,
			member:     complete.Add(t.w.chance.between(0, 60*time.Millisecond, "member of "+where)),
			connection: complete.Add(t.w.chance.between(0, 60*time.Millisecond, "connection of "+where)),
		}
		t.hiddenMembers[m.ConnectionID] = h
		complete = t.hiddenUntil(m.ConnectionID)
	}
	if old.Deadline.Before(m.ValidUntil) && t.w.strikes(indexLate, where) {
		t.oldDeadlines[m.ConnectionID] = old.Deadline.Add(t.w.chance.between(0, 2*time.Minute, "index of "+where))
	}
	t.w.truth.authenticated(t.w, inv, old, m, complete)
	return nil
}

func (t *tables) hiddenUntil(id string) time.Time {
	return latest(t.hiddenMembers[id].member, t.hiddenMembers[id].connection)
}

// member is the member record of a connection, nil if there is none.
func (t *tables) member(c connection.Connection) *connection.Member {
	if !c.Authenticated() {
		return nil
	}
	members, _ := t.connections.OfUser(context.Background(), c.TenantID, c.UserID)
	if i := slices.IndexFunc(members, func(m connection.Member) bool { return m.ConnectionID == c.ID }); i >= 0 {
		return &members[i]
	}
	return nil
}

func (t connectionTable) FailedAttempt(ctx context.Context, id string) (int, error) {
	ctx = withDetail(ctx, id)
	n, err := t.connections.FailedAttempt(ctx, id)
	return n, t.write(ctx, "count failed attempt", err, func(ctx context.Context) error {
		_, err := t.connections.FailedAttempt(ctx, id)
		return err
	})
}

func (t connectionTable) Delete(ctx context.Context, id string) error {
	ctx = withDetail(ctx, id)
	return t.write(ctx, "delete", t.connections.Delete(ctx, id), func(ctx context.Context) error { return t.connections.Delete(ctx, id) })
}

func (t connectionTable) DeleteMember(ctx context.Context, m connection.Member) error {
	ctx = withDetail(ctx, m.ConnectionID)
	return t.write(ctx, "delete member", t.connections.DeleteMember(ctx, m), func(ctx context.Context) error { return t.connections.DeleteMember(ctx, m) })
}

func (t connectionTable) Members(ctx context.Context, tenantID string) ([]connection.Member, error) {
	members, err := t.connections.Members(withDetail(ctx, tenantID), tenantID)
	return t.seen(members), err
}

func (t connectionTable) OfUser(ctx context.Context, tenantID, userID string) ([]connection.Member, error) {
	members, err := t.connections.OfUser(withDetail(ctx, tenantID), tenantID, userID)
	return t.seen(members), err
}

// seen is what a reader sees of members while transactions are in flight.
func (t *tables) seen(members []connection.Member) []connection.Member {
	now := time.Now()
	seen := slices.DeleteFunc(slices.Clone(members), func(m connection.Member) bool {
		h, ok := t.hiddenMembers[m.ConnectionID]
		return ok && now.Before(h.member) && (h.oldMember == nil || !now.Before(h.oldMember.ValidUntil))
	})
	for i, m := range seen {
		if h, ok := t.hiddenMembers[m.ConnectionID]; ok && now.Before(h.member) {
			seen[i] = *h.oldMember
		}
	}
	for _, m := range seen {
		t.w.truth.listed(t.w, m)
	}
	return seen
}

func (t connectionTable) Due(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		named := map[string]bool{}
		for id, err := range t.connections.Due(ctx) {
			named[id] = true
			if !yield(id, err) || err != nil {
				return
			}
		}
		var late []string
		for id, until := range t.oldDeadlines {
			if !named[id] && time.Now().Before(until) {
				late = append(late, id)
			}
		}
		slices.Sort(late)
		for _, id := range late {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// membersOf are the members as they are, without a call.
func (t *tables) membersOf(tenantID string) []connection.Member {
	members, _ := t.connections.Members(context.Background(), tenantID)
	return members
}
