package template

import (
	"strings"
	"unicode"
)

// expand adds a resource of the template, SAM's own types as the plain ones that its transform makes of them, under the
// same logical ids: so a RouteResponse may name WebSocketApiAuthRoute, and there is one reader for both forms.
func (l *loader) expand(f field) {
	id, n := f.key, f.value
	kind, ok := n.get("Type").scalar()
	if !ok {
		l.problems.add(f.line, "the resource %s has no Type", id)
		return
	}
	r := &resource{id: id, kind: kind, line: f.line, properties: l.choose(n.get("Properties")), metadata: n.get("Metadata")}
	if r.properties == nil || r.properties.kind == nullKind {
		r.properties = objectNode(f.line)
	}
	if name, _, ok := r.properties.function(); ok {
		l.problems.add(r.properties.line, "the Properties of %s are what %s makes, which CloudFormation alone runs: write them", id, name)
		return
	}
	if r.properties.kind != objectKind {
		l.problems.add(r.properties.line, "the Properties of %s must be a map", id)
		return
	}
	if condition := n.get("Condition"); condition != nil {
		name, ok := condition.scalar()
		if !ok {
			l.problems.add(condition.line, "the Condition of %s must be the name of a condition", id)
		} else if !l.condition(condition.line, name) {
			r.removedBy = name
		}
	}
	if strings.HasPrefix(kind, "AWS::Serverless::") && !l.sam {
		l.problems.add(f.line, "%s needs the line Transform: %s", kind, samTransform)
		return
	}
	switch kind {
	case "AWS::Serverless::Function":
		l.expandFunction(r)
	case "AWS::Serverless::WebSocketApi":
		l.expandWebSocketAPI(r)
	case "AWS::Serverless::SimpleTable":
		l.expandSimpleTable(r)
	default:
		l.add(r)
	}
}

// add registers a resource, unless its condition is false.
func (l *loader) add(r *resource) {
	if r.removedBy != "" {
		l.removed[r.id] = r.removedBy
		return
	}
	if _, ok := l.resources[r.id]; ok {
		l.problems.add(r.line, "SAM makes a resource called %s, and there is one already: rename it", r.id)
		return
	}
	l.resources[r.id] = r
	l.order = append(l.order, r)
}

// derive adds a resource that SAM makes for r; fields without value are left out.
func (l *loader) derive(r *resource, id, kind string, line int, fields ...field) {
	object := objectNode(line)
	for _, f := range fields {
		if f.value != nil {
			f.line = f.value.line
			object.fields = append(object.fields, f)
		}
	}
	l.add(&resource{id: id, kind: kind, line: line, properties: object, removedBy: r.removedBy})
}

func refTo(line int, id string) *node {
	return objectNode(line, field{key: "Ref", line: line, value: textNode(line, id)})
}

func attributeOf(line int, id, attribute string) *node {
	return objectNode(line, field{key: "Fn::GetAtt", line: line, value: listNode(line, textNode(line, id), textNode(line, attribute))})
}

// choose takes the branch of an Fn::If where the shape of the template hangs on it, before names can be resolved.
func (l *loader) choose(n *node) *node {
	for {
		name, argument, ok := n.function()
		switch {
		case ok && name == "Ref" && argument.text == "AWS::NoValue":
			return nil
		case !ok || name != "Fn::If" || len(argument.list) != 3:
			return n
		}
		condition, _ := argument.list[0].scalar()
		if l.condition(n.line, condition) {
			n = argument.list[1]
		} else {
			n = argument.list[2]
		}
	}
}

// mergeGlobals merges as SAM does: maps merge, lists are concatenated, anything else is overridden. An intrinsic function
// counts as a plain value.
func mergeGlobals(global, local *node) *node {
	if global == nil {
		return local
	}
	if local == nil {
		return global
	}
	_, _, f1 := global.function()
	_, _, f2 := local.function()
	if f1 || f2 || global.kind != local.kind {
		return local
	}
	switch local.kind {
	case listKind:
		return listNode(local.line, append(append([]*node{}, global.list...), local.list...)...)
	case objectKind:
		merged := objectNode(local.line)
		for _, f := range global.fields {
			if own := local.get(f.key); own != nil {
				f.value = mergeGlobals(f.value, own)
				f.line = own.line
			}
			merged.fields = append(merged.fields, f)
		}
		for _, f := range local.fields {
			if global.get(f.key) == nil {
				merged.fields = append(merged.fields, f)
			}
		}
		return merged
	}
	return local
}

