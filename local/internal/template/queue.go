package template

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// readQueue reads an AWS::SQS::Queue.
func (l *loader) readQueue(r *resource) {
	p := l.propertiesOf(r)
	q := Queue{
		ID:                        r.id,
		Name:                      l.name(r),
		FIFO:                      p.flag("FifoQueue", false),
		ContentBasedDeduplication: p.flag("ContentBasedDeduplication", false),
		DeduplicationScope:        p.choice("DeduplicationScope", "queue", "messageGroup"),
		FifoThroughputLimit:       p.choice("FifoThroughputLimit", "perQueue", "perMessageGroupId"),
		VisibilityTimeout:         p.seconds("VisibilityTimeout", 30*time.Second, 0, 43_200),
		Retention:                 p.seconds("MessageRetentionPeriod", 96*time.Hour, 60, 1_209_600),
		Delay:                     p.seconds("DelaySeconds", 0, 0, 900),
		ReceiveWait:               p.seconds("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
		MaximumMessageBytes:       p.number("MaximumMessageSize", 1<<20, 1024, 1<<20),
	}
	if p.has("QueueName") && q.FIFO != strings.HasSuffix(q.Name, ".fifo") {
		p.problem("QueueName", "the name of a FIFO queue, and of no other, ends with .fifo")
	}
	if !q.FIFO && (q.ContentBasedDeduplication || p.has("DeduplicationScope") || p.has("FifoThroughputLimit")) {
		l.problems.add(r.line, "%s has properties of a FIFO queue but not FifoQueue: true", r.id)
	}
	if redrive := l.redrivePolicy(p); redrive.n != nil {
		// The other queue may stand further down: it is looked up in checkQueues.
		q.DeadLetterQueue, _ = fromARN(redrive.required("deadLetterTargetArn"), "sqs", "")
		q.MaxReceiveCount = redrive.number("maxReceiveCount", 10, 1, 1000)
	}
	if other := l.queueByName(q.Name); other != nil {
		l.problems.add(r.line, "%s and %s are both named %s", other.ID, q.ID, q.Name)
	}
	l.stack.Queues = append(l.stack.Queues, q)
}

// redrivePolicy is a map or, as CloudFormation also takes it, the text of one.
func (l *loader) redrivePolicy(p properties) properties {
	text, ok := p.value("RedrivePolicy").scalar()
	if !ok {
		return p.object("RedrivePolicy")
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		p.problem("RedrivePolicy", "RedrivePolicy must be a map, not %q", text)
		return properties{l: l, line: p.line}
	}
	r := reader{problems: &problems{}}
	return properties{l: l, line: p.lineOf("RedrivePolicy"), n: r.read(document.Content[0], 0), resolved: true}
}

// checkQueues finds dead-letter queues that SQS would refuse.
func (l *loader) checkQueues() {
	for i := range l.stack.Queues {
		q := &l.stack.Queues[i]
		if q.DeadLetterQueue == "" {
			continue
		}
		line := l.resources[q.ID].line
		switch other := l.queueByName(q.DeadLetterQueue); {
		case other == nil:
			l.notes.add(line, "the dead-letter queue %s of %s is not in this template and is not run here", q.DeadLetterQueue, q.ID)
			q.DeadLetterQueue, q.MaxReceiveCount = "", 0
		case other.FIFO != q.FIFO:
			l.problems.add(line, "the dead-letter queue %s of %s must be a FIFO queue exactly if %s is one", other.ID, q.ID, q.ID)
		}
	}
}

// readMapping reads an AWS::Lambda::EventSourceMapping from a queue; other sources are not run here.
func (l *loader) readMapping(r *resource) {
	p := l.propertiesOf(r)
	arn := p.required("EventSourceArn")
	name, _ := fromARN(arn, "sqs", "")
	q := l.queueByName(name)
	if q == nil {
		l.notes.add(r.line, "the event source %q of %s is no queue of this template and is not run here", arn, r.id)
		return
	}
	f := l.functionIn(p, "FunctionName")
	if f == nil {
		return
	}
	if p.has("FilterCriteria") {
		l.notes.add(p.lineOf("FilterCriteria"), "FilterCriteria of %s is not run here: the function gets every message", r.id)
	}
	m := Mapping{
		ID: r.id, Queue: q.Name, Function: f.Name,
		BatchSize:          p.number("BatchSize", 10, 1, 10_000),
		Window:             p.seconds("MaximumBatchingWindowInSeconds", 0, 0, 300),
		ReportFailures:     slices.ContainsFunc(p.list("FunctionResponseTypes"), func(n *node) bool { return n.text == "ReportBatchItemFailures" }),
		MaximumConcurrency: p.object("ScalingConfig").number("MaximumConcurrency", 0, 2, 1000),
		Enabled:            p.flag("Enabled", true),
	}
	switch {
	case q.FIFO && m.Window > 0:
		p.problem("MaximumBatchingWindowInSeconds", "a FIFO queue has no batching window")
	case q.FIFO && m.BatchSize > 10:
		p.problem("BatchSize", "a FIFO queue's batches have at most 10 messages")
	case m.BatchSize > 10 && m.Window == 0:
		p.problem("BatchSize", "batches of more than 10 messages need MaximumBatchingWindowInSeconds")
	}
	if q.VisibilityTimeout < f.Timeout {
		l.problems.add(r.line, "Lambda refuses the mapping %s: the visibility time-out of %s (%v) is shorter than the time-out of %s (%v)", r.id, q.ID, q.VisibilityTimeout, f.ID, f.Timeout)
	}
	l.stack.Mappings = append(l.stack.Mappings, m)
}
