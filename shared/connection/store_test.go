package connection_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/shared/connection"
	"github.com/purposepath/realtime/shared/connection/connectiontest"
	"github.com/purposepath/realtime/shared/dynamo/dynamotest"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }

func TestStoreOnTheEngine(t *testing.T) {
	t.Parallel()
	connectiontest.Run(t, func(t *testing.T, now func() time.Time) connectiontest.Store {
		client, tables := dynamotest.Open(t)
		return connection.NewStore(client, tables.Connections, tables.Members, now)
	})
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	connectiontest.Run(t, func(_ *testing.T, now func() time.Time) connectiontest.Store {
		return connectiontest.NewMemory(now)
	})
}

// The engine has one copy of everything: only the request tells whether a read would be consistent on AWS.
func TestReadsAreStronglyConsistentButForTheIndex(t *testing.T) {
	t.Parallel()
	var recorder dynamotest.Recorder
	s := connection.NewStore(recorder.Client(), "Connections", "Members", time.Now)
	_, _ = s.Get(t.Context(), "a=")
	_, _ = s.Members(t.Context(), "acme")
	_, _ = s.OfUser(t.Context(), "acme", "ana")
	for range s.Due(t.Context()) {
		t.Error("something is due in an empty table")
	}
	reads, ofIndex := 0, 0
	for _, call := range recorder.Calls() {
		index := strings.Contains(call.Body, `"IndexName":"byDeadline"`)
		if consistent := strings.Contains(call.Body, `"ConsistentRead":true`); consistent == index {
			t.Errorf("%s %s: consistent %v", call.Operation, call.Body, consistent)
		}
		reads++
		if index {
			ofIndex++
		}
	}
	if reads != 1+connection.MemberShards+1+connection.DeadlineShards || ofIndex != connection.DeadlineShards {
		t.Errorf("%d reads, %d of the index", reads, ofIndex)
	}
}

func TestAMemberIsMadeOnlyWhileItsConnectionExistsAndIsItsOwn(t *testing.T) {
	t.Parallel()
	var recorder dynamotest.Recorder
	s := connection.NewStore(recorder.Client(), "Connections", "Members", time.Now)
	m := connection.Member{TenantID: "acme", UserID: "ana", ConnectionID: "a=", ConnectedAt: time.Now(), ValidUntil: time.Now().Add(time.Hour)}
	if err := s.Authenticate(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	call := recorder.Calls()[0]
	want := `"ConditionExpression":"attribute_exists(connectionId) AND (attribute_not_exists(tenantId) OR (tenantId = :tenant AND userId = :user))"`
	if call.Operation != "TransactWriteItems" || !strings.Contains(call.Body, want) || strings.Count(call.Body, `"TableName"`) != 2 {
		t.Errorf("call = %+v", call)
	}
}
