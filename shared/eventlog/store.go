package eventlog

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/purposepath/realtime/shared/dynamo"
)

// A Store is the log's storage in two DynamoDB tables.
//
// Shape: Tenants has key tenantId and the number head. Events has key (tenantId, entry): `seq#<19 digits>` holds the
// envelope as text, `id#<eventId>` the event's number as sequence; both carry expiresAt (TTL, seconds).
type Store struct {
	client    *dynamodb.Client
	tenants   *string
	events    *string
	retention time.Duration
	now       func() time.Time
}

// NewStore returns a store over the two tables that keeps events for retention, which must be below [IDRetention].
func NewStore(client *dynamodb.Client, tenantsTable, eventsTable string, retention time.Duration, now func() time.Time) *Store {
	return &Store{client: client, tenants: &tenantsTable, events: &eventsTable, retention: retention, now: now}
}

// NewReader returns a store for functions that append nothing.
func NewReader(client *dynamodb.Client, tenantsTable, eventsTable string, now func() time.Time) *Store {
	return NewStore(client, tenantsTable, eventsTable, 0, now)
}

func sequenceKey(sequence int64) string { return fmt.Sprintf("seq#%019d", sequence) }
func idKey(eventID string) string       { return "id#" + eventID }

// Head implements the log's storage.
func (s *Store) Head(ctx context.Context, tenantID string) (int64, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: s.tenants, Key: map[string]types.AttributeValue{"tenantId": dynamo.Text(tenantID)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return 0, dynamo.Err("get head", err)
	}
	return headOf(out.Item)
}

func headOf(item map[string]types.AttributeValue) (int64, error) {
	if len(item) == 0 {
		return 0, fmt.Errorf("head: %w", ErrNotFound)
	}
	return numberIn(item, "head")
}

// CreateHead implements the log's storage.
func (s *Store) CreateHead(ctx context.Context, tenantID string, first int64) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: s.tenants, Item: map[string]types.AttributeValue{"tenantId": dynamo.Text(tenantID), "head": dynamo.Number(first)},
		ConditionExpression: aws.String("attribute_not_exists(tenantId)"),
	})
	if _, exists := dynamo.FailedCondition(err, 0); exists {
		return nil
	}
	return dynamo.Err("create head", err)
}

