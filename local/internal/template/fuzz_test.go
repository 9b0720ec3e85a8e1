package template

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Whatever the bytes are, there is a stack or an *Error with a reason, and what goes out as JSON is JSON.
func FuzzLoad(f *testing.F) {
	for _, path := range []string{"testdata/chat.template.json", "testdata/desk.yaml", "../../../template.yaml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a\n  <<: *a\nResources: *a\n"))
	f.Add([]byte("Resources: {A: !If [!Ref A, !Sub '${A.}'], !GetAtt B: {Type: !Sub x}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		stack, err := load("t.yaml", "/", data, Options{})
		if err == nil {
			for _, table := range stack.Tables {
				if !json.Valid(table.Create) {
					t.Errorf("the table %s is created by %s", table.ID, table.Create)
				}
			}
			for _, rule := range stack.Rules {
				if rule.Pattern != nil && !json.Valid(rule.Pattern) {
					t.Errorf("the rule %s has the pattern %s", rule.ID, rule.Pattern)
				}
			}
			return
		}
		var found *Error
		if stack != nil || !errors.As(err, &found) || len(found.Problems) == 0 {
			t.Errorf("load = %v, %v", stack, err)
		}
	})
}

// Every value of both templates is replaced by each of these in turn: what stands where nobody expects it is an *Error or is
// ignored, never a panic.
func TestEveryValueMayBeAnything(t *testing.T) {
	t.Parallel()
	replacements := map[string]string{
		"null": "null", "a text": "text", "a number": "7", "a list": "[[x]]", "a map": "{ a: { b: c } }",
		"a reference": "!Ref AWS::Region", "no value": "!Ref AWS::NoValue", "a choice": "!If [Always, !Ref AWS::NoValue, {}]",
	}
	for _, path := range []string{"testdata/chat.template.json", "testdata/desk.yaml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range replacements {
			t.Run(path+" with "+name, func(t *testing.T) {
				t.Parallel()
				var document, replacement yaml.Node
				for from, to := range map[string]*yaml.Node{string(data): &document, text: &replacement} {
					if err := yaml.Unmarshal([]byte(from), to); err != nil {
						t.Fatal(err)
					}
				}
				values := valuesBelow(document.Content[0], nil)
				if len(values) < 150 {
					t.Fatalf("found only %d values in %s", len(values), path)
				}
				for _, value := range values {
					before := *value
					*value = *replacement.Content[0]
					p := &problems{file: path}
					r := reader{problems: p}
					stack, err := loadNode(path, "/", r.read(document.Content[0], 0), p, Options{})
					if (stack == nil) == (err == nil) {
						t.Errorf("line %d: load = %v, %v", before.Line, stack, err)
					}
					*value = before
				}
			})
		}
	}
}

// valuesBelow lists the values of a node at every depth.
func valuesBelow(n *yaml.Node, all []*yaml.Node) []*yaml.Node {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue // a key
		}
		all = append(valuesBelow(child, all), child)
	}
	return all
}
