package template

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const samTransform = "AWS::Serverless-2016-10-31"

// DefaultRegion is AWS::Region where Options name none.
const DefaultRegion = "eu-west-1"

// Options say in which circumstances a template is read.
type Options struct {
	Region    string            // AWS::Region; "" = DefaultRegion
	Overrides map[string]string // values of parameters, before their defaults
}

// Load reads a template, YAML or JSON. What is wrong with the template is an *Error, all of it at once, each with its line;
// a file that can't be read is that error.
func Load(path string, o Options) (*Stack, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return load(path, filepath.Dir(absolute), data, o)
}

// load reads a template from memory; relative folders in it start at dir.
func load(path, dir string, data []byte, o Options) (*Stack, error) {
	p := &problems{file: path}
	root := parse(data, p)
	if root == nil {
		return nil, p.err()
	}
	return loadNode(path, dir, root, p, o)
}

func loadNode(path, dir string, root *node, p *problems, o Options) (*Stack, error) {
	region := o.Region
	if region == "" {
		region = DefaultRegion
	}
	l := &loader{
		problems: p, notes: problems{file: path}, root: root, dir: dir, region: region,
		pseudo: map[string]string{
			"AWS::AccountId": AccountID, "AWS::Partition": Partition, "AWS::Region": region,
			"AWS::StackName": StackName, "AWS::URLSuffix": URLSuffix,
			"AWS::StackId": "arn:" + Partition + ":cloudformation:" + region + ":" + AccountID + ":stack/" + StackName + "/51af3dc0-da77-11e4-872e-1234567db123",
		},
		conditions: make(map[string]bool),
		names:      make(map[string]string),
		resources:  make(map[string]*resource),
		removed:    make(map[string]string),
		generated:  make(map[string]string),
		responses:  make(map[string]bool),
	}
	l.stack = &Stack{Path: path, Region: region, Parameters: make(map[string]string), Outputs: make(map[string]string)}
	l.readParameters(o.Overrides)
	for name, p := range l.parameters {
		l.stack.Parameters[name] = p.value
	}
	l.readTransform()
	if len(p.found) > 0 {
		return nil, p.err() // a wrong parameter would be the cause of many errors after it
	}
	l.readResources()
	if err := p.err(); err != nil {
		return nil, err
	}
	l.readOutputs()
	for _, note := range l.notes.sorted() {
		l.stack.Notes = append(l.stack.Notes, note.String())
	}
	return l.stack, nil
}

// A loader is one template on its way to a Stack.
type loader struct {
	problems   *problems
	notes      problems // what becomes Notes
	root       *node
	dir        string
	region     string
	sam        bool // the template has SAM's transform
	pseudo     map[string]string
	parameters map[string]parameter
	resources  map[string]*resource
	order      []*resource
	removed    map[string]string // logical id of a resource that is not made → the condition that is false
	generated  map[string]string // SAM's name for a resource it makes ("Api.Stage") → its logical id

	responses  map[string]bool   // logical ids of the routes that have a RouteResponse $default
	conditions map[string]bool   // those evaluated
	names      map[string]string // those resolved, by logical id
	evaluating []string          // conditions and names under way, against circles
	textBytes  int               // of all texts that functions have made

	stack *Stack
}

func (l *loader) readTransform() {
	n := l.root.get("Transform")
	transforms := []*node{n}
	if n != nil && n.kind == listKind {
		transforms = n.list
	}
	for _, t := range transforms {
		switch name, _ := t.scalar(); {
		case t == nil, name == "AWS::LanguageExtensions":
		case name == samTransform:
			l.sam = true
		default:
			l.problems.add(t.line, "the transform %s is run by CloudFormation alone: write what it would make", t.describe())
		}
	}
}

func (l *loader) readResources() {
	section := l.root.get("Resources")
	if section == nil || section.kind != objectKind || len(section.fields) == 0 {
		l.problems.add(l.root.line, "the template has no Resources")
		return
	}
	for _, f := range section.fields {
		if strings.HasPrefix(f.key, "Fn::") {
			l.problems.add(f.line, "%s is run by CloudFormation alone: write the resources that it would make", f.key)
			continue
		}
		l.expand(f)
	}
	// The second pass looks up by name what the first has read.
	for _, r := range l.order {
		switch r.kind {
		case "AWS::Lambda::Function":
			l.readFunction(r)
		case "AWS::DynamoDB::Table":
			l.readTable(r)
		case "AWS::SQS::Queue":
			l.readQueue(r)
		case "AWS::Events::EventBus":
			l.stack.Buses = append(l.stack.Buses, Bus{ID: r.id, Name: l.name(r)})
		case "AWS::ApiGatewayV2::Api":
			l.readAPI(r)
		case "AWS::ApiGatewayV2::RouteResponse":
			l.readRouteResponse(r)
		}
	}
	for _, r := range l.order {
		switch r.kind {
		case "AWS::Lambda::EventInvokeConfig":
			l.readInvokeConfig(r)
		case "AWS::Lambda::EventSourceMapping":
			l.readMapping(r)
		case "AWS::ApiGatewayV2::Stage":
			l.readStage(r)
		case "AWS::ApiGatewayV2::Route":
			l.readRoute(r)
		case "AWS::Events::Rule":
			l.readRule(r)
		case "AWS::Scheduler::Schedule":
			l.readSchedule(r)
		default:
			if !passive(r.kind) {
				l.notes.add(r.line, "%s %s is not run here", r.kind, r.id)
			}
		}
	}
	l.checkQueues()
	l.checkAPIs()
}

// passive says of a type of resource that it has nothing to run: who may do what, names, logs, alarms. Anything else that
// is not read is told to the user.
func passive(kind string) bool {
	switch kind {
	case "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::EventBus", "AWS::ApiGatewayV2::Api",
		"AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::RouteResponse", "AWS::ApiGatewayV2::IntegrationResponse",
		"AWS::ApiGatewayV2::Deployment", "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Model",
		"AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Lambda::Permission", "AWS::Lambda::LayerVersion",
		"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy", "AWS::Events::EventBusPolicy",
		"AWS::ApiGateway::Account", "AWS::Scheduler::ScheduleGroup", "AWS::Serverless::Connector", "AWS::Serverless::LayerVersion",
		"AWS::CloudFormation::WaitConditionHandle":
		return true
	}
	for _, service := range []string{"IAM", "Logs", "CloudWatch", "Route53", "CertificateManager", "KMS", "SSM", "XRay", "ApplicationAutoScaling", "Budgets"} {
		if strings.HasPrefix(kind, "AWS::"+service+"::") {
			return true
		}
	}
	return false
}

// readOutputs keeps the outputs that can be resolved; one that can't is no error, because nothing here reads it.
func (l *loader) readOutputs() {
	section := l.root.get("Outputs")
	if section == nil {
		return
	}
	for _, f := range section.fields {
		if condition, ok := f.value.get("Condition").scalar(); ok && !l.condition(f.line, condition) {
			continue
		}
		text, ok := l.resolve(f.value.get("Value")).scalar()
		if ok && len(l.problems.found) == 0 {
			l.stack.Outputs[f.key] = text
		}
		l.problems.found = nil
	}
}

// functionByName returns a function of the stack, nil where there is none.
func (l *loader) functionByName(name string) *Function {
	i := slices.IndexFunc(l.stack.Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &l.stack.Functions[i]
}

func (l *loader) queueByName(name string) *Queue {
	i := slices.IndexFunc(l.stack.Queues, func(q Queue) bool { return q.Name == name })
	if i < 0 {
		return nil
	}
	return &l.stack.Queues[i]
}
