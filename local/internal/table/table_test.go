package table

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/purposepath/realtime/local/internal/template"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// TestFunctionsOperations is every kind of call that the product's functions make, through the stack's API with the SDK.
func TestFunctionsOperations(t *testing.T) {
	t.Parallel()
	e := startEngine(t, connections, events)
	db := client(t, serve(t, e), keyPair("local"), "eu-west-1")
	ctx := t.Context()

	t.Run("TTL is described", func(t *testing.T) {
		for _, name := range []string{"Connections", "Events"} {
			got, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			if err != nil {
				t.Fatal(err)
			}
			d := got.TimeToLiveDescription
			if d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != "expiresAt" {
				t.Errorf("%s: TTL %s on %s, want ENABLED on expiresAt", name, d.TimeToLiveStatus, aws.ToString(d.AttributeName))
			}
		}
	})
	t.Run("a failed condition in a transaction returns the old item", func(t *testing.T) {
		put := func(entry, data string) types.TransactWriteItem {
			return types.TransactWriteItem{Put: &types.Put{
				TableName: aws.String("Events"), Item: item{"tenantId": str("t1"), "entry": str(entry), "data": str(data)},
				ConditionExpression:                 aws.String("attribute_not_exists(entry)"),
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			}}
		}
		transact := func(items ...types.TransactWriteItem) error {
			_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
			return err
		}
		if err := transact(put("seq#1", "first"), put("id#a", "first")); err != nil {
			t.Fatal(err)
		}
		var canceled *types.TransactionCanceledException
		if err := transact(put("seq#2", "second"), put("id#a", "second")); !errors.As(err, &canceled) {
			t.Fatalf("TransactWriteItems = %v, want TransactionCanceledException", err)
		}
		reasons := canceled.CancellationReasons
		if len(reasons) != 2 || aws.ToString(reasons[0].Code) != "None" || aws.ToString(reasons[1].Code) != "ConditionalCheckFailed" {
			t.Fatalf("cancellation reasons %+v, want None and ConditionalCheckFailed", reasons)
		}
		if old, ok := reasons[1].Item["data"].(*types.AttributeValueMemberS); !ok || old.Value != "first" {
			t.Errorf("old item %v, want the first event's", reasons[1].Item)
		}
	})
	t.Run("a strongly consistent query sees what was put", func(t *testing.T) {
		got, err := db.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String("Events"), ConsistentRead: aws.Bool(true),
			KeyConditionExpression:    aws.String("tenantId = :t AND begins_with(entry, :e)"),
			ExpressionAttributeValues: item{":t": str("t1"), ":e": str("seq#")},
		})
		if err != nil || got.Count != 1 {
			t.Errorf("Query = %+v, %v, want the one event that was stored", got, err)
		}
	})
	t.Run("an index answers by its keys", func(t *testing.T) {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Connections"), Item: item{
			"connectionId": str("c1="), "deadlineShard": num("3"), "deadline": num("100"), "expiresAt": num("1"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String("Connections"), IndexName: aws.String("byDeadline"),
			KeyConditionExpression:    aws.String("deadlineShard = :s AND deadline < :d"),
			ExpressionAttributeValues: item{":s": num("3"), ":d": num("101")},
		})
		if err != nil || got.Count != 1 || len(got.Items[0]) != 3 {
			t.Errorf("Query = %+v, %v, want one item of three keys", got, err)
		}
	})
	t.Run("a failed condition is the SDK's error", func(t *testing.T) {
		_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: aws.String("Connections"), Key: item{"connectionId": str("c2=")},
			ConditionExpression: aws.String("attribute_exists(connectionId)"),
		})
		if refused := (*types.ConditionalCheckFailedException)(nil); !errors.As(err, &refused) {
			t.Errorf("DeleteItem = %v, want ConditionalCheckFailedException", err)
		}
	})
}

// TestEveryClientSeesTheSameTables: DynamoDB Local keeps tables apart by access key and Region, the stack must not.
func TestEveryClientSeesTheSameTables(t *testing.T) {
	t.Parallel()
	url := serve(t, startEngine(t, events))
	for name, db := range map[string]*dynamodb.Client{
		"signed":                  client(t, url, keyPair("local"), "eu-west-1"),
		"by another key, Region":  client(t, url, keyPair("AKIAEXAMPLE"), "us-east-1"),
		"unsigned":                client(t, url, aws.AnonymousCredentials{}, "eu-west-1"),
		"unsigned, another SDK's": client(t, url+"/", nil, "eu-west-1"),
	} {
		got, err := db.ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil || len(got.TableNames) != 1 || got.TableNames[0] != "Events" {
			t.Errorf("%s: ListTables = %+v, %v, want Events", name, got, err)
		}
	}
}

