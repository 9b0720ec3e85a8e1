package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/functions/broadcaster/handler"
	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/queue"
	"github.com/purposepath/realtime/shared/telemetry"
)

// A sink is the queues. Its error fails every call.
type sink struct {
	err     error
	sent    []queue.Message
	refused map[string]queue.Refusal // by body
}

func (s *sink) Send(_ context.Context, m queue.Message) error {
	s.sent = append(s.sent, m)
	return s.err
}

func (s *sink) Refuse(_ context.Context, body string, why queue.Refusal) error {
	if s.err == nil {
		s.refused = map[string]queue.Refusal{body: why}
	}
	return s.err
}

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func newHandler(s *sink, metrics *bytes.Buffer) *handler.Handler {
	clock := func() time.Time { return now }
	return &handler.Handler{Queue: s, Now: clock, Log: slog.New(slog.DiscardHandler), Metrics: telemetry.NewMetrics(metrics, "broadcaster", clock)}
}

func TestEverySampleIsAccepted(t *testing.T) {
	t.Parallel()
	accepted := 0
	for _, spec := range event.Catalogue() {
		if !spec.Domain() {
			continue
		}
		raw, err := os.ReadFile(filepath.Join("../../../events", spec.Type.Hyphenated()+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var s sink
		if err := newHandler(&s, &bytes.Buffer{}).Handle(t.Context(), raw); err != nil || len(s.sent) != 1 {
			t.Fatalf("%s: Handle = %v, %d sent, refused %v", spec.Type, err, len(s.sent), s.refused)
		}
		m := s.sent[0]
		if m.Event.Type != spec.Type || m.TenantID != m.Event.TenantID || m.EventID != m.Event.EventID || m.TenantID == "" || !m.AcceptedAt.Equal(now) {
			t.Errorf("%s: sent %+v", spec.Type, m)
		}
		accepted++
	}
	if accepted != 16 {
		t.Errorf("%d domain events, the protocol has 16", accepted)
	}
}

func bus(detailType, detail string) string {
	return `{"version":"0","id":"b1","detail-type":"` + detailType + `","source":"purposepath.goals","account":"123456789012",` +
		`"time":"2026-11-22T09:00:00Z","region":"eu-west-1","resources":[],"detail":` + detail + "}"
}

func TestWhatIsTheEventsFaultIsPutAsideByteForByteAndNotRetried(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw string
		want      queue.Refusal
	}{
		{"no tenant", bus("goal.resumed", `{"goalId":"g","resumedAt":"2026-11-22T09:00:00.000Z","resumedBy":"u"}`), queue.Refusal{Reason: "tenant_missing", Field: "tenantId", By: "broadcaster"}},
		{"unknown type", bus("goal.exploded", `{"tenantId":"acme"}`), queue.Refusal{Reason: "unknown_type", Field: "detail-type", By: "broadcaster"}},
		{"a field is missing", bus("goal.resumed", `{ "tenantId" : "acme","goalId":"g","resumedBy":"u"}`), queue.Refusal{Reason: "invalid_payload", Field: "resumedAt", By: "broadcaster"}},
		{"too large", bus("goal.resumed", `{"tenantId":"acme","goalId":"g","resumedAt":"2026-11-22T09:00:00.000Z","resumedBy":"u","x":"`+strings.Repeat("x", 33_000)+`"}`), queue.Refusal{Reason: "frame_too_large", By: "broadcaster"}},
		{"not from the bus", `{"id":5}`, queue.Refusal{Reason: "malformed_detail", By: "broadcaster"}},
		{"nothing", `null`, queue.Refusal{Reason: "unknown_type", Field: "detail-type", By: "broadcaster"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s sink
			var metrics bytes.Buffer
			if err := newHandler(&s, &metrics).Handle(t.Context(), json.RawMessage(tt.raw)); err != nil {
				t.Fatalf("Handle = %v, want nil: a retry mends nothing", err)
			}
			if diff := cmp.Diff(map[string]queue.Refusal{tt.raw: tt.want}, s.refused); diff != "" || len(s.sent) > 0 {
				t.Errorf("%d sent; put aside (-want +got):\n%s", len(s.sent), diff)
			}
			if !strings.Contains(metrics.String(), `"reason":"`+tt.want.Reason+`"`) || !strings.Contains(metrics.String(), "eventsRefused") {
				t.Errorf("metrics = %s", metrics.String())
			}
		})
	}
}

func TestWhatIsNotTheEventsFaultIsRetried(t *testing.T) {
	t.Parallel()
	away := errors.New("queue is away")
	for name, raw := range map[string]string{
		"accepted": bus("goal.resumed", `{"tenantId":"acme","goalId":"g","resumedAt":"2026-11-22T09:00:00.000Z","resumedBy":"u"}`),
		"refused":  bus("goal.resumed", `{"tenantId":"acme"}`),
	} {
		if err := newHandler(&sink{err: away}, &bytes.Buffer{}).Handle(t.Context(), json.RawMessage(raw)); !errors.Is(err, away) {
			t.Errorf("%s: Handle = %v, want the queue's error", name, err)
		}
	}
}
