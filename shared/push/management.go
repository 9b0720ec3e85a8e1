package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
)

// A Management is API Gateway's management API of one WebSocket API.
//
// The SDK's retryer is off: its retry quota drops posts under throttling (with every second post answered 429 it lost 312 of
// 1,000), and it repeats a hung post.
type Management struct{ client *api.Client }

// NewManagement returns the environment's management API with a transport for as many posts at a time as concurrency says: the
// default of ten idle connections a host is the largest single cost of a push.
func NewManagement(env *awsenv.Env, concurrency int) *Management {
	endpoint := env.ManagementEndpoint()
	transport := func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxConnsPerHost = concurrency, concurrency, concurrency
		t.TLSHandshakeTimeout = AttemptTimeout
		// A frozen function does not see the other side close. What is older than this when it thaws is not used again.
		t.IdleConnTimeout = time.Minute
	}
	return &Management{api.NewFromConfig(env.AWS(), func(o *api.Options) {
		o.BaseEndpoint = endpoint
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(transport)
		o.APIOptions = append(o.APIOptions, hashOnce)
	})}
}

type hashKey struct{}

// hashOnce hands the frame's own hash to the signer, which else hashes the body of every request.
func hashOnce(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("FrameHash",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if hash, ok := ctx.Value(hashKey{}).(string); ok {
				ctx = v4.SetPayloadHash(ctx, hash)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// Post implements Poster.
func (m *Management) Post(ctx context.Context, connectionID string, frame Frame) error {
	ctx = context.WithValue(ctx, hashKey{}, frame.hash)
	_, err := m.client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &connectionID, Data: frame.data})
	return wrap("post to", connectionID, err)
}

// Delete closes a connection (code 1000: the API can carry no other, and no reason). One that is gone is an ErrGone.
func (m *Management) Delete(ctx context.Context, connectionID string) error {
	ctx, cancel := context.WithTimeout(ctx, AttemptTimeout)
	defer cancel()
	_, err := m.client.DeleteConnection(ctx, &api.DeleteConnectionInput{ConnectionId: &connectionID})
	return wrap("close", connectionID, err)
}

// wrap maps the status, not the error's type: a 410 that a proxy answers has no x-amzn-ErrorType.
func wrap(attempt, connectionID string, err error) error {
	if err == nil {
		return nil
	}
	var response *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	class := error(nil)
	switch {
	case status == http.StatusGone:
		class = ErrGone
	case status == http.StatusTooManyRequests:
		class = fmt.Errorf("%w: %w", ErrThrottled, backoff.ErrTransient)
	case status == 0 || status >= http.StatusInternalServerError:
		class = backoff.ErrTransient
	default:
		return fmt.Errorf("%s connection %s: %w", attempt, connectionID, err)
	}
	return fmt.Errorf("%s connection %s: %w: %w", attempt, connectionID, class, err)
}
