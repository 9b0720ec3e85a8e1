package template

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxParameterBytes is CloudFormation's limit on a parameter's value.
const maxParameterBytes = 4096

// A parameter is one entry of Parameters with the value it has in this load.
type parameter struct {
	kind  string
	value string
}

func (p parameter) isList() bool {
	return p.kind == "CommaDelimitedList" || strings.HasPrefix(p.kind, "List<") ||
		strings.HasPrefix(p.kind, "AWS::SSM::Parameter::Value<List<")
}

func (p parameter) items() []string {
	if p.value == "" {
		return nil
	}
	items := strings.Split(p.value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// readParameters gives every parameter its value, the override before the default, and holds it to its rules.
func (l *loader) readParameters(overrides map[string]string) {
	section := l.root.get("Parameters")
	l.parameters = make(map[string]parameter)
	var names []string
	if section != nil {
		for _, f := range section.fields {
			names = append(names, f.key)
			l.readParameter(f, overrides)
		}
	}
	unknown := make([]string, 0, len(overrides))
	for name := range overrides {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		l.problems.add(0, "a value is given for the parameter %s, which the template does not have; it has %s", name, strings.Join(names, ", "))
	}
}

func (l *loader) readParameter(f field, overrides map[string]string) {
	p := parameter{kind: "String"}
	if kind, ok := f.value.get("Type").scalar(); ok {
		p.kind = kind
	}
	value, given := overrides[f.key]
	if !given {
		standard := f.value.get("Default")
		if value, given = standard.scalar(); !given {
			if standard != nil && standard.kind != nullKind {
				l.problems.add(standard.line, "the default of %s must be a text or a number, not %s", f.key, standard.describe())
			} else {
				l.problems.add(f.line, "the parameter %s has no default: give it a value in parameter_overrides of samconfig.toml", f.key)
			}
		}
	}
	p.value = value
	l.parameters[f.key] = p
	if given {
		l.checkParameter(f, p)
	}
}

func (l *loader) checkParameter(f field, p parameter) {
	values := []string{p.value}
	if p.isList() {
		values = p.items()
	}
	bad := func(format string, args ...any) {
		text, ok := f.value.get("ConstraintDescription").scalar()
		if !ok {
			text = fmt.Sprintf(format, args...)
		}
		shown := strconv.Quote(p.value)
		if secret, _ := f.value.get("NoEcho").scalar(); secret == "true" {
			shown = "(not shown)"
		}
		l.problems.add(f.line, "the parameter %s = %s %s", f.key, shown, text)
	}
	if len(p.value) > maxParameterBytes {
		bad("must have at most %d bytes", maxParameterBytes)
		return
	}
	if allowed := f.value.get("AllowedValues"); allowed != nil {
		var texts []string
		for _, item := range allowed.list {
			text, _ := item.scalar()
			texts = append(texts, text)
		}
		for _, value := range values {
			if !slices.Contains(texts, value) {
				bad("must be one of %s", strings.Join(texts, ", "))
			}
		}
	}
	if pattern, ok := f.value.get("AllowedPattern").scalar(); ok {
		// Java's expressions know more than Go's; one that Go can't read is left to CloudFormation.
		if expression, err := regexp.Compile(`^(?:` + pattern + `)$`); err == nil {
			for _, value := range values {
				if !expression.MatchString(value) {
					bad("must match %s", pattern)
				}
			}
		}
	}
	limit := func(rule string) (float64, bool) {
		text, ok := f.value.get(rule).scalar()
		number, err := strconv.ParseFloat(text, 64)
		return number, ok && err == nil
	}
	for _, value := range values {
		if p.kind == "Number" || p.kind == "List<Number>" {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				bad("must be a number")
				continue
			}
			if least, ok := limit("MinValue"); ok && number < least {
				bad("must be at least %v", least)
			}
			if most, ok := limit("MaxValue"); ok && number > most {
				bad("must be at most %v", most)
			}
			continue
		}
		if least, ok := limit("MinLength"); ok && float64(len(value)) < least {
			bad("must have at least %v characters", least)
		}
		if most, ok := limit("MaxLength"); ok && float64(len(value)) > most {
			bad("must have at most %v characters", most)
		}
	}
}
