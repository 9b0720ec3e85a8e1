package queue

import (
	"context"
	"slices"
	"strings"
	"time"
)

type receiveInput struct {
	queueOnly
	AttributeNames              []string // the old name of MessageSystemAttributeNames
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

type received struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string    `json:",omitempty"`
	MD5OfMessageAttributes string               `json:",omitempty"`
	MessageAttributes      map[string]Attribute `json:",omitempty"`
}

type receiveOutput struct {
	Messages []received `json:",omitempty"`
}

func (s *Queues) receiveMessage(ctx context.Context, in receiveInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	want := reception{
		messages:   1,
		visibility: seconds(in.VisibilityTimeout, q.def.VisibilityTimeout),
		wait:       seconds(in.WaitTimeSeconds, q.def.ReceiveWait),
	}
	if in.MaxNumberOfMessages != nil {
		want.messages = *in.MaxNumberOfMessages
	}
	switch {
	case want.messages < 1 || want.messages > maxReceive:
		return nil, invalidValue(want.messages, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	case want.visibility < 0 || want.visibility > maxVisibility:
		return nil, invalidValue(int64(want.visibility/time.Second), "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	case want.wait < 0 || want.wait > maxWait:
		return nil, invalidValue(int64(want.wait/time.Second), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	batch, err := q.receive(ctx, want)
	if err != nil {
		return nil, err
	}
	var out receiveOutput
	system := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for _, d := range batch {
		attributes := make(map[string]Attribute)
		for name, a := range d.Attributes {
			if wanted(in.MessageAttributeNames, name) {
				attributes[name] = a
			}
		}
		own := d.systemAttributes(s.cfg.Clock, s.cfg.AccountID)
		for name := range own {
			if !slices.Contains(system, name) && !slices.Contains(system, "All") {
				delete(own, name)
			}
		}
		out.Messages = append(out.Messages, received{
			d.id, d.handle, d.bodyMD5, d.Body, own, attributesMD5(attributes), attributes,
		})
	}
	return out, nil
}

// wanted: names are given in full, as "All" or ".*", or as a prefix with ".*".
func wanted(names []string, attribute string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		prefix, open := strings.CutSuffix(name, ".*")
		return name == "All" || name == attribute || open && strings.HasPrefix(attribute, prefix)
	})
}

type deleteInput struct {
	queueOnly
	ReceiptHandle string
}

type deleteEntry struct{ Id, ReceiptHandle string }

type deleteBatchInput struct {
	queueOnly
	Entries []deleteEntry
}

func (s *Queues) deleteMessage(in deleteInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == "" {
		return nil, missing("ReceiptHandle")
	}
	if refused := q.delete(in.ReceiptHandle); refused != nil {
		return nil, refused
	}
	return none{}, nil
}

func (s *Queues) deleteMessageBatch(in deleteBatchInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	id := func(e deleteEntry) string { return e.Id }
	if err := checkBatch(in.Entries, id); err != nil {
		return nil, err
	}
	return each(in.Entries, id, func(e deleteEntry) (any, *Error) { return succeeded{e.Id}, q.delete(e.ReceiptHandle) })
}

type visibilityInput struct {
	queueOnly
	ReceiptHandle     string
	VisibilityTimeout *int
}

type visibilityEntry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout *int
}

type visibilityBatchInput struct {
	queueOnly
	Entries []visibilityEntry
}

func (s *Queues) changeVisibility(in visibilityInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	switch {
	case in.ReceiptHandle == "":
		return nil, missing("ReceiptHandle")
	case in.VisibilityTimeout == nil:
		return nil, missing("VisibilityTimeout")
	}
	if refused := q.hide(in.ReceiptHandle, seconds(in.VisibilityTimeout, 0)); refused != nil {
		return nil, refused
	}
	return none{}, nil
}

func (s *Queues) changeVisibilityBatch(in visibilityBatchInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	id := func(e visibilityEntry) string { return e.Id }
	if err := checkBatch(in.Entries, id); err != nil {
		return nil, err
	}
	return each(in.Entries, id, func(e visibilityEntry) (any, *Error) {
		if e.VisibilityTimeout == nil {
			return nil, missing("VisibilityTimeout")
		}
		return succeeded{e.Id}, q.hide(e.ReceiptHandle, seconds(e.VisibilityTimeout, 0))
	})
}
