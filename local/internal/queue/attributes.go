package queue

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Queues) purgeQueue(in queueOnly) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if refused := q.purge(); refused != nil {
		return nil, refused
	}
	return none{}, nil
}

type getURLInput struct{ QueueName string }

func (s *Queues) getURL(base string, in getURLInput) (any, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	if s.byName[in.QueueName] == nil {
		return nil, noQueue()
	}
	return map[string]string{"QueueUrl": s.url(base, in.QueueName)}, nil
}

func (s *Queues) url(base, name string) string { return base + "/" + s.cfg.AccountID + "/" + name }

type listInput struct {
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listOutput struct {
	QueueUrls []string `json:",omitempty"`
	NextToken string   `json:",omitempty"`
}

// listQueues pages by name: the token is the last name of the page before.
func (s *Queues) listQueues(base string, in listInput) (any, error) {
	most := 1000
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	if most < 1 || most > 1000 {
		return nil, invalidValue(most, "MaxResults", "Must be between 1 and 1000.")
	}
	var out listOutput
	last := ""
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if !strings.HasPrefix(name, in.QueueNamePrefix) || name <= in.NextToken {
			continue
		}
		if len(out.QueueUrls) == most {
			out.NextToken = last
			break
		}
		out.QueueUrls = append(out.QueueUrls, s.url(base, name))
		last = name
	}
	return out, nil
}

type attributesInput struct {
	queueOnly
	AttributeNames []string
}

type attributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

// unset are attributes that a queue can have and ours never has.
var unset = []string{
	"Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "RedriveAllowPolicy", "SqsManagedSseEnabled",
	"RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
}

func (s *Queues) getAttributes(in attributesInput) (any, error) {
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all := q.attributes()
	if slices.Contains(in.AttributeNames, "All") {
		return attributesOutput{all}, nil
	}
	chosen := make(map[string]string, len(in.AttributeNames))
	for _, name := range in.AttributeNames {
		value, given := all[name]
		if given {
			chosen[name] = value
		} else if !slices.Contains(unset, name) {
			return nil, &Error{"InvalidAttributeName", "InvalidAttributeName", 400, "Unknown Attribute " + name + "."}
		}
	}
	return attributesOutput{chosen}, nil
}

func (q *queue) attributes() map[string]string {
	count := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
	visible, hidden, later := q.counts()
	created := strconv.FormatInt(q.clock.World(q.created).Unix(), 10)
	attributes := map[string]string{
		"QueueArn":                              q.arn,
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(later),
		"CreatedTimestamp":                      created,
		"LastModifiedTimestamp":                 created,
		"VisibilityTimeout":                     count(q.def.VisibilityTimeout),
		"MaximumMessageSize":                    strconv.Itoa(q.def.MaximumMessageBytes),
		"MessageRetentionPeriod":                count(q.def.Retention),
		"DelaySeconds":                          count(q.def.Delay),
		"ReceiveMessageWaitTimeSeconds":         count(q.def.ReceiveWait),
	}
	if q.deadLetters != nil {
		policy, _ := json.Marshal(struct {
			DeadLetterTargetArn string `json:"deadLetterTargetArn"`
			MaxReceiveCount     int    `json:"maxReceiveCount"`
		}{q.deadLetters.arn, q.def.MaxReceiveCount})
		attributes["RedrivePolicy"] = string(policy)
	}
	if q.def.FIFO {
		attributes["FifoQueue"] = "true"
		attributes["ContentBasedDeduplication"] = strconv.FormatBool(q.def.ContentBasedDeduplication)
		attributes["DeduplicationScope"] = q.def.DeduplicationScope
		attributes["FifoThroughputLimit"] = q.def.FifoThroughputLimit
	}
	return attributes
}
