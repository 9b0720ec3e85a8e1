package queue

import "time"

// outgoing is one message as a client sends it, alone or in a batch.
type outgoing struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]attributeInput
	MessageSystemAttributes map[string]attributeInput
	MessageDeduplicationId  string
	MessageGroupId          string
}

type attributeInput struct {
	Attribute
	StringListValues []string
	BinaryListValues [][]byte
}

// accepted tells the client what the queue has, so that it can compare.
type accepted struct {
	Id                           string `json:",omitempty"`
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

type sendInput struct {
	queueOnly
	outgoing
}

type sendEntry struct {
	Id string
	outgoing
}

type sendBatchInput struct {
	queueOnly
	Entries []sendEntry
}

func (s *Queues) sendMessage(in sendInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	answer, refused := q.accept(in.outgoing)
	if refused != nil {
		return nil, refused
	}
	return answer, nil
}

func (s *Queues) sendMessageBatch(in sendBatchInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	id := func(e sendEntry) string { return e.Id }
	if err := checkBatch(in.Entries, id); err != nil {
		return nil, err
	}
	total := 0
	for _, entry := range in.Entries {
		m, refused := entry.message()
		if refused != nil {
			continue // said beside the entry
		}
		total += m.size()
		// Missing ids refuse the whole batch, with one and the same code.
		if q.def.FIFO && m.GroupID == "" {
			return nil, invalid("%s", missing("MessageGroupId").Message)
		}
		if refused := q.checkIDs(&m); refused != nil {
			return nil, refused
		}
	}
	if total > maxBytes {
		return nil, simple("BatchRequestTooLong", 400, "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBytes, total)
	}
	return each(in.Entries, id, func(e sendEntry) (any, *Error) {
		answer, refused := q.accept(e.outgoing)
		answer.Id = e.Id
		return answer, refused
	})
}

// accept puts one message into the queue.
func (q *queue) accept(out outgoing) (accepted, *Error) {
	m, err := out.message()
	if err != nil {
		return accepted{}, err
	}
	if err := q.check(&m); err != nil {
		return accepted{}, err
	}
	sent, err := q.put(m)
	if err != nil {
		return accepted{}, err
	}
	answer := accepted{
		MessageId: sent.id, SequenceNumber: sent.sequence,
		MD5OfMessageBody: md5Hex(m.Body), MD5OfMessageAttributes: attributesMD5(m.Attributes),
	}
	if m.TraceHeader != "" {
		answer.MD5OfMessageSystemAttributes = attributesMD5(map[string]Attribute{traceHeader: String(m.TraceHeader)})
	}
	return answer, nil
}

const traceHeader = "AWSTraceHeader"

func (out outgoing) message() (Message, *Error) {
	m := Message{Body: out.MessageBody, GroupID: out.MessageGroupId, DeduplicationID: out.MessageDeduplicationId}
	if out.DelaySeconds != nil {
		delay := seconds(out.DelaySeconds, time.Duration(0))
		m.Delay = &delay
	}
	for name, a := range out.MessageAttributes {
		if a.StringListValues != nil || a.BinaryListValues != nil {
			return m, simple("UnsupportedOperation", 400, "Message attribute list values in SendMessage operation are not supported.")
		}
		if m.Attributes == nil {
			m.Attributes = make(map[string]Attribute, len(out.MessageAttributes))
		}
		m.Attributes[name] = a.Attribute
	}
	for name, a := range out.MessageSystemAttributes {
		if name != traceHeader || a.DataType != "String" || a.StringValue == "" {
			return m, invalid("Message system attribute '%s' is invalid. Only AWSTraceHeader of type String is supported.", name)
		}
		m.TraceHeader = a.StringValue
	}
	return m, nil
}
