package table

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/purposepath/realtime/local/internal/template"
)

const (
	contentType = "application/x-amz-json-1.0"
	activePoll  = 50 * time.Millisecond // between two looks at a table that is being made; dynoxide's is there at once
)

// create makes a table and its TTL. One that exists, kept from an earlier run or in the user's own engine, stays as it is if
// its keys and indexes are the template's.
func (e *Engine) create(ctx context.Context, t template.Table) error {
	err := e.call(ctx, "CreateTable", t.Create, nil)
	if refused := (*refusal)(nil); err != nil && !(errors.As(err, &refused) && refused.code() == "ResourceInUseException") {
		return err
	}
	existed := err != nil
	made, err := e.active(ctx, t.Name)
	if err != nil {
		return err
	}
	if existed {
		var want keys
		if err := json.Unmarshal(t.Create, &want); err != nil {
			return err
		}
		if !reflect.DeepEqual(want.sorted(), made.sorted()) {
			return errors.New("the table is there with other keys or indexes than the template's: delete it, or its data folder")
		}
	}
	return e.expire(ctx, t)
}

// active waits until the table can be used and returns its keys.
func (e *Engine) active(ctx context.Context, name string) (keys, error) {
	var described struct {
		Table struct {
			TableStatus string
			keys
		}
	}
	for {
		if err := e.call(ctx, "DescribeTable", map[string]string{"TableName": name}, &described); err != nil {
			return keys{}, err
		}
		if described.Table.TableStatus == "ACTIVE" {
			return described.Table.keys, nil
		}
		select {
		case <-ctx.Done():
			return keys{}, fmt.Errorf("it is still %s: %w", described.Table.TableStatus, context.Cause(ctx))
		case <-time.After(activePoll):
		}
	}
}

// expire sets the table's TTL attribute. DynamoDB refuses to set what is set already.
func (e *Engine) expire(ctx context.Context, t template.Table) error {
	if t.TTLAttribute == "" {
		return nil
	}
	var described struct {
		TimeToLiveDescription struct{ TimeToLiveStatus, AttributeName string }
	}
	if err := e.call(ctx, "DescribeTimeToLive", map[string]string{"TableName": t.Name}, &described); err != nil {
		return err
	}
	if d := described.TimeToLiveDescription; d.TimeToLiveStatus == "ENABLED" && d.AttributeName == t.TTLAttribute {
		return nil
	}
	return e.call(ctx, "UpdateTimeToLive", map[string]any{
		"TableName":               t.Name,
		"TimeToLiveSpecification": map[string]any{"AttributeName": t.TTLAttribute, "Enabled": true},
	}, nil)
}

// keys are what cannot be changed about a table once it is there.
type keys struct {
	KeySchema              []keyElement
	GlobalSecondaryIndexes []index
	LocalSecondaryIndexes  []index
}

type keyElement struct{ AttributeName, KeyType string }

type index struct {
	IndexName string
	KeySchema []keyElement
}

// sorted makes two descriptions comparable: the order of indexes and of key elements has no meaning, and no list is an
// empty list.
func (k keys) sorted() keys {
	elements := func(list []keyElement) []keyElement {
		return slices.SortedFunc(slices.Values(list), func(a, b keyElement) int { return cmp.Compare(a.KeyType, b.KeyType) })
	}
	indexes := func(list []index) []index {
		sorted := slices.SortedFunc(slices.Values(list), func(a, b index) int { return cmp.Compare(a.IndexName, b.IndexName) })
		for i := range sorted {
			sorted[i].KeySchema = elements(sorted[i].KeySchema)
		}
		return sorted
	}
	return keys{elements(k.KeySchema), indexes(k.GlobalSecondaryIndexes), indexes(k.LocalSecondaryIndexes)}
}

// A refusal is an answer of the engine other than success.
type refusal struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.code() + ": " + r.Message }

// code is the error's name without its namespace.
func (r *refusal) code() string { return r.Type[strings.LastIndexByte(r.Type, '#')+1:] }

// call makes one call of DynamoDB's API; out may be nil.
func (e *Engine) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	err = e.upstream.exchange(ctx, "DynamoDB_20120810."+operation, contentType, body, func(res *http.Response) error {
		answer := json.NewDecoder(res.Body)
		if res.StatusCode == http.StatusOK {
			if out == nil {
				return nil
			}
			return answer.Decode(out)
		}
		refused := new(refusal)
		if answer.Decode(refused) != nil || refused.Type == "" {
			return fmt.Errorf("it answers status %d, which is not DynamoDB's way", res.StatusCode)
		}
		return refused
	})
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
