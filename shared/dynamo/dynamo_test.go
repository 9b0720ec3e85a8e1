package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/purposepath/realtime/shared/backoff"
	"github.com/purposepath/realtime/shared/dynamo"
)

func cancelled(codes ...string) error {
	e := &types.TransactionCanceledException{}
	for _, code := range codes {
		reason := types.CancellationReason{Code: aws.String(code)}
		if code == "ConditionalCheckFailed" {
			reason.Item = map[string]types.AttributeValue{"head": dynamo.Number(7)}
		}
		e.CancellationReasons = append(e.CancellationReasons, reason)
	}
	return fmt.Errorf("operation error: %w", e)
}

func TestClassesOfErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		err                error
		transient, invalid bool
		condition          bool // of action 1
	}{
		{name: "conflict of transactions", err: cancelled("None", "TransactionConflict"), transient: true},
		{name: "throttled inside a transaction", err: cancelled("ThrottlingError", "None"), transient: true},
		{name: "a condition failed", err: cancelled("None", "ConditionalCheckFailed"), condition: true},
		{name: "a condition failed beside a conflict", err: cancelled("TransactionConflict", "ConditionalCheckFailed"), condition: true},
		{name: "an item is too large inside a transaction", err: cancelled("None", "ValidationError"), invalid: true},
		{name: "a conflict of a plain write", err: &smithy.GenericAPIError{Code: "TransactionConflictException"}, transient: true},
		{name: "throttled", err: &smithy.GenericAPIError{Code: "ThrottlingException"}, transient: true},
		{name: "capacity exceeded", err: &types.ProvisionedThroughputExceededException{}, transient: true},
		{name: "a fault of the service", err: &smithy.GenericAPIError{Code: "InternalFailure", Fault: smithy.FaultServer}, transient: true},
		{name: "no connection", err: &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, transient: true},
		{name: "an answer cut off", err: &smithy.DeserializationError{Err: errors.New("unexpected EOF")}, transient: true},
		{name: "validation", err: &smithy.GenericAPIError{Code: "ValidationException"}, invalid: true},
		{name: "no permission: an operator's matter, not the event's", err: &smithy.GenericAPIError{Code: "AccessDeniedException"}},
		{name: "no such table", err: &types.ResourceNotFoundException{}},
		{name: "the caller's time is over", err: &smithy.CanceledError{Err: context.DeadlineExceeded}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wrapped := dynamo.Err("commit", tt.err)
			if got := errors.Is(wrapped, backoff.ErrTransient); got != tt.transient {
				t.Errorf("transient = %v, want %v", got, tt.transient)
			}
			if !errors.Is(wrapped, tt.err) {
				t.Error("the service's error is lost")
			}
			if got := dynamo.Invalid(wrapped); got != tt.invalid {
				t.Errorf("invalid = %v, want %v", got, tt.invalid)
			}
			old, failed := dynamo.FailedCondition(wrapped, 1)
			if failed != tt.condition || (failed && len(old) != 1) {
				t.Errorf("failed condition of action 1 = %v %v, want %v", old, failed, tt.condition)
			}
		})
	}
	if dynamo.Err("commit", nil) != nil {
		t.Error("Err(nil) is an error")
	}
	item := map[string]types.AttributeValue{"a": dynamo.Text("b")}
	if old, failed := dynamo.FailedCondition(&types.ConditionalCheckFailedException{Item: item}, 0); !failed || len(old) != 1 {
		t.Errorf("FailedCondition of a plain write = %v, %v", old, failed)
	}
}
