package eventlogtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/purposepath/realtime/shared/eventlog"
)

// Memory keeps logs in memory. Each method is one atomic step, as each call of the real store's is.
type Memory struct {
	// Before is called before each step, if it is set; its error is the step's answer, and the step is not made.
	Before func(ctx context.Context, step string) error

	retention time.Duration
	now       func() time.Time

	mu      sync.Mutex
	tenants map[string]*tenant
}

// maxItem is the most an item of DynamoDB holds, in bytes.
const maxItem = 400 << 10

type tenant struct {
	head    int64
	records map[int64]stored
	ids     map[string]eventlog.Known
	stored  map[string]time.Time // of ids
}

type stored struct {
	envelope []byte
	expires  int64 // Unix seconds, as TTL has it
}

// NewMemory returns an empty store.
func NewMemory(retention time.Duration, now func() time.Time) *Memory {
	return &Memory{retention: retention, now: now, tenants: map[string]*tenant{}}
}

func (s *Memory) before(ctx context.Context, step string) error {
	if s.Before == nil {
		return nil
	}
	return s.Before(ctx, step)
}

// Head implements Storage.
func (s *Memory) Head(ctx context.Context, tenantID string) (int64, error) {
	if err := s.before(ctx, "head"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tenants[tenantID]; ok {
		return t.head, nil
	}
	return 0, fmt.Errorf("head: %w", eventlog.ErrNotFound)
}

// CreateHead implements Storage.
func (s *Memory) CreateHead(ctx context.Context, tenantID string, first int64) error {
	if err := s.before(ctx, "create head"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tenants[tenantID]; !ok {
		s.tenants[tenantID] = &tenant{head: first, records: map[int64]stored{}, ids: map[string]eventlog.Known{}, stored: map[string]time.Time{}}
	}
	return nil
}

// Commit implements Storage.
func (s *Memory) Commit(ctx context.Context, tenantID string, head int64, entries []eventlog.Numbered) error {
	if err := s.before(ctx, "commit"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tenants[tenantID]
	if !ok {
		return fmt.Errorf("commit: %w", eventlog.ErrNotFound)
	}
	conflict := &eventlog.Conflict{Known: map[string]eventlog.Known{}}
	if t.head != head {
		conflict.Head = t.head
	}
	for _, e := range entries {
		if known, ok := t.ids[e.EventID]; ok {
			known.Expired = !s.now().Before(t.stored[e.EventID].Truncate(time.Second).Add(s.retention))
			conflict.Known[e.EventID] = known
		}
	}
	if conflict.Head != 0 || len(conflict.Known) > 0 {
		return conflict
	}
	for _, e := range entries {
		if len(e.Envelope) > maxItem {
			return fmt.Errorf("commit: %w: %d bytes", eventlog.ErrInvalid, len(e.Envelope))
		}
	}
	for _, e := range entries {
		t.head = e.Sequence
		t.records[e.Sequence] = stored{e.Envelope, s.now().Add(s.retention).Unix()}
		t.ids[e.EventID] = eventlog.Known{Sequence: e.Sequence}
		t.stored[e.EventID] = s.now()
	}
	return nil
}

// Record implements Storage.
func (s *Memory) Record(ctx context.Context, tenantID string, sequence int64) (eventlog.Record, error) {
	if err := s.before(ctx, "record"); err != nil {
		return eventlog.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.live(tenantID, sequence); ok {
		return r, nil
	}
	return eventlog.Record{}, fmt.Errorf("record: %w", eventlog.ErrNotFound)
}

func (s *Memory) live(tenantID string, sequence int64) (eventlog.Record, bool) {
	t, ok := s.tenants[tenantID]
	if !ok {
		return eventlog.Record{}, false
	}
	r, ok := t.records[sequence]
	return eventlog.Record{Sequence: sequence, Envelope: r.envelope}, ok && s.now().Unix() < r.expires
}

// Range implements Storage.
func (s *Memory) Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]eventlog.Record, error) {
	if err := s.before(ctx, "range"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []eventlog.Record
	bytes := 0
	if t, ok := s.tenants[tenantID]; ok {
		through = min(through, t.head)
	}
	for sequence := after + 1; sequence <= through && len(records) < maxRecords && bytes < maxBytes; sequence++ {
		r, ok := s.live(tenantID, sequence)
		if !ok {
			break
		}
		records = append(records, r)
		bytes += len(r.Envelope)
	}
	return records, nil
}

// NumberOf implements Storage.
func (s *Memory) NumberOf(ctx context.Context, tenantID, eventID string) (int64, error) {
	if err := s.before(ctx, "number of event"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tenants[tenantID]; ok {
		if known, ok := t.ids[eventID]; ok {
			return known.Sequence, nil
		}
	}
	return 0, fmt.Errorf("number of event: %w", eventlog.ErrNotFound)
}