func (l *loader) expandFunction(r *resource) {
	p := mergeGlobals(l.root.get("Globals", "Function"), r.properties)
	r.kind, r.properties = "AWS::Lambda::Function", p
	l.add(r)
	if alias, ok := p.get("AutoPublishAlias").scalar(); ok {
		l.generated[r.id+".Alias"], l.generated[r.id+".Version"] = r.id+"Alias"+alias, r.id+"Version"
		l.derive(r, r.id+"Alias"+alias, "AWS::Lambda::Alias", r.line, field{key: "FunctionName", value: refTo(r.line, r.id)})
		l.derive(r, r.id+"Version", "AWS::Lambda::Version", r.line, field{key: "FunctionName", value: refTo(r.line, r.id)})
	}
	if c := l.choose(p.get("EventInvokeConfig")); c != nil {
		destinations := l.choose(c.get("DestinationConfig"))
		if failure := l.choose(destinations.get("OnFailure")); failure != nil {
			kind, _ := failure.get("Type").scalar()
			if failure.get("Destination") == nil && kind == "SQS" {
				id := r.id + "EventInvokeConfigOnFailureQueue"
				l.derive(r, id, "AWS::SQS::Queue", failure.line)
				failure = failure.with("Destination", attributeOf(failure.line, id, "Arn"))
			}
			destinations = destinations.with("OnFailure", failure)
		}
		l.derive(r, r.id+"EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", c.line,
			field{key: "FunctionName", value: refTo(c.line, r.id)},
			field{key: "MaximumRetryAttempts", value: c.get("MaximumRetryAttempts")},
			field{key: "MaximumEventAgeInSeconds", value: c.get("MaximumEventAgeInSeconds")},
			field{key: "DestinationConfig", value: destinations})
	}
	if events := l.choose(p.get("Events")); events != nil {
		for _, f := range events.fields {
			l.expandEvent(r, f.key, f.line, l.choose(f.value))
		}
	}
}

// expandEvent makes of a function's event the rule, schedule or mapping that SAM makes of it.
func (l *loader) expandEvent(r *resource, name string, line int, event *node) {
	if event == nil {
		return // AWS::NoValue
	}
	kind, ok := event.get("Type").scalar()
	if !ok {
		l.problems.add(line, "the event %s of %s has no Type", name, r.id)
		return
	}
	p, id := l.choose(event.get("Properties")), r.id+name
	state := p.get("State")
	if enabled, ok := l.choose(p.get("Enabled")).scalar(); ok && enabled == "false" && state == nil {
		state = textNode(line, "DISABLED")
	}
	target := func() *node {
		t := objectNode(line, field{key: "Arn", line: line, value: attributeOf(line, r.id, "Arn")})
		for _, key := range []string{"Input", "InputPath", "InputTransformer", "RetryPolicy"} {
			if value := p.get(key); value != nil {
				t = t.with(key, value)
			}
		}
		if letters := l.deadLetters(r, id, l.choose(p.get("DeadLetterConfig"))); letters != nil {
			t = t.with("DeadLetterConfig", letters)
		}
		return t
	}
	switch kind {
	case "EventBridgeRule", "CloudWatchEvent":
		l.derive(r, id, "AWS::Events::Rule", line,
			field{key: "Name", value: p.get("RuleName")},
			field{key: "EventBusName", value: p.get("EventBusName")},
			field{key: "EventPattern", value: p.get("Pattern")},
			field{key: "State", value: state},
			field{key: "Targets", value: listNode(line, target())})
	case "Schedule":
		l.derive(r, id, "AWS::Events::Rule", line,
			field{key: "Name", value: p.get("Name")},
			field{key: "ScheduleExpression", value: p.get("Schedule")},
			field{key: "State", value: state},
			field{key: "Targets", value: listNode(line, target())})
	case "ScheduleV2":
		l.derive(r, id, "AWS::Scheduler::Schedule", line,
			field{key: "Name", value: p.get("Name")},
			field{key: "ScheduleExpression", value: p.get("ScheduleExpression")},
			field{key: "ScheduleExpressionTimezone", value: p.get("ScheduleExpressionTimezone")},
			field{key: "StartDate", value: p.get("StartDate")},
			field{key: "EndDate", value: p.get("EndDate")},
			field{key: "State", value: state},
			field{key: "Target", value: target()})
	case "SQS":
		l.derive(r, id, "AWS::Lambda::EventSourceMapping", line,
			field{key: "EventSourceArn", value: p.get("Queue")},
			field{key: "FunctionName", value: refTo(line, r.id)},
			field{key: "BatchSize", value: p.get("BatchSize")},
			field{key: "Enabled", value: p.get("Enabled")},
			field{key: "FilterCriteria", value: p.get("FilterCriteria")},
			field{key: "MaximumBatchingWindowInSeconds", value: p.get("MaximumBatchingWindowInSeconds")},
			field{key: "FunctionResponseTypes", value: p.get("FunctionResponseTypes")},
			field{key: "ScalingConfig", value: p.get("ScalingConfig")})
	default:
		if r.removedBy == "" {
			l.notes.add(line, "the event %s of %s is of type %s, which is not run here", name, r.id, kind)
		}
	}
}

