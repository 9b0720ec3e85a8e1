package queue

import (
	"bytes"
	"encoding/json"
)

const (
	// maxEventBytes is the most a function takes in one synchronous invocation: 6 MB (Lambda quotas).
	maxEventBytes = 6 << 20
	// maxRecordBytes is the most a message takes of it: 1 MiB, each byte escaped by another, and the rest of its record.
	maxRecordBytes = 2*maxBytes + 4<<10
)

// record is one message as Lambda hands it to a function (aws-lambda-go events.SQSMessage; key order as AWS sends it).
type record struct {
	MessageID              string                     `json:"messageId"`
	ReceiptHandle          string                     `json:"receiptHandle"`
	Body                   string                     `json:"body"`
	Attributes             map[string]string          `json:"attributes"`
	MessageAttributes      map[string]recordAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                     `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                     `json:"md5OfBody"`
	EventSource            string                     `json:"eventSource"`
	EventSourceARN         string                     `json:"eventSourceARN"`
	AWSRegion              string                     `json:"awsRegion"`
}

type recordAttribute struct {
	StringValue      string   `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

// event is the payload of an invocation.
func (p *poller) event(batch []delivery) []byte {
	records := make([]record, len(batch))
	for i, d := range batch {
		attributes := make(map[string]recordAttribute, len(d.Attributes))
		for name, a := range d.Attributes {
			attributes[name] = recordAttribute{a.StringValue, a.BinaryValue, []string{}, [][]byte{}, a.DataType}
		}
		records[i] = record{
			d.id, d.handle, d.Body, d.systemAttributes(p.clock, p.senderID), attributes, attributesMD5(d.Attributes), d.bodyMD5,
			"aws:sqs", p.queue.arn, p.region,
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	// Strings, numbers and bytes always marshal.
	_ = encoder.Encode(map[string][]record{"Records": records})
	return bytes.TrimRight(b.Bytes(), "\n")
}

// eventSize is about what a message takes in an event: its text escaped as JSON, and the rest of its record.
func eventSize(m Message) int {
	const recordBytes, attributeBytes = 1100, 100
	size := recordBytes + escapedLen(m.Body) + len(m.TraceHeader)
	for name, a := range m.Attributes {
		size += attributeBytes + len(name) + len(a.DataType) + escapedLen(a.StringValue) + len(a.BinaryValue)*4/3
	}
	return size
}

// escapedLen leaves out other control characters: SQS refuses them.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch s[i] {
		case '"', '\\', '\n', '\r', '\t':
			n++
		}
	}
	return n
}

// failures reads what a function with ReportBatchItemFailures answered: the ids of the messages that are to stay in the
// queue. It is false when the answer can't be relied on, and then all stay: no JSON object, an id that is missing, empty
// or not of the batch. Source: Lambda developer guide, "Implementing partial batch responses", success and failure
// conditions.
func failures(payload []byte, batch []delivery) (map[string]bool, bool) {
	payload = bytes.TrimSpace(payload)
	if len(payload) == 0 || string(payload) == "null" {
		return nil, true
	}
	var answer map[string]json.RawMessage // not a struct: Go would take any case for the keys
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, false
	}
	list, given := answer["batchItemFailures"]
	if !given {
		return nil, true
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, false
	}
	known := make(map[string]bool, len(batch))
	for _, d := range batch {
		known[d.id] = true
	}
	stay := make(map[string]bool, len(items))
	for _, item := range items {
		var id string
		if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || !known[id] {
			return nil, false
		}
		stay[id] = true
	}
	return stay, true
}
