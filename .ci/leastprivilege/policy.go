package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A grant is one action that a function may do on one resource, by its logical id.
type grant struct{ action, target string }

// A deployment is a translated template: plain CloudFormation.
type deployment struct {
	Resources map[string]struct {
		Type       string
		Properties map[string]any
	}
}

// sweeping finds every policy of the template that reaches beyond what it names.
func (d *deployment) sweeping() []string {
	var found []string
	for _, id := range sorted(d.Resources) {
		for _, statement := range statements(d.Resources[id].Properties) {
			if statement["Effect"] != "Allow" {
				continue
			}
			for _, action := range texts(statement["Action"]) {
				if strings.Contains(action, "*") {
					found = append(found, fmt.Sprintf("%s allows %s: name each action", id, action))
				}
			}
			for _, resource := range values(statement["Resource"]) {
				if target := targetIn(resource); strings.Contains(target, "*") {
					found = append(found, fmt.Sprintf("%s allows %s on %s: name each resource", id, strings.Join(texts(statement["Action"]), ", "), target))
				}
			}
			for _, key := range []string{"NotAction", "NotResource", "NotPrincipal"} {
				if _, ok := statement[key]; ok {
					found = append(found, fmt.Sprintf("%s uses %s: name what is allowed", id, key))
				}
			}
			if principal, ok := statement["Principal"]; ok && strings.Contains(fmt.Sprint(principal), "*") {
				found = append(found, fmt.Sprintf("%s allows everyone", id))
			}
		}
	}
	return found
}

// statements finds the statements of every policy document within a value.
func statements(value any) []map[string]any {
	var found []map[string]any
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			found = append(found, statements(item)...)
		}
	case map[string]any:
		for _, key := range sorted(value) {
			if key != "Statement" {
				found = append(found, statements(value[key])...)
				continue
			}
			for _, statement := range values(value[key]) {
				if statement, ok := statement.(map[string]any); ok {
					found = append(found, statement)
				}
			}
		}
	}
	return found
}

// grants is what a function's role allows, and what is wrong with that role.
func (d *deployment) grants(function string) (map[grant]bool, []string) {
	role := refIn(d.Resources[function].Properties["Role"])
	if d.Resources[role].Type != "AWS::IAM::Role" {
		return nil, []string{fmt.Sprintf("%s has no role of this template", function)}
	}
	properties := d.Resources[role].Properties
	policies := []any{properties["Policies"]}
	var problems []string
	for _, attached := range values(properties["ManagedPolicyArns"]) {
		id := refIn(attached)
		if d.Resources[id].Type != "AWS::IAM::ManagedPolicy" {
			text, _ := json.Marshal(attached)
			problems = append(problems, fmt.Sprintf("%s attaches %s, which is not of this template: name what it needs", role, text))
			continue
		}
		policies = append(policies, d.Resources[id].Properties["PolicyDocument"])
	}
	for _, id := range sorted(d.Resources) { // AWS::IAM::Policy names its roles
		if d.Resources[id].Type != "AWS::IAM::Policy" && d.Resources[id].Type != "AWS::IAM::RolePolicy" {
			continue
		}
		for _, r := range append(values(d.Resources[id].Properties["Roles"]), d.Resources[id].Properties["RoleName"]) {
			if refIn(r) == role {
				policies = append(policies, d.Resources[id].Properties["PolicyDocument"])
			}
		}
	}
	all := make(map[grant]bool)
	for _, statement := range statements(policies) {
		if statement["Effect"] != "Allow" {
			continue
		}
		for _, action := range texts(statement["Action"]) {
			for _, resource := range values(statement["Resource"]) {
				target := targetIn(resource)
				if method, ok := strings.CutPrefix(target, "@connections "); ok && action == manage {
					all[grant{manage + " " + method, ""}] = true
					continue
				}
				all[grant{action, target}] = true
			}
		}
	}
	return all, problems
}

// needs is what Lambda itself does in a function's name: write its log, read its queue, send on what failed.
func (d *deployment) needs(function string) map[grant]bool {
	all := make(map[grant]bool)
	logging, _ := d.Resources[function].Properties["LoggingConfig"].(map[string]any)
	if group := refIn(logging["LogGroup"]); group != "" {
		all[grant{"logs:CreateLogStream", group}] = true
		all[grant{"logs:PutLogEvents", group}] = true
	}
	for _, r := range d.Resources {
		if refIn(r.Properties["FunctionName"]) != function {
			continue
		}
		switch r.Type {
		case "AWS::Lambda::EventSourceMapping":
			for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
				all[grant{action, refIn(r.Properties["EventSourceArn"])}] = true
			}
		case "AWS::Lambda::EventInvokeConfig":
			destinations, _ := r.Properties["DestinationConfig"].(map[string]any)
			for _, key := range []string{"OnFailure", "OnSuccess"} {
				if destination, ok := destinations[key].(map[string]any); ok {
					all[grant{"sqs:SendMessage", refIn(destination["Destination"])}] = true
				}
			}
		}
	}
	return all
}

// variables is the environment of a function.
func (d *deployment) variables(function string) map[string]bool {
	environment, _ := d.Resources[function].Properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	all := make(map[string]bool, len(variables))
	for name := range variables {
		all[name] = true
	}
	return all
}

// refIn is X in {"Ref": X} and {"Fn::GetAtt": [X, …]}, "" in anything else.
func refIn(value any) string {
	object, _ := value.(map[string]any)
	if id, ok := object["Ref"].(string); ok {
		return id
	}
	if path, ok := object["Fn::GetAtt"].([]any); ok && len(path) > 0 {
		id, _ := path[0].(string)
		return id
	}
	return ""
}

var (
	// The star stands for connection ids, which nobody knows beforehand.
	connections = regexp.MustCompile(`:execute-api:[^*]*/(GET|POST|DELETE)/@connections/\*$`)
	attribute   = regexp.MustCompile(`\$\{(\w+)\.Arn\}`)
)

// targetIn names the resource of a statement: its logical id, "Table/index/name", "@connections POST", else as it stands.
func targetIn(value any) string {
	if id := refIn(value); id != "" {
		return id
	}
	text, ok := value.(string)
	if object, _ := value.(map[string]any); !ok {
		if text, ok = object["Fn::Sub"].(string); !ok {
			raw, _ := json.Marshal(value)
			return string(raw)
		}
	}
	if method := connections.FindStringSubmatch(text); method != nil {
		return "@connections " + method[1]
	}
	return attribute.ReplaceAllString(text, "$1")
}

func values(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	}
	return []any{value}
}

func texts(value any) []string {
	var all []string
	for _, item := range values(value) {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	return all
}
