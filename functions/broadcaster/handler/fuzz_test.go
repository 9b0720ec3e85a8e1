package handler_test

import (
	"bytes"
	"os"
	"testing"
)

// FuzzHandle: whatever stands on the bus is either sent once, to the tenant it names, or put aside byte for byte. Nothing is dropped, and
// nothing is tried again for ever.
func FuzzHandle(f *testing.F) {
	sample, err := os.ReadFile("../../../events/goal-created.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte(`{"id":"i","detail-type":"goal.resumed","time":"2026-01-01T00:00:00Z","detail":{"tenantId":"a","goalId":"g","resumedAt":"2026-01-01T00:00:00Z","resumedBy":"u"}}`))
	f.Add([]byte(`{"detail-type":"goal.created","detail":null}`))
	f.Add([]byte(`[]`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s sink
		var metrics bytes.Buffer
		if err := newHandler(&s, &metrics).Handle(t.Context(), raw); err != nil {
			t.Fatalf("Handle = %v: Lambda would try it again", err)
		}
		if len(s.sent)+len(s.refused) != 1 {
			t.Fatalf("%d sent, %d put aside", len(s.sent), len(s.refused))
		}
		for body := range s.refused {
			if body != string(raw) {
				t.Errorf("put aside as %q", body)
			}
		}
		for _, m := range s.sent {
			if m.TenantID == "" || m.TenantID != m.Event.TenantID || m.EventID != m.Event.EventID {
				t.Errorf("sent %+v", m)
			}
		}
	})
}
