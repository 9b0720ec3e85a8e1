package eventlog_test

import (
	"os"
	"testing"
	"time"

	"github.com/purposepath/realtime/shared/dynamo/dynamotest"
	"github.com/purposepath/realtime/shared/eventlog"
	"github.com/purposepath/realtime/shared/eventlog/eventlogtest"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }

func TestStoreOnTheEngine(t *testing.T) {
	t.Parallel()
	eventlogtest.Run(t, func(t *testing.T, now func() time.Time) eventlogtest.Storage {
		client, tables := dynamotest.Open(t)
		return eventlog.NewStore(client, tables.Tenants, tables.Events, eventlogtest.Retention, now)
	})
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	eventlogtest.Run(t, func(_ *testing.T, now func() time.Time) eventlogtest.Storage {
		return eventlogtest.NewMemory(eventlogtest.Retention, now)
	})
}