// deadLetters turns SAM's {Type: SQS, QueueLogicalId: …} into the queue that it stands for.
func (l *loader) deadLetters(r *resource, event string, c *node) *node {
	if kind, _ := c.get("Type").scalar(); kind != "SQS" {
		return c
	}
	id, ok := c.get("QueueLogicalId").scalar()
	if !ok {
		id = event + "Queue"
	}
	l.derive(r, id, "AWS::SQS::Queue", c.line)
	return objectNode(c.line, field{key: "Arn", line: c.line, value: attributeOf(c.line, id, "Arn")})
}

func (l *loader) expandWebSocketAPI(r *resource) {
	p := mergeGlobals(l.root.get("Globals", "WebSocketApi"), r.properties)
	r.kind, r.properties = "AWS::ApiGatewayV2::Api", p.with("ProtocolType", textNode(r.line, "WEBSOCKET"))
	l.add(r)

	stage := p.get("StageName")
	if stage == nil {
		stage = textNode(r.line, "default")
	}
	id := r.id + "Stage"
	if literal, ok := stage.scalar(); ok {
		if literal == "default" {
			literal = "Default"
		}
		id = r.id + literal + "Stage"
	}
	l.generated[r.id+".Stage"] = id
	l.derive(r, id, "AWS::ApiGatewayV2::Stage", stage.line, field{key: "ApiId", value: refTo(r.line, r.id)}, field{key: "StageName", value: stage})

	routes := l.choose(p.get("Routes"))
	if routes == nil || len(routes.fields) == 0 {
		l.problems.add(r.line, "the WebSocket API %s has no Routes", r.id)
		return
	}
	authorization := l.choose(p.get("Auth")).get("AuthType")
	keys := make(map[string]string, len(routes.fields)) // by the name that SAM makes of them
	for _, f := range routes.fields {
		name, ok := routeName(f.key)
		if !ok {
			l.problems.add(f.line, "SAM refuses the route key %s: only letters and digits, $connect, $disconnect and $default; other keys need AWS::ApiGatewayV2::Route", f.key)
			continue
		}
		if other, ok := keys[name]; ok {
			l.problems.add(f.line, "SAM makes the same resource %s%sRoute of the route keys %s and %s and silently loses one: rename it", r.id, name, other, f.key)
			continue
		}
		keys[name] = f.key
		spec := l.choose(f.value)
		auth := authorization
		if f.key != "$connect" {
			auth = nil
		}
		l.derive(r, r.id+name+"Route", "AWS::ApiGatewayV2::Route", f.line,
			field{key: "ApiId", value: refTo(f.line, r.id)},
			field{key: "RouteKey", value: textNode(f.line, f.key)},
			field{key: "AuthorizationType", value: auth},
			field{key: "RouteResponseSelectionExpression", value: spec.get("RouteResponseSelectionExpression")},
			field{key: "Target", value: textNode(f.line, "integrations/"+r.id+name+"Integration")})
		l.derive(r, r.id+name+"Integration", "AWS::ApiGatewayV2::Integration", f.line,
			field{key: "ApiId", value: refTo(f.line, r.id)},
			field{key: "IntegrationType", value: textNode(f.line, "AWS_PROXY")},
			field{key: "IntegrationUri", value: spec.get("FunctionArn")},
			field{key: "TimeoutInMillis", value: spec.get("IntegrationTimeout")})
	}
}

// routeName is what SAM puts into the logical ids of a route: Python's capitalize, so sendMsg and sendmsg are one.
func routeName(key string) (string, bool) {
	switch key {
	case "$connect", "$disconnect", "$default":
		key = key[1:]
	}
	if key == "" || strings.ContainsFunc(key, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		return "", false
	}
	first, rest := []rune(key)[0], string([]rune(key)[1:])
	return string(unicode.ToUpper(first)) + strings.ToLower(rest), true
}

func (l *loader) expandSimpleTable(r *resource) {
	p := mergeGlobals(l.root.get("Globals", "SimpleTable"), r.properties)
	name, kind := textNode(r.line, "id"), "S"
	if key := l.choose(p.get("PrimaryKey")); key != nil {
		if n := key.get("Name"); n != nil {
			name = n
		}
		switch word, _ := key.get("Type").scalar(); word {
		case "Number":
			kind = "N"
		case "Binary":
			kind = "B"
		}
	}
	attribute := func(key string, value string) *node {
		return listNode(name.line, objectNode(name.line,
			field{key: "AttributeName", line: name.line, value: name},
			field{key: key, line: name.line, value: textNode(name.line, value)}))
	}
	billing := textNode(r.line, "PAY_PER_REQUEST")
	if p.get("ProvisionedThroughput") != nil {
		billing = nil
	}
	l.derive(r, r.id, "AWS::DynamoDB::Table", r.line,
		field{key: "TableName", value: p.get("TableName")},
		field{key: "AttributeDefinitions", value: attribute("AttributeType", kind)},
		field{key: "KeySchema", value: attribute("KeyType", "HASH")},
		field{key: "BillingMode", value: billing},
		field{key: "ProvisionedThroughput", value: p.get("ProvisionedThroughput")})
}
