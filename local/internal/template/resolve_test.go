package template

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What Ref and Fn::GetAtt return, for what runs here and for what does not.
func TestReferences(t *testing.T) {
	t.Parallel()
	const template = `
Resources:
  Table: { Type: AWS::DynamoDB::Table, Properties: { TableName: t, AttributeDefinitions: [{}], KeySchema: [{}] } }
  Queue: { Type: AWS::SQS::Queue }
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: !Sub "${AWS::StackName}-${Queue}" } }
  Rule: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(1 hour) } }
  Sweep: { Type: AWS::Scheduler::Schedule, Properties: { ScheduleExpression: rate(1 hour), Target: { Arn: !GetAtt Queue.Arn } } }
  Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /logs } }
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: news } }
  Bucket: { Type: AWS::S3::Bucket, Properties: { BucketName: files } }
  Role: { Type: AWS::IAM::Role, Properties: { RoleName: r } }
  Machine: { Type: AWS::StepFunctions::StateMachine }
  Custom: { Type: Custom }
  Live: { Type: AWS::Lambda::Version, Properties: { FunctionName: !GetAtt Hub.Arn } }
  Hub:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          TABLE: !Ref Table
          TABLE_ARN: !GetAtt Table.Arn
          QUEUE: !Ref Queue
          QUEUE_ARN: !GetAtt Queue.Arn
          QUEUE_NAME: !GetAtt Queue.QueueName
          QUEUE_URL: !GetAtt Queue.QueueUrl
          BUS: !Ref Bus
          BUS_ARN: !GetAtt Bus.Arn
          BUS_NAME: !GetAtt Bus.Name
          RULE_ARN: !GetAtt Rule.Arn
          SWEEP_ARN: !GetAtt Sweep.Arn
          LOGS: !Ref Logs
          LOGS_ARN: !GetAtt Logs.Arn
          TOPIC: !Ref Topic
          TOPIC_ARN: !GetAtt Topic.TopicArn
          TOPIC_NAME: !GetAtt Topic.TopicName
          BUCKET: !Ref Bucket
          BUCKET_ARN: !GetAtt Bucket.Arn
          ROLE_ARN: !GetAtt Role.Arn
          MACHINE_ARN: !GetAtt Machine.Arn
          CUSTOM: !GetAtt Custom.Answer
          CUSTOM_ARN: !GetAtt Custom.Arn
          LIVE: !Ref Live
          SELF: !Ref Hub
          STACK: !Ref AWS::StackId
          EMPTY: ~
`
	stack, err := load("t.yaml", t.TempDir(), []byte(template), Options{Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"TABLE":       "t",
		"TABLE_ARN":   "arn:aws:dynamodb:us-east-1:123456789012:table/t",
		"QUEUE":       "Queue",
		"QUEUE_ARN":   "arn:aws:sqs:us-east-1:123456789012:Queue",
		"QUEUE_NAME":  "Queue",
		"QUEUE_URL":   "Queue",
		"BUS":         "local-Queue",
		"BUS_ARN":     "arn:aws:events:us-east-1:123456789012:event-bus/local-Queue",
		"BUS_NAME":    "local-Queue",
		"RULE_ARN":    "arn:aws:events:us-east-1:123456789012:rule/Rule",
		"SWEEP_ARN":   "arn:aws:scheduler:us-east-1:123456789012:schedule/default/Sweep",
		"LOGS":        "/logs",
		"LOGS_ARN":    "arn:aws:logs:us-east-1:123456789012:log-group:/logs:*",
		"TOPIC":       "arn:aws:sns:us-east-1:123456789012:news",
		"TOPIC_ARN":   "arn:aws:sns:us-east-1:123456789012:news",
		"TOPIC_NAME":  "news",
		"BUCKET":      "files",
		"BUCKET_ARN":  "arn:aws:s3:::files",
		"ROLE_ARN":    "arn:aws:iam::123456789012:role/r",
		"MACHINE_ARN": "arn:aws:stepfunctions:us-east-1:123456789012:Machine",
		"CUSTOM":      "Custom.Answer",
		"CUSTOM_ARN":  "arn:aws:custom:us-east-1:123456789012:Custom",
		"LIVE":        "arn:aws:lambda:us-east-1:123456789012:function:Hub",
		"SELF":        "Hub",
		"STACK":       "arn:aws:cloudformation:us-east-1:123456789012:stack/local/51af3dc0-da77-11e4-872e-1234567db123",
		"EMPTY":       "",
	}
	if diff := cmp.Diff(want, stack.Functions[0].Environment); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// YAML 1.1, which CloudFormation reads, writes numbers that JSON can't.
func TestNumbersInJSON(t *testing.T) {
	t.Parallel()
	const template = `
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties: { EventPattern: { n: [1, -2.50, 1e3, 0x1f, 1_000, .5, +7, .inf], s: ["1", 1.2.3, "a<b"] } }
`
	stack, err := load("t.yaml", t.TempDir(), []byte(template), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(stack.Rules[0].Pattern), `{"n":[1,-2.50,1e3,31,1000,0.5,7,".inf"],"s":["1","1.2.3","a<b"]}`; got != want {
		t.Errorf("pattern %s\nwant    %s", got, want)
	}
}
