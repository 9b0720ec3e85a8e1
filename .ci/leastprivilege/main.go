// Leastprivilege compares what each function may do with what its code does, and fails on any difference.
//
//	leastprivilege MODULE TRANSLATED.json
//
// MODULE is the folder of a Go module with one program per function (AuthFunction is functions/auth), TRANSLATED.json the
// template as plain CloudFormation (translate.py). It reports, a line each:
//   - a policy that names no resource or no action but a star, or attaches one that the template does not define;
//   - an action that is allowed on a resource and that no code reachable from the function's main does there;
//   - an action that the code does and the role does not allow;
//   - a variable that a function is given and does not read, or reads and is not given.
//
// What Lambda does in the function's name (its log, its queue, its failed events) counts as done.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: leastprivilege MODULE TRANSLATED.json")
		os.Exit(2)
	}
	problems, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, problem := range problems {
		fmt.Println(problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

func check(module, translated string) ([]string, error) {
	data, err := os.ReadFile(translated)
	if err != nil {
		return nil, fmt.Errorf("read the translated template: %w", err)
	}
	var d deployment
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("read %s: %w", translated, err)
	}
	p, err := loadProgram(module)
	if err != nil {
		return nil, err
	}
	return compare(&d, p), nil
}

func compare(d *deployment, p *program) []string {
	problems := d.sweeping()
	var functions []string
	for _, id := range sorted(d.Resources) {
		if d.Resources[id].Type == "AWS::Lambda::Function" {
			functions = append(functions, id)
		}
	}
	everywhere := d.everywhere(functions)
	read := make(map[string]bool) // the variables of everywhere that some function reads
	for _, id := range functions {
		folder := "functions/" + strings.ToLower(strings.TrimSuffix(id, "Function"))
		main := p.mains[folder]
		if main == nil {
			problems = append(problems, fmt.Sprintf("%s has no program %s", id, folder))
			continue
		}
		used := p.reach(main)
		problems = append(problems, compareActions(d, id, folder, used)...)
		problems = append(problems, compareVariables(d, id, folder, used, everywhere)...)
		for name := range everywhere {
			read[name] = read[name] || used.constants[name]
		}
	}
	for _, name := range sorted(read) {
		if !read[name] {
			problems = append(problems, fmt.Sprintf("every function is given %s and none reads it", name))
		}
	}
	return problems
}

// everywhere is the variables that all functions are given: SAM's Globals.
func (d *deployment) everywhere(functions []string) map[string]bool {
	count := make(map[string]int)
	for _, id := range functions {
		for name := range d.variables(id) {
			count[name]++
		}
	}
	all := make(map[string]bool)
	for name, n := range count {
		if n == len(functions) {
			all[name] = true
		}
	}
	return all
}

func compareActions(d *deployment, id, folder string, used usage) []string {
	allowed, problems := d.grants(id)
	if allowed == nil {
		return problems
	}
	done := d.needs(id)
	for _, g := range sortedGrants(done) {
		if !allowed[g] {
			problems = append(problems, fmt.Sprintf("Lambda does %s for %s, which its role does not allow", g, id))
		}
	}
	somewhere := make(map[string]bool) // actions done on a resource that the code does not name
	for _, c := range sortedCalls(used) {
		g := grant{c.action, d.resourceNamed(c.action, c.target)}
		permitted := allowed[g]
		switch {
		case c.target == "" && built(used, c.action):
			continue // the inputs say on what
		case g.target != "" || strings.HasPrefix(c.action, manage):
			done[g] = true
		default:
			somewhere[c.action] = true
			for a := range allowed {
				permitted = permitted || a.action == c.action
			}
		}
		if !permitted {
			problems = append(problems, fmt.Sprintf("%s does %s (%s), which the role of %s does not allow", folder, g, used.calls[c], id))
		}
	}
	for _, g := range sortedGrants(allowed) {
		if !done[g] && !somewhere[g.action] {
			problems = append(problems, fmt.Sprintf("%s may do %s, and no code of %s does", id, g, folder))
		}
	}
	return problems
}

// built says whether the code builds the input of an action.
func built(used usage, action string) bool {
	for c := range used.calls {
		if c.action == action && c.target != "" {
			return true
		}
	}
	return false
}

// resourceNamed finds the table or queue that a name in the code means: connections, connectionsTable and ConnectionsTableName
// are all Connections; deadLetters and deadLetterQueueURL are DeadLetterQueue.
func (d *deployment) resourceNamed(action, name string) string {
	name, index, indexed := strings.Cut(name, "/")
	kind := "AWS::DynamoDB::Table"
	if strings.HasPrefix(action, "sqs:") {
		kind = "AWS::SQS::Queue"
	}
	for _, id := range sorted(d.Resources) {
		if d.Resources[id].Type == kind && stem(id) == stem(name) {
			if indexed {
				return id + "/" + index
			}
			return id
		}
	}
	return ""
}

// stem is what a name says beside that it is a name, an address or a list.
func stem(name string) string {
	name = strings.ToLower(name)
	for _, suffix := range []string{"name", "url", "arn", "table", "queue", "s"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

func compareVariables(d *deployment, id, folder string, used usage, everywhere map[string]bool) []string {
	var problems []string
	given := d.variables(id)
	for _, name := range sorted(given) {
		if !used.constants[name] && !everywhere[name] {
			problems = append(problems, fmt.Sprintf("%s is given %s, and no code of %s reads it", id, name, folder))
		}
	}
	for _, name := range sorted(used.variables) {
		if !given[name] && !strings.HasPrefix(name, "AWS_") && strings.ToUpper(name) == name && strings.Contains(name, "_") {
			problems = append(problems, fmt.Sprintf("%s reads %s (%s), which %s is not given", folder, name, used.variables[name], id))
		}
	}
	return problems
}

func (g grant) String() string {
	if g.target == "" {
		return g.action
	}
	return g.action + " on " + g.target
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func sortedGrants(m map[grant]bool) []grant {
	return slices.SortedFunc(maps.Keys(m), func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.target, b.target))
	})
}

func sortedCalls(u usage) []call {
	return slices.SortedFunc(maps.Keys(u.calls), func(a, b call) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.target, b.target))
	})
}
