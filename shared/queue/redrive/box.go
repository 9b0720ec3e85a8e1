package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// visibility is how long a letter is hidden from others while it is looked at, and how long after a program that was killed: longer
	// than a page of letters takes to be sent, short enough to wait for.
	visibility = 5 * time.Minute
	// pageSize is the most that SQS gives, deletes or changes in one call.
	pageSize = 10
	// pollSeconds makes each receive ask all of SQS's servers; a short poll asks some and can miss letters. Source: SQS developer
	// guide, "Amazon SQS short and long polling".
	pollSeconds = 1
)

// A box is a dead-letter queue.
type box struct {
	client *sqs.Client
	url    string
}

// counts are of SQS's own, approximate and a little late.
type counts struct {
	visible, hidden int
	retention       time.Duration
}

func (b box) counts(ctx context.Context) (counts, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameMessageRetentionPeriod,
	}
	out, err := b.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &b.url, AttributeNames: names})
	if err != nil {
		return counts{}, fmt.Errorf("ask how full %s is: %w", b.url, err)
	}
	number := func(name types.QueueAttributeName) int {
		n, _ := strconv.Atoi(out.Attributes[string(name)]) // an absent figure shows as 0
		return n
	}
	return counts{number(names[0]), number(names[1]), time.Duration(number(names[2])) * time.Second}, nil
}

// receive takes a page of letters and hides them. None means that there are no more to be had now.
func (b box) receive(ctx context.Context) ([]letter, error) {
	out, err := b.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &b.url, MaxNumberOfMessages: pageSize, VisibilityTimeout: int32(visibility / time.Second), WaitTimeSeconds: pollSeconds,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", b.url, err)
	}
	letters := make([]letter, len(out.Messages))
	for i, m := range out.Messages {
		letters[i] = read(m)
	}
	return letters, nil
}

// remove deletes at most a page of letters. It returns why one was not deleted, by id; the error is for all of them.
func (b box) remove(ctx context.Context, letters []letter) (map[string]error, error) {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(letters))
	for i, l := range letters {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &l.receipt}
	}
	out, err := b.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &b.url, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("delete from %s: %w", b.url, err)
	}
	failed := map[string]error{}
	for _, f := range out.Failed {
		if i, err := strconv.Atoi(aws.ToString(f.Id)); err == nil && i < len(letters) {
			failed[letters[i].id] = fmt.Errorf("%s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	return failed, nil
}

// release makes at most a page of letters visible again. One that can't be, because its time is up, is visible already or soon.
func (b box) release(ctx context.Context, receipts []string) error {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(receipts))
	for i, receipt := range receipts {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipt, VisibilityTimeout: 0}
	}
	if _, err := b.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &b.url, Entries: entries}); err != nil {
		return fmt.Errorf("make letters of %s visible again: %w", b.url, err)
	}
	return nil
}
