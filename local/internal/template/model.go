// Package template reads a SAM template and says what it deploys, with every intrinsic function resolved.
//
// It is the stack's only description: routes, functions, environment, rules, schedules, queues and tables come from here,
// so that nothing can drift from what `sam deploy` would make. Names: an unnamed resource is called by its logical id, as
// SAM CLI does; references in the model are such physical names, never ARNs.
package template

import (
	"encoding/json"
	"time"
)

// Pseudo parameters, as SAM CLI resolves them.
const (
	AccountID = "123456789012"
	Partition = "aws"
	StackName = "local"
	URLSuffix = "amazonaws.com"
)

// A Stack is one template, resolved. Slices are in the order of the template.
type Stack struct {
	Path       string // of the template file
	Region     string
	Parameters map[string]string // after overrides; a CommaDelimitedList stays one string
	Outputs    map[string]string // those that could be resolved

	APIs      []API
	Functions []Function
	Tables    []Table
	Queues    []Queue
	Buses     []Bus
	Rules     []Rule
	Schedules []Schedule
	Mappings  []Mapping

	// Notes say, a line each with file and line, what the template deploys and the stack does not run, and what will surely
	// not work as meant on AWS either.
	Notes []string
}

// A Function is one AWS::Serverless::Function (or AWS::Lambda::Function).
type Function struct {
	ID           string // logical id
	Name         string // FunctionName, else the logical id
	CodeDir      string // absolute folder of CodeUri
	BuildMethod  string // Metadata.BuildMethod: "makefile", "go1.x", or "" for none
	Runtime      string
	Handler      string
	Architecture string // "arm64" or "x86_64"
	Timeout      time.Duration
	MemoryMB     int
	Environment  map[string]string
	LogFormat    string // "JSON" or "Text"
	LogLevel     string // ApplicationLogLevel, "" if not set
	Async        Async
	// ReservedConcurrency is the most invocations at a time; 0 = not reserved.
	ReservedConcurrency int
}

// Async is how asynchronous invocations of a function are retried (EventInvokeConfig).
type Async struct {
	MaximumRetryAttempts int           // 0–2; default 2
	MaximumEventAge      time.Duration // default 6 h
	OnFailureQueue       string        // name of the queue, "" for none
}

// An API is one WebSocket API with its one stage.
type API struct {
	ID                       string
	Stage                    string
	RouteSelectionExpression string
	Routes                   []Route
}

// A Route maps one route key to a function.
type Route struct {
	Key      string // "$connect", "$disconnect", "$default" or a custom key
	Function string
	Timeout  time.Duration // of the integration; default 29 s
	// Responds: the route has a RouteResponseSelectionExpression and a RouteResponse $default, so the function's body is
	// sent to the client. One without the other answers nothing.
	Responds bool
}

// A Table is one AWS::DynamoDB::Table.
type Table struct {
	ID           string
	Name         string
	Create       json.RawMessage // the body of a DynamoDB CreateTable call, TableName included
	TTLAttribute string          // "" for none
}

// A Queue is one AWS::SQS::Queue.
type Queue struct {
	ID                        string
	Name                      string
	FIFO                      bool
	ContentBasedDeduplication bool
	DeduplicationScope        string        // "queue" (default) or "messageGroup"
	FifoThroughputLimit       string        // "perQueue" (default) or "perMessageGroupId"
	VisibilityTimeout         time.Duration // default 30 s
	Retention                 time.Duration // default 4 days
	Delay                     time.Duration
	ReceiveWait               time.Duration
	MaximumMessageBytes       int    // default 1,048,576
	DeadLetterQueue           string // "" for none
	MaxReceiveCount           int
}

// A Bus is one AWS::Events::EventBus, or one that exists elsewhere and that a rule names. The bus "default" always exists and
// is not listed.
type Bus struct {
	ID   string // "" for a bus that is not the template's
	Name string
}

// A Rule sends the events of a bus that match a pattern to targets.
type Rule struct {
	ID       string // logical id, for a function's event as SAM names it: function id + event id
	Name     string
	Bus      string
	Pattern  json.RawMessage // nil for a rule by schedule alone
	Schedule string          // rate(…) or cron(…): of a rule with a ScheduleExpression, SAM's event Schedule too
	Enabled  bool
	Targets  []Target
}

// A Target of a rule or a schedule. Exactly one of Function and Queue is set.
type Target struct {
	Function        string
	Queue           string
	MessageGroupID  string
	Input           json.RawMessage // constant input, nil for the event itself
	RetryAttempts   int             // default 185
	MaximumEventAge time.Duration   // default 24 h
	DeadLetterQueue string          // "" for none
}

// A Schedule is one EventBridge Scheduler schedule (SAM's ScheduleV2). SAM's older Schedule is a Rule: what its target gets
// says aws.events, not aws.scheduler.
type Schedule struct {
	ID         string
	Name       string
	Expression string // rate(…), cron(…), at(…)
	Timezone   string // default UTC
	Enabled    bool
	Target     Target
}

// A Mapping is one event source mapping from a queue to a function.
type Mapping struct {
	ID                 string
	Queue              string
	Function           string
	BatchSize          int           // default 10
	Window             time.Duration // MaximumBatchingWindowInSeconds; never for FIFO
	ReportFailures     bool          // ReportBatchItemFailures
	MaximumConcurrency int           // 0 = not set
	Enabled            bool
}
