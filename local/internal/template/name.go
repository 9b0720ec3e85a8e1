package template

import (
	"slices"
	"strings"
)

// A resource is one entry of Resources whose condition holds, after SAM's resources were expanded into plain ones.
type resource struct {
	id         string
	kind       string // Type
	line       int
	removedBy  string // the false condition, "" for none
	properties *node
	metadata   *node
}

// nameProperty is the property that names a resource of a type; a resource without it is called by its logical id.
func nameProperty(kind string) string {
	switch kind {
	case "AWS::Lambda::Function":
		return "FunctionName"
	case "AWS::DynamoDB::Table":
		return "TableName"
	case "AWS::SQS::Queue":
		return "QueueName"
	case "AWS::ApiGatewayV2::Stage":
		return "StageName"
	case "AWS::Logs::LogGroup":
		return "LogGroupName"
	case "AWS::SNS::Topic":
		return "TopicName"
	case "AWS::S3::Bucket":
		return "BucketName"
	case "AWS::IAM::Role":
		return "RoleName"
	case "AWS::Events::EventBus", "AWS::Events::Rule", "AWS::Scheduler::Schedule":
		return "Name"
	}
	return ""
}

// name is a resource's physical name.
func (l *loader) name(r *resource) string {
	if name, ok := l.names[r.id]; ok {
		return name
	}
	name := r.id
	if key := nameProperty(r.kind); key != "" {
		if slices.Contains(l.evaluating, "name of "+r.id) {
			l.problems.add(r.line, "the name of %s depends on itself", r.id)
			return name
		}
		l.evaluating = append(l.evaluating, "name of "+r.id)
		if value := l.resolve(r.properties.get(key)); value != nil && value.kind != nullKind {
			text, ok := value.scalar()
			switch {
			case !ok:
				l.problems.add(value.line, "%s must be a text, not %s", key, value.describe())
			case text == "":
				l.problems.add(value.line, "%s is empty", key)
			default:
				name = text
			}
		}
		l.evaluating = l.evaluating[:len(l.evaluating)-1]
	}
	l.names[r.id] = name
	return name
}

// attribute is what Ref (attribute "Ref") or Fn::GetAtt returns for a resource.
func (l *loader) attribute(line int, id, attribute string) string {
	if generated, ok := l.generated[id]; ok { // SAM's !Ref Api.Stage, ${Function.Alias}
		id = generated
	}
	r, ok := l.resources[id]
	if !ok {
		switch condition, removed := l.removed[id]; {
		case removed:
			l.problems.add(line, "%s is not there, because the condition %s is false: refer to it within Fn::If", id, condition)
		case attribute == "Ref":
			l.problems.add(line, "Ref to %s, which is no parameter and no resource of this template", id)
		default:
			l.problems.add(line, "%s.%s: there is no resource %s in this template", id, attribute, id)
		}
		return ""
	}
	name := l.name(r)
	switch attribute {
	case "Ref":
		switch r.kind {
		case "AWS::SNS::Topic":
			return l.arn(r, name)
		case "AWS::Lambda::Alias", "AWS::Lambda::Version":
			return l.functionOf(r)
		}
		return name
	case "Arn":
		return l.arn(r, name)
	}
	switch r.kind + "." + attribute {
	case "AWS::SQS::Queue.QueueName", "AWS::SQS::Queue.QueueUrl", "AWS::Events::EventBus.Name", "AWS::ApiGatewayV2::Api.ApiId",
		"AWS::ApiGatewayV2::Route.RouteId", "AWS::SNS::Topic.TopicName":
		return name
	case "AWS::ApiGatewayV2::Api.ApiEndpoint":
		return "wss://" + name + ".execute-api." + l.region + "." + URLSuffix
	case "AWS::SNS::Topic.TopicArn":
		return l.arn(r, name)
	}
	return id + "." + attribute // a value that says where it comes from; nothing here serves that resource
}

// functionOf is the ARN of the function that an alias or a version stands for: there is one version here.
func (l *loader) functionOf(r *resource) string {
	if slices.Contains(l.evaluating, "function of "+r.id) {
		l.problems.add(r.line, "%s is an alias of itself", r.id)
		return ""
	}
	l.evaluating = append(l.evaluating, "function of "+r.id)
	defer func() { l.evaluating = l.evaluating[:len(l.evaluating)-1] }()
	function, _ := l.resolve(r.properties.get("FunctionName")).scalar()
	if strings.HasPrefix(function, "arn:") {
		return function
	}
	return l.arnOf("lambda", "function:"+function)
}

func (l *loader) arnOf(service, rest string) string {
	return "arn:" + Partition + ":" + service + ":" + l.region + ":" + AccountID + ":" + rest
}

func (l *loader) arn(r *resource, name string) string {
	switch r.kind {
	case "AWS::Lambda::Function":
		return l.arnOf("lambda", "function:"+name)
	case "AWS::DynamoDB::Table":
		return l.arnOf("dynamodb", "table/"+name)
	case "AWS::SQS::Queue":
		return l.arnOf("sqs", name)
	case "AWS::Events::EventBus":
		return l.arnOf("events", "event-bus/"+name)
	case "AWS::Events::Rule":
		return l.arnOf("events", "rule/"+name)
	case "AWS::Scheduler::Schedule":
		return l.arnOf("scheduler", "schedule/default/"+name)
	case "AWS::Logs::LogGroup":
		return l.arnOf("logs", "log-group:"+name+":*")
	case "AWS::SNS::Topic":
		return l.arnOf("sns", name)
	case "AWS::S3::Bucket":
		return "arn:" + Partition + ":s3:::" + name
	case "AWS::IAM::Role":
		return "arn:" + Partition + ":iam::" + AccountID + ":role/" + name
	}
	parts := strings.Split(r.kind, "::")
	return l.arnOf(strings.ToLower(parts[min(1, len(parts)-1)]), name)
}

// fromARN is the name in the ARN of a service's resource: "Orders" in arn:aws:sqs:eu-west-1:123456789012:Orders and in
// arn:aws:lambda:eu-west-1:123456789012:function:Orders:live.
func fromARN(arn, service, prefix string) (string, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != service {
		return "", false
	}
	name, ok := strings.CutPrefix(parts[5], prefix)
	if service == "lambda" {
		name, _, _ = strings.Cut(name, ":")
	}
	return name, ok && name != ""
}
