package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/purposepath/realtime/local/internal/template"
)

// client is AWS's own client of queues served over HTTP.
func client(t *testing.T, queues ...template.Queue) (*sqs.Client, *Queues) {
	t.Helper()
	s := open(t, Config{Queues: queues})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return sqs.New(sqs.Options{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		HTTPClient:   server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		RetryMaxAttempts: 1,
	}), s
}

func TestClientSendsReceivesAndDeletes(t *testing.T) {
	t.Parallel()
	c, _ := client(t, fifo("Q"))
	ctx := t.Context()
	at, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("Q")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(*at.QueueUrl, "/123456789012/Q") || !strings.HasPrefix(*at.QueueUrl, "http://127.0.0.1:") {
		t.Errorf("QueueUrl = %s", *at.QueueUrl)
	}
	sent, err := c.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: at.QueueUrl, MessageBody: aws.String("grüße <&>"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"text.one": {DataType: aws.String("String"), StringValue: aws.String("v")},
			"raw":      {DataType: aws.String("Binary.png"), BinaryValue: []byte{1, 2, 3}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-2-3")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The bare name is what !Ref gives locally.
	got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String("Q"), MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"text.*"},
	})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	m := got.Messages[0]
	if *m.Body != "grüße <&>" || *m.MessageId != *sent.MessageId || m.Attributes["SequenceNumber"] != *sent.SequenceNumber ||
		m.Attributes["MessageGroupId"] != "g" || m.Attributes["MessageDeduplicationId"] != "d" || m.Attributes["AWSTraceHeader"] != "Root=1-2-3" {
		t.Errorf("received %+v", m)
	}
	if len(m.MessageAttributes) != 1 || *m.MessageAttributes["text.one"].StringValue != "v" || *m.MD5OfMessageAttributes == *sent.MD5OfMessageAttributes {
		t.Errorf("attributes %v with digest %s, want text.one and the digest of what is given", m.MessageAttributes, *m.MD5OfMessageAttributes)
	}
	if _, err := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: at.QueueUrl, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}); err != nil {
		t.Fatal(err)
	}
	again, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: at.QueueUrl, WaitTimeSeconds: 5})
	if err != nil || len(again.Messages) != 1 || again.Messages[0].Attributes != nil {
		t.Fatalf("received again %+v, %v; want the message without attributes", again, err)
	}
	if _, err := c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: at.QueueUrl, ReceiptHandle: again.Messages[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	empty, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: at.QueueUrl})
	if err != nil || len(empty.Messages) != 0 {
		t.Errorf("after the delete received %+v, %v", empty, err)
	}
}

func TestClientBatches(t *testing.T) {
	t.Parallel()
	c, _ := client(t, standard("Q"))
	ctx := t.Context()
	sent, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String("Q"), Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("good"), MessageBody: aws.String("x")},
		{Id: aws.String("bad"), MessageBody: aws.String("\x01")},
		{Id: aws.String("late"), MessageBody: aws.String("y"), DelaySeconds: 901},
	}})
	if err != nil || len(sent.Successful) != 1 || *sent.Successful[0].Id != "good" || len(sent.Failed) != 2 {
		t.Fatalf("sent %+v, %v; want good to succeed", sent, err)
	}
	if f := sent.Failed[0]; *f.Id != "bad" || *f.Code != "InvalidMessageContents" || !f.SenderFault {
		t.Errorf("failed %+v", f)
	}
	if f := sent.Failed[1]; *f.Id != "late" || *f.Code != "InvalidParameterValue" || !strings.Contains(*f.Message, "Value 901 for parameter DelaySeconds") {
		t.Errorf("failed %+v", f)
	}
	got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("Q"), MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	handle := got.Messages[0].ReceiptHandle
	hidden, err := c.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String("Q"), Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: handle, VisibilityTimeout: 60},
		{Id: aws.String("2"), ReceiptHandle: aws.String("nonsense"), VisibilityTimeout: 60},
	}})
	if err != nil || len(hidden.Successful) != 1 || len(hidden.Failed) != 1 || *hidden.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("changed %+v, %v", hidden, err)
	}
	gone, err := c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String("Q"), Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: handle}, {Id: aws.String("2"), ReceiptHandle: aws.String("")},
	}})
	if err != nil || len(gone.Successful) != 1 || len(gone.Failed) != 1 {
		t.Errorf("deleted %+v, %v", gone, err)
	}
}

