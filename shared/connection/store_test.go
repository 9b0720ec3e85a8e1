package connection_test

import (
	"os"
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
