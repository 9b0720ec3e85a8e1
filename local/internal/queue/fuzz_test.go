package queue

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzCall feeds any operation any bytes: it answers or refuses with an *Error, and what it answers is JSON.
func FuzzCall(f *testing.F) {
	for _, seed := range [][2]string{
		{"SendMessage", `{"QueueUrl":"Q","MessageBody":"x","MessageGroupId":"g","MessageAttributes":{"a":{"DataType":"Number","StringValue":"1"}}}`},
		{"SendMessageBatch", `{"QueueUrl":"Q","Entries":[{"Id":"1","MessageBody":"x","MessageGroupId":"g"},{"Id":"2"}]}`},
		{"ReceiveMessage", `{"QueueUrl":"http://h/1/Q","MaxNumberOfMessages":10,"MessageAttributeNames":["a.*"],"AttributeNames":["All"]}`},
		{"DeleteMessage", `{"QueueUrl":"Q","ReceiptHandle":"AQEBUQAxADE="}`},
		{"DeleteMessageBatch", `{"QueueUrl":"Q","Entries":[{"Id":"1","ReceiptHandle":"AQEB"}]}`},
		{"ChangeMessageVisibility", `{"QueueUrl":"Q","ReceiptHandle":"x","VisibilityTimeout":-9223372036854775808}`},
		{"ChangeMessageVisibilityBatch", `{"QueueUrl":"Q","Entries":[{"Id":"1"}]}`},
		{"GetQueueAttributes", `{"QueueUrl":"Q","AttributeNames":["All"]}`},
		{"GetQueueUrl", `{"QueueName":"a/Q"}`},
		{"ListQueues", `{"MaxResults":1,"NextToken":"\u0000"}`},
		{"PurgeQueue", `{"QueueUrl":"Q/"}`},
		{"CreateQueue", `{}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	s := open(f, Config{Queues: queuesOf(fifo("Q"))})
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		var in struct{ WaitTimeSeconds int }
		if json.Unmarshal(body, &in) != nil || in.WaitTimeSeconds != 0 {
			t.Skip("a long poll takes its time")
		}
		answer, err := s.run(t.Context(), "http://localhost", operation, body)
		var refused *Error
		switch {
		case err != nil && (!errors.As(err, &refused) || refused.Code == "" || refused.QueryCode == "" || refused.Status < 400):
			t.Errorf("%s refused with %#v", operation, err)
		case err == nil && answer == nil:
			t.Errorf("%s answered nothing", operation)
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Errorf("%s answered %#v: %v", operation, answer, err)
		}
	})
}

// FuzzFailures: whatever a function answers, no message is deleted that it named, and unknown ids keep all.
func FuzzFailures(f *testing.F) {
	for _, seed := range []string{`null`, `{}`, `{"batchItemFailures":[{"itemIdentifier":"1"}]}`, `{"batchItemFailures":[{"itemIdentifier":"3"}]}`, `[]`, `"x"`} {
		f.Add([]byte(seed))
	}
	batch := []delivery{{message: &message{id: "1"}}, {message: &message{id: "2"}}}
	f.Fuzz(func(t *testing.T, payload []byte) {
		stay, ok := failures(payload, batch)
		if !ok && stay != nil {
			t.Errorf("%s: %v although the answer can't be relied on", payload, stay)
		}
		for id := range stay {
			if id != "1" && id != "2" {
				t.Errorf("%s: %q stays, which is not of the batch", payload, id)
			}
		}
	})
}

// FuzzHandle: only what was given out is taken back.
func FuzzHandle(f *testing.F) {
	f.Add("AQEB")
	f.Add(formatHandle("Q", newID(), 1))
	f.Add(formatHandle("P", newID(), 1))
	f.Fuzz(func(t *testing.T, handle string) {
		id, receipt, ok := parseHandle("Q", handle)
		if !ok {
			return
		}
		again, same, ok := parseHandle("Q", formatHandle("Q", id, receipt))
		if !ok || again != id || same != receipt {
			t.Errorf("%q is %q, %d; written anew %q, %d, %v", handle, id, receipt, again, same, ok)
		}
	})
}