func TestClientReadsQueues(t *testing.T) {
	t.Parallel()
	c, s := client(t, redriven(fifo("Tenant"), "Dead", 10), fifo("Dead"), standard("Plain"))
	ctx := t.Context()
	s.mustSend(t, "Tenant", Message{Body: "1", GroupID: "g"})
	s.mustSend(t, "Tenant", Message{Body: "2", GroupID: "g"})
	if _, err := s.byName["Tenant"].receive(ctx, reception{messages: 1, visibility: time.Minute}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String("Tenant"), AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"QueueArn":                    "arn:aws:sqs:eu-west-1:123456789012:Tenant",
		"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "0",
		"VisibilityTimeout": "30", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "DelaySeconds": "0",
		"ReceiveMessageWaitTimeSeconds": "0", "FifoQueue": "true", "ContentBasedDeduplication": "true",
		"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
		"RedrivePolicy":    `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:Dead","maxReceiveCount":10}`,
		"CreatedTimestamp": got.Attributes["CreatedTimestamp"], "LastModifiedTimestamp": got.Attributes["CreatedTimestamp"],
	}
	if fmt.Sprint(got.Attributes) != fmt.Sprint(want) {
		t.Errorf("attributes %v\nwant       %v", got.Attributes, want)
	}
	one, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String("Plain"), AttributeNames: []types.QueueAttributeName{"RedrivePolicy", "DelaySeconds"}})
	if err != nil || len(one.Attributes) != 1 || one.Attributes["DelaySeconds"] != "0" {
		t.Errorf("two attributes of a queue without dead letters: %v, %v", one, err)
	}
	var names []string
	pages := sqs.NewListQueuesPaginator(c, &sqs.ListQueuesInput{MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range page.QueueUrls {
			names = append(names, url[strings.LastIndex(url, "/")+1:])
		}
	}
	if !slices.Equal(names, []string{"Dead", "Plain", "Tenant"}) {
		t.Errorf("queues %v", names)
	}
	if _, err := c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: aws.String("Tenant")}); err != nil {
		t.Fatal(err)
	}
	if visible, hidden, _ := s.byName["Tenant"].counts(); visible+hidden != 0 {
		t.Errorf("%d messages after the purge", visible+hidden)
	}
}

