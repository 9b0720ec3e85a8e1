// Package dynamo is what the stores over DynamoDB share: the client, and errors in the words that callers act on.
package dynamo

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/purposepath/realtime/shared/awsenv"
	"github.com/purposepath/realtime/shared/backoff"
)

// Client is the environment's DynamoDB client.
func Client(env *awsenv.Env) *dynamodb.Client {
	endpoint := env.Endpoint("DYNAMODB")
	return dynamodb.NewFromConfig(env.AWS(), func(o *dynamodb.Options) { o.BaseEndpoint = endpoint })
}

// Err wraps an error of a call with what was attempted, and marks it as transient where the same call may succeed later:
// conflict, throttling, a fault of the service, or no answer at all. A call without an answer may have been carried out.
func Err(attempt string, err error) error {
	switch {
	case err == nil:
		return nil
	case transient(err):
		return fmt.Errorf("%s: %w: %w", attempt, backoff.ErrTransient, err)
	default:
		return fmt.Errorf("%s: %w", attempt, err)
	}
}

func transient(err error) bool {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		found := false
		for _, reason := range cancelled.CancellationReasons {
			switch aws.ToString(reason.Code) {
			case "", "None":
			case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
				found = true
			default:
				return false
			}
		}
		return found
	}
	var unsent *smithyhttp.RequestSendError
	var unread *smithy.DeserializationError
	if errors.As(err, &unsent) || errors.As(err, &unread) {
		return true // no answer: refused, reset, timed out, cut off
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	code := api.ErrorCode()
	return api.ErrorFault() == smithy.FaultServer || strings.Contains(code, "Throttl") ||
		code == "TransactionConflictException" || code == "TransactionInProgressException" ||
		code == "ProvisionedThroughputExceededException" || code == "RequestLimitExceeded" || code == "InternalServerError"
}

// FailedCondition returns the item that made a condition fail, nil if there was none, and whether a condition failed. It
// looks at the action with the given index of a transaction; a single write is index 0. The item is there only if the call
// asked for ReturnValuesOnConditionCheckFailure.
func FailedCondition(err error, index int) (old map[string]types.AttributeValue, failed bool) {
	var single *types.ConditionalCheckFailedException
	if errors.As(err, &single) {
		return single.Item, true
	}
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || index >= len(cancelled.CancellationReasons) {
		return nil, false
	}
	reason := cancelled.CancellationReasons[index]
	return reason.Item, aws.ToString(reason.Code) == "ConditionalCheckFailed"
}

// Invalid says whether the service refused a call for what was to be written: no repetition will change that.
func Invalid(err error) bool {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
			return aws.ToString(r.Code) == "ValidationError"
		})
	}
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationException"
}

// Text is a string attribute.
func Text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// Number is a whole-number attribute.
func Number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
