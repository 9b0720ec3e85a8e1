package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// maxEntries is the most that one PutEvents takes.
const maxEntries = 10

// A producer is a domain service: it puts events on the stack's bus. It writes the request itself, so that no SDK's work is in the
// figures.
type producer struct {
	stack *stack
	last  atomic.Int64 // number of the last event
}

type entry struct{ EventBusName, Source, DetailType, Detail string }

// event returns an entry of an ordinary event, whose frame has some 600 bytes, and its id.
func (p *producer) event(tenant string) (id string, _ entry) {
	id = "bench-" + strconv.FormatInt(p.last.Add(1), 10)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	detail := fmt.Sprintf(`{"tenantId":%q,"eventId":%q,"occurredAt":%q,"goalId":"goal-4f1c","userId":"user-ana","title":"Grow the team",`+
		`"description":"Two more engineers and a designer before summer, and a first week that shows them how we work.",`+
		`"status":"active","createdAt":%q,"createdBy":"user-ana","actorName":"Ana"}`, tenant, id, now, now)
	return id, entry{EventBusName: p.stack.bus, Source: "purposepath.goals", DetailType: "goal.created", Detail: detail}
}

// put puts up to ten events. They are accepted when it returns, not delivered.
func (p *producer) put(ctx context.Context, entries ...entry) error {
	body, err := json.Marshal(map[string]any{"Entries": entries})
	if err != nil {
		return fmt.Errorf("PutEvents: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.stack.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("PutEvents: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	var answer struct {
		FailedEntryCount int
		Entries          []struct{ ErrorCode, ErrorMessage string }
	}
	if err := p.stack.do(request, &answer); err != nil {
		return fmt.Errorf("PutEvents: %w", err)
	}
	if answer.FailedEntryCount > 0 {
		return fmt.Errorf("PutEvents refused %d entries: %+v", answer.FailedEntryCount, answer.Entries)
	}
	return nil
}