// Commit implements the log's storage: action 0 is the head, then each entry's record and id.
func (s *Store) Commit(ctx context.Context, tenantID string, head int64, entries []Numbered) error {
	now := s.now()
	recordExpires, idExpires := dynamo.Number(now.Add(s.retention).Unix()), dynamo.Number(now.Add(IDRetention).Unix())
	actions := []types.TransactWriteItem{{Update: &types.Update{
		TableName: s.tenants, Key: map[string]types.AttributeValue{"tenantId": dynamo.Text(tenantID)},
		UpdateExpression: aws.String("SET head = :next"), ConditionExpression: aws.String("head = :head"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":head": dynamo.Number(head), ":next": dynamo.Number(head + int64(len(entries))),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
	for _, e := range entries {
		actions = append(actions,
			s.putNew(tenantID, sequenceKey(e.Sequence), map[string]types.AttributeValue{"envelope": dynamo.Text(string(e.Envelope)), "expiresAt": recordExpires}),
			s.putNew(tenantID, idKey(e.EventID), map[string]types.AttributeValue{"sequence": dynamo.Number(e.Sequence), "expiresAt": idExpires}))
	}
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	if err == nil {
		return nil
	}
	conflict, err := s.conflictOf(err, entries)
	if conflict != nil {
		return conflict
	}
	if dynamo.Invalid(err) {
		return fmt.Errorf("commit events: %w: %w", ErrInvalid, err)
	}
	return dynamo.Err("commit events", err)
}

func (s *Store) putNew(tenantID, entry string, item map[string]types.AttributeValue) types.TransactWriteItem {
	item["tenantId"], item["entry"] = dynamo.Text(tenantID), dynamo.Text(entry)
	return types.TransactWriteItem{Put: &types.Put{
		TableName: s.events, Item: item, ConditionExpression: aws.String("attribute_not_exists(entry)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// conflictOf reads a refused transaction: nil when no condition failed, and then the error to report.
func (s *Store) conflictOf(err error, entries []Numbered) (*Conflict, error) {
	conflict := &Conflict{Known: map[string]Known{}}
	refused := false
	if old, failed := dynamo.FailedCondition(err, 0); failed {
		head, err := headOf(old)
		if err != nil {
			return nil, fmt.Errorf("commit events: %w", err)
		}
		conflict.Head, refused = head, true
	}
	for i, e := range entries {
		if _, failed := dynamo.FailedCondition(err, 2*i+1); failed {
			refused = true // its number is taken, so the head has moved: its own action says where to
		}
		if old, failed := dynamo.FailedCondition(err, 2*i+2); failed {
			known, err := s.known(old)
			if err != nil {
				return nil, fmt.Errorf("commit events: id of %s: %w", e.EventID, err)
			}
			conflict.Known[e.EventID], refused = known, true
		}
	}
	if !refused {
		return nil, err
	}
	return conflict, nil
}

// known reads an id's item. Its time to live, which began when the event was stored, tells how old the record is.
func (s *Store) known(item map[string]types.AttributeValue) (Known, error) {
	sequence, err := numberIn(item, "sequence")
	if err != nil {
		return Known{}, err
	}
	idExpires, err := numberIn(item, "expiresAt")
	if err != nil {
		return Known{}, err
	}
	storedAt := time.Unix(idExpires, 0).Add(-IDRetention)
	return Known{Sequence: sequence, Expired: !s.now().Before(storedAt.Add(s.retention))}, nil
}

// NumberOf implements the log's storage.
func (s *Store) NumberOf(ctx context.Context, tenantID, eventID string) (int64, error) {
	item, err := s.entry(ctx, tenantID, idKey(eventID))
	if err != nil {
		return 0, err
	}
	return numberIn(item, "sequence")
}

// Record implements the log's storage.
func (s *Store) Record(ctx context.Context, tenantID string, sequence int64) (Record, error) {
	item, err := s.entry(ctx, tenantID, sequenceKey(sequence))
	if err != nil {
		return Record{}, err
	}
	return recordOf(item)
}

func (s *Store) entry(ctx context.Context, tenantID, entry string) (map[string]types.AttributeValue, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: s.events, Key: map[string]types.AttributeValue{"tenantId": dynamo.Text(tenantID), "entry": dynamo.Text(entry)}, ConsistentRead: aws.Bool(true),
	})
	switch {
	case err != nil:
		return nil, dynamo.Err("get entry", err)
	case len(out.Item) == 0 || s.expired(out.Item):
		return nil, fmt.Errorf("get entry: %w", ErrNotFound)
	}
	return out.Item, nil
}

// Range implements the log's storage.
func (s *Store) Range(ctx context.Context, tenantID string, after, through int64, maxRecords, maxBytes int) ([]Record, error) {
	if after >= through { // BETWEEN refuses bounds that are the wrong way round
		return nil, nil
	}
	pages := dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{
		TableName: s.events, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(maxRecords)),
		KeyConditionExpression: aws.String("tenantId = :tenant AND entry BETWEEN :from AND :to"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":tenant": dynamo.Text(tenantID), ":from": dynamo.Text(sequenceKey(after + 1)), ":to": dynamo.Text(sequenceKey(through)),
		},
	})
	var records []Record
	for bytes := 0; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, dynamo.Err("query events", err)
		}
		for _, item := range page.Items {
			record, err := recordOf(item)
			if err != nil {
				return nil, err
			}
			if s.expired(item) || record.Sequence != after+int64(len(records))+1 {
				return records, nil
			}
			records = append(records, record)
			if bytes += len(record.Envelope); len(records) == maxRecords || bytes >= maxBytes {
				return records, nil
			}
		}
	}
	return records, nil
}

// expired: TTL deletes late, so a reader looks for itself. An item without expiresAt is not one of ours and never served.
func (s *Store) expired(item map[string]types.AttributeValue) bool {
	expiresAt, err := numberIn(item, "expiresAt")
	return err != nil || s.now().Unix() >= expiresAt
}

func recordOf(item map[string]types.AttributeValue) (Record, error) {
	envelope, okEnvelope := item["envelope"].(*types.AttributeValueMemberS)
	entry, okEntry := item["entry"].(*types.AttributeValueMemberS)
	if !okEnvelope || !okEntry || len(entry.Value) < len("seq#") {
		return Record{}, fmt.Errorf("record: entry or envelope is missing")
	}
	sequence, err := strconv.ParseInt(entry.Value[len("seq#"):], 10, 64)
	if err != nil {
		return Record{}, fmt.Errorf("record: %w", err)
	}
	return Record{sequence, []byte(envelope.Value)}, nil
}

func numberIn(item map[string]types.AttributeValue, name string) (int64, error) {
	value, ok := item[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("attribute %s is missing", name)
	}
	return strconv.ParseInt(value.Value, 10, 64)
}
