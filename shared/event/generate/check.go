package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/purposepath/realtime/shared/event"
)

var (
	placeholder = regexp.MustCompile(`\{(\w+)\}`)
	domainType  = regexp.MustCompile(`^[a-z]+(\.[a-z]+(_[a-z]+)*)+$`)
	plainWord   = regexp.MustCompile(`^\w+$`)
)

// check holds the catalogue to what the outputs take for granted, and says for each row what is wrong with it.
func check(catalogue []event.Spec) error {
	var problems []error
	seen := map[string]bool{}
	for _, spec := range catalogue {
		for _, problem := range problemsOf(spec) {
			problems = append(problems, fmt.Errorf("%s: %s", spec.Type, problem))
		}
		for _, name := range names(spec) {
			if spec.Domain() && seen[name] {
				problems = append(problems, fmt.Errorf("%s: its name or alias %s is another type's too", spec.Type, name))
			}
			seen[name] = true
		}
	}
	return errors.Join(problems...)
}

func problemsOf(spec event.Spec) []string {
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	if !strings.HasSuffix(spec.Summary, ".") {
		problem("the summary is not a sentence")
	}
	fields := event.Fields(spec.Data)
	if !spec.Domain() {
		if _, err := sampleOf(spec); err != nil {
			problem("its sample: %v", err)
		}
		return problems
	}

	if !domainType.MatchString(string(spec.Type)) || !plainWord.MatchString(spec.Kind) {
		problem("type and kind must be of the form family.verb_past and noun")
	}
	find := func(name string) (event.Field, bool) {
		i := slices.IndexFunc(fields, func(f event.Field) bool { return f.Name == name })
		if i < 0 {
			return event.Field{}, false
		}
		return fields[i], true
	}
	for _, column := range []struct {
		name, field string
		kind        event.Kind
		optional    bool
	}{
		{"Entity", spec.Entity, event.KindID, false},
		{"Actor", spec.Actor, event.KindID, false},
		{"Goal", spec.Goal, event.KindID, true},
		{"Time", spec.Time, event.KindTimestamp, false},
	} {
		if f, ok := find(column.field); !ok || f.Kind != column.kind || !f.Required && !column.optional {
			problem("%s names %q, which is no field of the payload that is always there and of kind %s", column.name, column.field, column.kind)
		}
	}
	for _, f := range fields {
		if slices.Contains([]event.Kind{event.KindObject, event.KindEvents, event.KindOpenEnum}, f.Kind) {
			problem("field %s has a type that payloads can't have", f.Name)
		}
		for _, v := range f.Values {
			if !plainWord.MatchString(v) {
				problem("field %s has the value %q, which is not a word", f.Name, v)
			}
		}
	}
	if spec.Title == "" || spec.Sentence == "" {
		problem("it has no title or no sentence")
	}
	for _, match := range placeholder.FindAllStringSubmatch(spec.Title+spec.Sentence, -1) {
		if _, ok := find(match[1]); !ok && !slices.Contains([]string{"actor", "entity", "goal"}, match[1]) {
			problem("the title or sentence names {%s}, which is no field of the payload", match[1])
		}
	}
	if problems == nil {
		if _, err := sampleEnvelope(spec); err != nil {
			problem("its sample: %v", err)
		}
	}
	return problems
}