func TestClientMapsErrors(t *testing.T) {
	t.Parallel()
	c, s := client(t, fifo("Q"), standard("Standard"))
	ctx := t.Context()
	q := aws.String("Q")
	eleven := make([]types.SendMessageBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("x")}
	}
	batch := func(entries ...types.SendMessageBatchRequestEntry) error {
		_, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q, Entries: append([]types.SendMessageBatchRequestEntry{}, entries...)})
		return err
	}
	half := strings.Repeat("x", maxBytes/2+1)
	tests := []struct {
		name, code, text string
		as               any // the SDK's own type for it, if it has one
		call             func() error
	}{
		{"no such queue", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", new(*types.QueueDoesNotExist), func() error {
			_, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("Nowhere")})
			return err
		}},
		{"no such queue in the URL", "AWS.SimpleQueueService.NonExistentQueue", "", new(*types.QueueDoesNotExist), func() error {
			_, err := c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: aws.String("http://localhost:5055/123456789012/Nowhere")})
			return err
		}},
		{"no group", "MissingParameter", "The request must contain the parameter MessageGroupId.", nil, func() error {
			_, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String("x")})
			return err
		}},
		{"no group in a batch", "InvalidParameterValue", "The request must contain the parameter MessageGroupId.", nil, func() error {
			return batch(eleven[:1]...)
		}},
		{"eleven entries", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11.", new(*types.TooManyEntriesInBatchRequest), func() error {
			return batch(eleven...)
		}},
		{"no entries", "AWS.SimpleQueueService.EmptyBatchRequest", "", new(*types.EmptyBatchRequest), func() error { return batch() }},
		{"an id twice", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id 0 repeated.", new(*types.BatchEntryIdsNotDistinct), func() error {
			return batch(eleven[0], eleven[0])
		}},
		{"a bad id", "AWS.SimpleQueueService.InvalidBatchEntryId", "alphanumeric", new(*types.InvalidBatchEntryId), func() error {
			return batch(types.SendMessageBatchRequestEntry{Id: aws.String("a:b"), MessageBody: aws.String("x")})
		}},
		{"a batch over 1 MiB", "AWS.SimpleQueueService.BatchRequestTooLong", "You have sent 1048578 bytes.", new(*types.BatchRequestTooLong), func() error {
			return batch(
				types.SendMessageBatchRequestEntry{Id: aws.String("1"), MessageBody: &half, MessageGroupId: aws.String("g")},
				types.SendMessageBatchRequestEntry{Id: aws.String("2"), MessageBody: &half, MessageGroupId: aws.String("g")},
			)
		}},
		{"eleven messages", "InvalidParameterValue", "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", nil, func() error {
			_, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: 11})
			return err
		}},
		{"a wait of 21 s", "InvalidParameterValue", "WaitTimeSeconds", nil, func() error {
			_, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, WaitTimeSeconds: 21})
			return err
		}},
		{"a visibility beyond all bounds", "InvalidParameterValue", "VisibilityTimeout", nil, func() error {
			_, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, VisibilityTimeout: 1<<31 - 1})
			return err
		}},
		{"a foreign handle", "ReceiptHandleIsInvalid", "", new(*types.ReceiptHandleIsInvalid), func() error {
			_, err := c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: aws.String(formatHandle("Standard", newID(), 1))})
			return err
		}},
		{"visibility of what is gone", "InvalidParameterValue", "Message does not exist or is not available for visibility timeout change.", nil, func() error {
			_, err := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: q, ReceiptHandle: aws.String(formatHandle("Q", newID(), 1)), VisibilityTimeout: 1})
			return err
		}},
		{"too many in flight", "OverLimit", "", new(*types.OverLimit), func() error {
			full := s.byName["Standard"]
			full.maxInFlight = 0
			s.mustSend(t, "Standard", Message{Body: "x"})
			_, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("Standard")})
			return err
		}},
		{"an unknown attribute", "InvalidAttributeName", "Unknown Attribute Colour.", new(*types.InvalidAttributeName), func() error {
			_, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: q, AttributeNames: []types.QueueAttributeName{"Colour"}})
			return err
		}},
		{"what the template does", "AWS.SimpleQueueService.UnsupportedOperation", "The local stack does not do CreateQueue", new(*types.UnsupportedOperation), func() error {
			_, err := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("New")})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { // not parallel: one of them changes its queue
			err := tt.call()
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != tt.code || !strings.Contains(api.ErrorMessage(), tt.text) || api.ErrorFault() != smithy.FaultClient {
				t.Fatalf("answer %v, want %s: …%s", err, tt.code, tt.text)
			}
			if tt.as != nil && !errors.As(err, tt.as) {
				t.Errorf("answer %T, want %T", errors.Unwrap(err), tt.as)
			}
		})
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	_, s := client(t, fifo("Q"))
	tests := []struct {
		name, method, target, body string
		status                     int
		kind                       string
	}{
		{"no target", "POST", "", "{}", 400, "com.amazon.coral.service#UnknownOperationException"},
		{"a GET", "GET", "AmazonSQS.ListQueues", "", 400, "com.amazon.coral.service#UnknownOperationException"},
		{"no JSON", "POST", "AmazonSQS.SendMessage", "{", 400, "com.amazon.coral.service#SerializationException"},
		{"a wrong type", "POST", "AmazonSQS.SendMessage", `{"QueueUrl":7}`, 400, "com.amazon.coral.service#SerializationException"},
		{"no queue", "POST", "AmazonSQS.SendMessage", `{"MessageBody":"x"}`, 400, "com.amazon.coral.service#MissingRequiredParameterException"},
		{"20 MiB", "POST", "AmazonSQS.SendMessage", `{"QueueUrl":"` + strings.Repeat("x", 20<<20), 400, "com.amazonaws.sqs#BatchRequestTooLong"},
		{"no body at all", "POST", "AmazonSQS.ListQueues", "", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, "/123456789012/Q", strings.NewReader(tt.body))
			r.Header.Set("X-Amz-Target", tt.target)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != tt.status || !strings.Contains(string(body), tt.kind) || w.Header().Get("Content-Type") != "application/x-amz-json-1.0" || w.Header().Get("X-Amzn-Requestid") == "" {
				t.Errorf("%d %v %s, want %d %s", w.Code, w.Header(), body, tt.status, tt.kind)
			}
			if query := w.Header().Get("X-Amzn-Query-Error"); (query != "") != (tt.status != 200) {
				t.Errorf("X-Amzn-Query-Error = %q with status %d", query, tt.status)
			}
		})
	}
}

func TestLongPollEndsWithTheStack(t *testing.T) {
	t.Parallel()
	c, s := client(t, fifo("Q"))
	ended := make(chan error)
	go func() {
		_, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("Q"), WaitTimeSeconds: 20})
		ended <- err
	}()
	for waits := 0; waits == 0; time.Sleep(time.Millisecond) {
		q := s.byName["Q"]
		q.mu.Lock()
		waits = q.receivers.Len()
		q.mu.Unlock()
	}
	s.Close()
	if err := <-ended; err != nil {
		t.Errorf("a long poll when the stack stops = %v, want an empty answer", err)
	}
}

var _ http.Handler = (*Queues)(nil)
