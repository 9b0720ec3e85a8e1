package template

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	sam  = "Transform: AWS::Serverless-2016-10-31\n"
	hub  = "  Hub: { Type: AWS::Lambda::Function, Properties: { Timeout: 5 } }\n"
	chat = sam + "Resources:\n" + hub + `  Chat:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
`
)

// What is wrong with a template is told with file, line and remedy, all of it at once.
func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		template  string
		overrides map[string]string
		want      string // without the file's name
	}{
		{
			name:     "not YAML",
			template: "Resources:\n  A: [\n",
			want:     "2: not YAML or JSON: did not find expected node content",
		},
		{name: "empty", template: "", want: "1: the template must be a map with Resources"},
		{name: "a list", template: "- a\n", want: "1: the template must be a map with Resources"},
		{name: "without resources", template: "Resources: {}\n", want: "1: the template has no Resources"},
		{
			name:     "a key twice",
			template: "Resources:\n" + hub + hub,
			want:     "3: the key Hub stands twice in one map: remove one",
		},
		{
			name:     "aliases of aliases",
			template: "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n",
			want:     "1: the template is too large or too deeply nested (over 200000 values or 100 levels): do aliases repeat?",
		},
		{
			name:     "an alias of what it stands in",
			template: "Resources: &all\n  A: *all\n",
			want:     "1: the template is too large or too deeply nested (over 200000 values or 100 levels): do aliases repeat?",
		},
		{
			name:     "a parameter without value",
			template: "Parameters:\n  Issuer: { Type: String }\nResources:\n" + hub,
			want:     "2: the parameter Issuer has no default: give it a value in parameter_overrides of samconfig.toml",
		},
		{
			name:      "a value for no parameter",
			template:  "Parameters:\n  Issuer: { Type: String }\nResources:\n" + hub,
			overrides: map[string]string{"Issuer": "x", "Isuer": "y"},
			want:      "a value is given for the parameter Isuer, which the template does not have; it has Issuer",
		},
		{
			name: "values against their rules",
			template: `Parameters:
  Stage: { Type: String, Default: x, AllowedValues: [dev, prod] }
  Url: { Type: String, Default: ftp://x, AllowedPattern: "https?://.*", ConstraintDescription: must be a URL. }
  Count: { Type: Number, Default: 0, MinValue: 1 }
  Large: { Type: Number, Default: 9, MaxValue: 8 }
  Word: { Type: Number, Default: many }
  Name: { Type: String, Default: "", MinLength: 1 }
  Long: { Type: String, Default: abc, MaxLength: 2 }
  List: { Type: CommaDelimitedList, Default: "a, bb", AllowedPattern: "[a-z]" }
  Secret: { Type: String, Default: hush, NoEcho: true, MaxLength: 1 }
  Shape: { Type: String, Default: { a: b } }
Resources: { A: { Type: AWS::SNS::Topic } }
`,
			want: `2: the parameter Stage = "x" must be one of dev, prod
3: the parameter Url = "ftp://x" must be a URL.
4: the parameter Count = "0" must be at least 1
5: the parameter Large = "9" must be at most 8
6: the parameter Word = "many" must be a number
7: the parameter Name = "" must have at least 1 characters
8: the parameter Long = "abc" must have at most 2 characters
9: the parameter List = "a, bb" must match [a-z]
10: the parameter Secret = (not shown) must have at most 1 characters
11: the default of Shape must be a text or a number, not a map`,
		},
		{
			name:     "SAM without its transform",
			template: "Resources:\n  A: { Type: AWS::Serverless::Function }\n",
			want:     "2: AWS::Serverless::Function needs the line Transform: AWS::Serverless-2016-10-31",
		},
		{
			name:     "another transform",
			template: "Transform: [MyMacro, AWS::Serverless-2016-10-31]\nResources:\n" + hub,
			want:     `1: the transform "MyMacro" is run by CloudFormation alone: write what it would make`,
		},
		{
			name:     "what only CloudFormation runs",
			template: "Resources:\n  Fn::ForEach::All: []\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      Fn::Transform: { Name: AWS::Include }\n  B:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: !ImportValue Name, VisibilityTimeout: !Length [] }\n  C:\n    Type: AWS::SQS::Queue\n    Properties: { RedrivePolicy: { Fn::Transform: {}, deadLetterTargetArn: arn:aws:sqs:eu-west-1:123456789012:x } }\n",
			want: `2: Fn::ForEach::All is run by CloudFormation alone: write the resources that it would make
6: the Properties of A are what Fn::Transform makes, which CloudFormation alone runs: write them
12: Fn::Transform is run by CloudFormation alone: write what it would insert
9: Fn::ImportValue reads another stack's output, which does not exist here: take the value from a parameter
9: the function Fn::Length is not known here; known are Ref, Condition and Fn::GetAtt, Sub, If, Equals, Not, And, Or, Join, Split, Select, FindInMap, Base64`,
		},
		{
			name: "names that nothing has",
			template: `Conditions: { Never: !Equals [a, b] }
Resources:
  Gone: { Type: AWS::SQS::Queue, Condition: Never }
  Hub:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          A: !Ref Nobody
          B: !GetAtt Nobody.Arn
          C: !Ref Gone
          D: !If [Sometimes, a, b]
          E: !Sub "${Nobody.Arn} ${open"
          F: !Sub ["${x}", { x: [1] }]
          G: !FindInMap [No, such, map]
          H: !Select [3, [a, b]]
          I: !Join [",", [[a]]]
          J: !Sub "${AWS::NoValue}"
`,
			want: `9: Ref to Nobody, which is no parameter and no resource of this template
10: Nobody.Arn: there is no resource Nobody in this template
11: Gone is not there, because the condition Never is false: refer to it within Fn::If
12: there is no condition Sometimes in Conditions
13: Nobody.Arn: there is no resource Nobody in this template
13: Fn::Sub: ${open is never closed with }
14: Fn::Sub: ${x} is a list, not a text
15: Mappings has no No.such.map
16: Fn::Select: index 3 of a list of 2
17: Fn::Join joins texts, not a list
18: Fn::Sub: ${AWS::NoValue} is nothing, not a text`,
		},
		{
			name: "functions with other arguments than theirs",
			template: `Resources:
  Hub:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          A: !Ref [x]
          B: !GetAtt [x]
          C: !Sub [x]
          D: !If [x]
          E: !Join x
          F: !Split ["", x]
          G: !Select [x, []]
          H: !FindInMap [x]
          I: !Base64 []
          J: !Sub {}
          K: !FindInMap [[], x, y]
          L: !If [[], x, y]
          M: { Fn::GetAtt: [[], x] }
`,
			want: `7: Ref takes a name, not a list
8: Fn::GetAtt takes a list of 2 values
9: Fn::Sub takes a list of 2 values
10: Fn::If takes a list of 3 values
11: Fn::Join takes a list of 2 values
12: Fn::Split takes a separator and a text
13: Fn::Select takes an index and a list
14: Fn::FindInMap takes a list of 3 values
15: Fn::Base64 takes a text
16: Fn::Sub takes a text, or a text and a map of its variables
17: Fn::FindInMap takes a mapping, a key and a second key
18: Fn::If takes the name of a condition first, not a list
19: Fn::GetAtt takes a resource's logical id and an attribute`,
		},
		{
			name: "circles",
			template: `Conditions:
  A: !Not [!Condition B]
  B: !And [!Condition A]
Resources:
  One: { Type: AWS::SQS::Queue, Condition: A, Properties: { QueueName: !Ref Two } }
  Two: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref One } }
  Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Live } }
  Hub: { Type: AWS::Lambda::Function, Properties: { FunctionName: !Ref Live } }
`,
			want: `2: the condition A depends on itself
5: the name of One depends on itself
6: One and Two are both named One
7: Live is an alias of itself`,
		},
		{
			name:     "conditions that are none",
			template: "Conditions:\n  A: maybe\n  B: !Not [!Ref X]\nResources:\n  X: { Type: AWS::SNS::Topic, Condition: A }\n  Y: { Type: AWS::SNS::Topic, Condition: B }\n  Z: { Type: AWS::SNS::Topic, Condition: [] }\n",
			want: `2: a condition is made of Fn::Equals, Fn::Not, Fn::And, Fn::Or and Condition
3: a condition is made of Fn::Equals, Fn::Not, Fn::And, Fn::Or and Condition
7: the Condition of Z must be the name of a condition`,
		},
		{
			name:     "resources without form",
			template: "Resources:\n  A: text\n  B: { Type: AWS::SNS::Topic, Properties: [] }\n",
			want:     "2: the resource A has no Type\n3: the Properties of B must be a map",
		},
		{
			name:     "route keys that SAM makes one of",
			template: chat + "        sendMsg: { FunctionArn: !GetAtt Hub.Arn }\n        sendmsg: { FunctionArn: !GetAtt Hub.Arn }\n",
			want:     "10: SAM makes the same resource ChatSendmsgRoute of the route keys sendMsg and sendmsg and silently loses one: rename it",
		},
		{
			name:     "route keys that SAM refuses",
			template: chat + "        goal.created: { FunctionArn: !GetAtt Hub.Arn }\n        $ping: { FunctionArn: !GetAtt Hub.Arn }\n        ok: { FunctionArn: !GetAtt Hub.Arn }\n",
			want: `9: SAM refuses the route key goal.created: only letters and digits, $connect, $disconnect and $default; other keys need AWS::ApiGatewayV2::Route
10: SAM refuses the route key $ping: only letters and digits, $connect, $disconnect and $default; other keys need AWS::ApiGatewayV2::Route`,
		},
		{
			name:     "routes without a function of the template",
			template: chat + "        a: {}\n        b: { FunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:Other }\n        c: { FunctionArn: !GetAtt Hub.Arn, IntegrationTimeout: 30000 }\n",
			want: `9: IntegrationUri is missing
10: IntegrationUri is "arn:aws:lambda:eu-west-1:123456789012:function:Other", which is no function of this template
11: TimeoutInMillis must be a whole number from 50 to 29000, not "30000"`,
		},
		{
			name:     "an API without routes",
			template: sam + "Resources:\n  Chat:\n    Type: AWS::Serverless::WebSocketApi\n    Properties: { RouteSelectionExpression: $request.body.action, StageName: $default }\n",
			want: `3: the API Chat has no routes
3: the WebSocket API Chat has no Routes
5: the stage of a WebSocket API can't be called $default`,
		},
		{
			name: "a raw API in pieces",
			template: "Resources:\n" + hub + `  Chat: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET, Body: {} } }
  Route: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: a, Target: !Ref Calls } }
  Again: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: a, Target: !Sub "integrations/${Calls}" } }
  Stray: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: b, Target: !Sub "integrations/${Hub}" } }
  Calls: { Type: AWS::ApiGatewayV2::Integration, Properties: { IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Hub.Arn } }
  Answer: { Type: AWS::ApiGatewayV2::RouteResponse, Properties: { RouteId: !Ref Calls, RouteResponseKey: $default } }
`,
			want: `3: Body: only routes that are resources are read
3: RouteSelectionExpression is missing
3: the API Chat has no stage: add an AWS::ApiGatewayV2::Stage
5: the API Chat has two routes a
6: the Target of the route b must be integrations/ and the integration's id: !Sub integrations/${MyIntegration}
8: RouteId must be !Ref of a route`,
		},
		{
			name: "functions against Lambda's rules",
			template: `Resources:
  Hub:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: same
      Timeout: 901
      MemorySize: lots
      Architectures: [mips]
      LoggingConfig: { LogFormat: XML }
      Environment: { Variables: { A: [x], B: null } }
  Too: { Type: AWS::Lambda::Function, Properties: { FunctionName: same, Environment: x, Timeout: [] } }
`,
			want: `6: Timeout must be a whole number from 1 to 900, not "901"
7: MemorySize must be a whole number from 128 to 10240, not "lots"
8: Architectures must be [arm64] or [x86_64], not [mips]
9: LogFormat must be JSON or Text, not "XML"
10: the variable A must be a text, not a list
11: Environment must be a map, not "x"
11: Hub and Too are both named same
11: Timeout must be a whole number from 1 to 900, not a list`,
		},
		{
			name: "queues against SQS's rules",
			template: "Resources:\n" + hub + `  A: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true, QueueName: a, RedrivePolicy: { deadLetterTargetArn: !GetAtt D.Arn } } }
  B: { Type: AWS::SQS::Queue, Properties: { DeduplicationScope: messageGroup, VisibilityTimeout: 2, FifoQueue: maybe } }
  C: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true, RedrivePolicy: "text" } }
  D: { Type: AWS::SQS::Queue, Properties: { QueueName: same } }
  E: { Type: AWS::SQS::Queue, Properties: { QueueName: same, RedrivePolicy: { maxReceiveCount: 0 } } }
  FromB: { Type: AWS::Lambda::EventSourceMapping, Properties: { EventSourceArn: !GetAtt B.Arn, FunctionName: !Ref Hub, BatchSize: 11 } }
  FromC: { Type: AWS::Lambda::EventSourceMapping, Properties: { EventSourceArn: !GetAtt C.Arn, FunctionName: !Ref Hub, BatchSize: 11 } }
  AlsoC: { Type: AWS::Lambda::EventSourceMapping, Properties: { EventSourceArn: !GetAtt C.Arn, FunctionName: !Ref Hub, MaximumBatchingWindowInSeconds: 1, ScalingConfig: { MaximumConcurrency: 1 } } }
`,
			want: `3: the name of a FIFO queue, and of no other, ends with .fifo
3: the dead-letter queue D of A must be a FIFO queue exactly if A is one
4: B has properties of a FIFO queue but not FifoQueue: true
4: FifoQueue must be true or false, not "maybe"
5: RedrivePolicy must be a map, not "text"
7: D and E are both named same
7: deadLetterTargetArn is missing
7: maxReceiveCount must be a whole number from 1 to 1000, not "0"
8: Lambda refuses the mapping FromB: the visibility time-out of B (2s) is shorter than the time-out of Hub (5s)
8: batches of more than 10 messages need MaximumBatchingWindowInSeconds
9: a FIFO queue's batches have at most 10 messages
10: MaximumConcurrency must be a whole number from 2 to 1000, not "1"
10: a FIFO queue has no batching window`,
		},
		{
			name: "rules and schedules",
			template: "Resources:\n" + hub + `  Fifo: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true } }
  A: { Type: AWS::Events::Rule, Properties: { EventPattern: {} } }
  B: { Type: AWS::Events::Rule, Properties: { Targets: [x] } }
  C: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(1 hour), State: OFF, Targets: [{ Arn: !GetAtt Fifo.Arn, Input: "{" }] } }
  D: { Type: AWS::Scheduler::Schedule, Properties: { Target: { Arn: !GetAtt Hub.Arn, RetryPolicy: { MaximumRetryAttempts: 186 } } } }
`,
			want: `4: the pattern of A must be a map that is not empty
5: Targets must be a list of maps, not of "x"
5: the rule B has neither a pattern nor a schedule
6: Input of C must be JSON
6: State must be DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS or ENABLED, not "OFF"
6: the target Fifo of C needs SqsParameters.MessageGroupId exactly if it is a FIFO queue
7: MaximumRetryAttempts must be a whole number from 0 to 185, not "186"
7: ScheduleExpression is missing`,
		},
		{
			name:     "a table without a key",
			template: "Resources:\n  T: { Type: AWS::DynamoDB::Table, Properties: { AttributeDefinitions: [{ AttributeName: a, AttributeType: S }] } }\n",
			want:     "2: the table T has no KeySchema",
		},
		{
			name:     "two resources of one name",
			template: sam + "Resources:\n  AgentInbox: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 30 } }\n  Agent:\n    Type: AWS::Serverless::Function\n    Properties: { Events: { Inbox: { Type: SQS, Properties: { Queue: !GetAtt AgentInbox.Arn } }, Nothing: {} } }\n",
			want:     "6: the event Nothing of Agent has no Type\n6: SAM makes a resource called AgentInbox, and there is one already: rename it",
		},
		{
			name:     "a text that grows beyond all sense",
			template: "Parameters: { P: { Type: String, Default: " + strings.Repeat("x", 4096) + " } }\nResources:\n  Hub: { Type: AWS::Lambda::Function, Properties: { Environment: { Variables: { A: !Sub \"" + strings.Repeat("${P}", 5000) + "\" } } } }\n",
			want:     "3: the template's texts grow beyond 16777216 bytes",
		},
		{
			name:      "a value longer than CloudFormation takes",
			template:  "Parameters:\n  P: { Type: String, Default: x, NoEcho: true }\nResources:\n" + hub,
			overrides: map[string]string{"P": strings.Repeat("x", 4097)},
			want:      "2: the parameter P = (not shown) must have at most 4096 bytes",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stack, err := load("t.yaml", t.TempDir(), []byte(tt.template), Options{Overrides: tt.overrides})
			var found *Error
			if !errors.As(err, &found) || stack != nil {
				t.Fatalf("load = %v, %v; want an *Error alone", stack, err)
			}
			got := strings.ReplaceAll("\n"+err.Error(), "\nt.yaml:", "\n")[1:]
			got = strings.TrimPrefix(got, " ")
			// The order of problems on one line is of no matter.
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(got)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	if _, err := Load("testdata/none.yaml", Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "read the template: ") {
		t.Errorf("Load of a missing file = %v", err)
	}
}

func sortedLines(s string) []string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return lines
}
