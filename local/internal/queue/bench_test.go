package queue

import (
	"context"
	"testing"

	"github.com/purposepath/realtime/local/internal/lambda"
)

// BenchmarkWakeUp is the time from Send to the call of Invoke on an idle mapping.
func BenchmarkWakeUp(b *testing.B) {
	called := make(chan struct{})
	s := open(b, Config{
		Queues: tenant(), Mappings: mapping(),
		Invoker: invoker(func(string, []byte) (lambda.Result, error) {
			called <- struct{}{}
			return lambda.Result{}, nil
		}),
	})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	for b.Loop() {
		s.mustSend(b, "Tenant", Message{Body: `{"tenantId":"acme"}`, GroupID: "acme", DeduplicationID: newID()})
		<-called
	}
	cancel()
	<-ended
}