func TestConcurrentTransactionsAllCount(t *testing.T) {
	t.Parallel()
	e := startEngine(t, events)
	db := client(t, serve(t, e), keyPair("local"), "eu-west-1")
	const workers, each = 32, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					{Update: &types.Update{
						TableName: aws.String("Events"), Key: item{"tenantId": str("t1"), "entry": str("head")},
						UpdateExpression: aws.String("ADD made :one"), ExpressionAttributeValues: item{":one": num("1")},
					}},
					{Put: &types.Put{TableName: aws.String("Events"), Item: item{"tenantId": str("t1"), "entry": str(fmt.Sprintf("%d-%d", w, n))}}},
				}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("Events"), Key: item{"tenantId": str("t1"), "entry": str("head")}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if total, ok := got.Item["made"].(*types.AttributeValueMemberN); !ok || total.Value != fmt.Sprint(workers*each) {
		t.Errorf("total %v, want %d", got.Item["made"], workers*each)
	}
}

// TestTablesOutliveTheStack: with a data folder a table keeps its items, and a template whose keys changed is told apart.
func TestTablesOutliveTheStack(t *testing.T) {
	t.Parallel()
	cfg := Config{Tables: []template.Table{connections, events}, EngineDir: engineDir, DataDir: t.TempDir() + "/data", Log: slog.New(slog.DiscardHandler)}
	first := startConfig(t, cfg)
	if res, answer := send(t, serve(t, first), "PutItem", `{"TableName":"Events","Item":{"tenantId":{"S":"t1"},"entry":{"S":"seq#1"}}}`); res.StatusCode != 200 {
		t.Fatal(answer)
	}
	_ = first.Close()

	second := startConfig(t, cfg)
	_, answer := send(t, serve(t, second), "GetItem", `{"TableName":"Events","Key":{"tenantId":{"S":"t1"},"entry":{"S":"seq#1"}}}`)
	if !strings.Contains(answer, "seq#1") {
		t.Errorf("after a restart GetItem = %s, want the item", answer)
	}
	_ = second.Close()

	changed := events
	changed.Create = []byte(strings.ReplaceAll(string(events.Create), "entry", "position"))
	cfg.Tables = []template.Table{changed}
	if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "create table Events") || !strings.Contains(err.Error(), "other keys") {
		t.Errorf("with other keys Start = %v, want an error that names the table", err)
	}
}

// TestEndpointOfTheUsers: an engine that somebody else runs is used and left running.
func TestEndpointOfTheUsers(t *testing.T) {
	t.Parallel()
	theirs := startEngine(t, events)
	ours := startConfig(t, Config{Endpoint: theirs.URL(), EngineDir: t.TempDir(), Tables: []template.Table{connections, events}})
	if _, answer := send(t, serve(t, theirs), "ListTables", `{}`); !strings.Contains(answer, "Connections") {
		t.Errorf("ListTables = %s, want Connections made there", answer)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ours.Done():
	default:
		t.Error("Done is open after Close")
	}
	if ours.Err() != nil {
		t.Errorf("Err = %v after Close, want nil", ours.Err())
	}
	if res, answer := send(t, serve(t, theirs), "ListTables", `{}`); res.StatusCode != 200 {
		t.Errorf("their engine answers %s after our Close", answer)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	strangerJSON := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":"no such page"}`, http.StatusNotFound)
	}))
	t.Cleanup(strangerJSON.Close)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	broken := events
	broken.Create = []byte(`{"TableName":"Events"}`)
	tests := []struct {
		name string
		cfg  Config
		want []string // all of them in the error
	}{
		{"an endpoint that is no URL", Config{Endpoint: "127.0.0.1:8000"}, []string{"127.0.0.1:8000", "is not a URL such as"}},
		{"an endpoint where nobody listens", Config{Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port)}, []string{"create table Events", "connection refused"}},
		{"an endpoint that is not DynamoDB's", Config{Endpoint: stranger.URL}, []string{"create table Events", "status 404"}},
		{"an endpoint that speaks another JSON", Config{Endpoint: strangerJSON.URL}, []string{"create table Events", "status 404"}},
		{"no engine", Config{EngineDir: t.TempDir()}, []string{"npm", "--dynamodb-endpoint URL"}},
		{"a table that DynamoDB refuses", Config{EngineDir: engineDir, Tables: []template.Table{broken}}, []string{"create table Events", "ValidationException"}},
		{"a data folder that cannot be", Config{EngineDir: engineDir, DataDir: "/dev/null/data"}, []string{"start the embedded DynamoDB", "/dev/null"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Log = slog.New(slog.DiscardHandler)
			if tt.cfg.Tables == nil {
				tt.cfg.Tables = []template.Table{events}
			}
			_, err := Start(t.Context(), tt.cfg)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("Start = %v, want one line with %q", err, want)
				}
			}
		})
	}
}
