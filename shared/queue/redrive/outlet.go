package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queuetypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maxEntryBytes is the most that the entries of one PutEvents may have together: less than 1 MB, of which each entry's time counts for
// 14 bytes. Source: EventBridge user guide, "Calculating PutEvents event entry size".
const maxEntryBytes = 1_000_000

// A bus is where letters with an event of EventBridge's go. Its methods are for one goroutine.
type bus struct {
	client   *eventbridge.Client
	name     string
	patterns []string        // of its enabled rules; nil = not asked yet
	taken    map[string]bool // by source and detail-type
}

// takes is nil if a rule of the bus takes the event. EventBridge accepts what no rule takes, and even what is for a bus that does not
// exist, and drops it without a word.
func (b *bus) takes(ctx context.Context, e busEvent) error {
	if b.patterns == nil {
		if err := b.readRules(ctx); err != nil {
			return err
		}
	}
	kind := e.Source + " " + e.DetailType // what the template's rule looks at
	taken, known := b.taken[kind]
	if !known {
		var err error
		if taken, err = b.matches(ctx, e); err != nil {
			return err
		}
		b.taken[kind] = taken
	}
	if !taken {
		return fmt.Errorf("no enabled rule of the bus %s takes source %q with detail-type %q: it would be dropped", b.name, e.Source, e.DetailType)
	}
	return nil
}

var (
	// errBus is an error of the bus itself, with which no letter can go there.
	errBus = errors.New("the event bus")
	// errCall: a call did not get through, whatever was in it.
	errCall = errors.New("the call failed")
)

func (b *bus) readRules(ctx context.Context) error {
	b.patterns, b.taken = []string{}, map[string]bool{}
	in := &eventbridge.ListRulesInput{EventBusName: &b.name}
	for {
		out, err := b.client.ListRules(ctx, in)
		if err != nil {
			b.patterns = nil
			return fmt.Errorf("%w %s (name another with --bus): list its rules: %w", errBus, b.name, err)
		}
		for _, r := range out.Rules {
			if r.State != bustypes.RuleStateDisabled && r.EventPattern != nil {
				b.patterns = append(b.patterns, *r.EventPattern)
			}
		}
		if out.NextToken == nil {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

func (b *bus) matches(ctx context.Context, e busEvent) (bool, error) {
	text, err := json.Marshal(map[string]any{
		"version": "0", "id": e.ID, "detail-type": e.DetailType, "source": e.Source, "account": "123456789012", "time": e.Time.UTC().Format(time.RFC3339),
		"region": "eu-west-1", "resources": []string{}, "detail": e.Detail,
	})
	if err != nil {
		return false, err
	}
	for _, pattern := range b.patterns {
		out, err := b.client.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: &pattern, Event: aws.String(string(text))})
		if err != nil {
			return false, fmt.Errorf("%w %s: test a rule's pattern: %w", errBus, b.name, err)
		}
		if out.Result {
			return true, nil
		}
	}
	return false, nil
}

// send puts events and returns for each why it was not accepted.
func (b *bus) send(ctx context.Context, parcels []parcel) []error {
	results := make([]error, 0, len(parcels))
	for len(parcels) > 0 {
		var entries []bustypes.PutEventsRequestEntry
		size := 0
		for _, p := range parcels {
			const timeBytes = 14
			bytes := len(p.bus.Source) + len(p.bus.DetailType) + len(p.bus.Detail) + timeBytes
			for _, r := range p.bus.Resources {
				bytes += len(r)
			}
			if size += bytes; size > maxEntryBytes && len(entries) > 0 {
				break
			}
			entries = append(entries, bustypes.PutEventsRequestEntry{
				EventBusName: &b.name, Source: &p.bus.Source, DetailType: &p.bus.DetailType, Detail: aws.String(string(p.bus.Detail)),
				Time: &p.bus.Time, Resources: p.bus.Resources,
			})
		}
		results = append(results, b.put(ctx, entries)...)
		parcels = parcels[len(entries):]
	}
	return results
}

func (b *bus) put(ctx context.Context, entries []bustypes.PutEventsRequestEntry) []error {
	results := make([]error, len(entries))
	out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err == nil && len(out.Entries) != len(entries) {
		err = fmt.Errorf("%d answers to %d entries", len(out.Entries), len(entries))
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errCall, err)
	}
	for i := range entries {
		switch {
		case err != nil:
			results[i] = fmt.Errorf("put on %s: %w", b.name, err)
		case out.Entries[i].EventId == nil:
			results[i] = fmt.Errorf("put on %s: %s: %s", b.name, aws.ToString(out.Entries[i].ErrorCode), aws.ToString(out.Entries[i].ErrorMessage))
		}
	}
	return results
}

// A tenantQueue is where messages of the tenant queue go back to.
type tenantQueue struct {
	client *sqs.Client
	url    string
}

// send sends at most a page of messages and returns for each why it was not accepted.
//
// The deduplication id is the letter's, not the event's, which the queue may have seen within the last five minutes: it would accept
// the message and drop it, and then the letter would be deleted. A letter that is sent twice is dropped the second time, and may be:
// the first one is in the queue, was handled, or is a letter again under another id. That an event stays one is the log's work.
func (q tenantQueue) send(ctx context.Context, parcels []parcel) []error {
	results := make([]error, len(parcels))
	entries := make([]queuetypes.SendMessageBatchRequestEntry, len(parcels))
	fail := func(err error) []error {
		for i := range results {
			results[i] = fmt.Errorf("send to %s: %w", q.url, err)
		}
		return results
	}
	for i, p := range parcels {
		body, err := json.Marshal(p.queued)
		if err != nil {
			return fail(err)
		}
		entries[i] = queuetypes.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(body)), MessageGroupId: &p.group, MessageDeduplicationId: &p.letterID,
		}
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return fail(fmt.Errorf("%w: %w", errCall, err))
	}
	accepted := map[string]bool{}
	for _, s := range out.Successful {
		accepted[aws.ToString(s.Id)] = true
	}
	for i := range results {
		if !accepted[strconv.Itoa(i)] {
			results[i] = fmt.Errorf("send to %s: not accepted", q.url)
		}
	}
	for _, f := range out.Failed {
		if i, err := strconv.Atoi(aws.ToString(f.Id)); err == nil && i < len(results) {
			results[i] = fmt.Errorf("send to %s: %s: %s", q.url, aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	return results
}
