package template

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// resolve replaces every intrinsic function in n by its value. It returns nil where the value is AWS::NoValue: such keys
// and entries disappear. What can't be resolved is reported and stands as null.
func (l *loader) resolve(n *node) *node {
	if n == nil {
		return nil
	}
	if name, argument, ok := n.function(); ok {
		return l.call(n, name, argument)
	}
	switch n.kind {
	case listKind:
		c := listNode(n.line)
		for _, item := range n.list {
			if v := l.resolve(item); v != nil {
				c.list = append(c.list, v)
			}
		}
		return c
	case objectKind:
		c := objectNode(n.line)
		for _, f := range n.fields {
			if f.key == "Fn::Transform" {
				l.problems.add(f.line, "Fn::Transform is run by CloudFormation alone: write what it would insert")
				continue
			}
			if v := l.resolve(f.value); v != nil {
				c.fields = append(c.fields, field{key: f.key, line: f.line, value: v})
			}
		}
		return c
	}
	return n
}

func (l *loader) call(n *node, name string, argument *node) *node {
	null := &node{line: n.line}
	switch name {
	case "Ref":
		if argument.kind != textKind {
			l.problems.add(n.line, "Ref takes a name, not %s", argument.describe())
			return null
		}
		return l.ref(argument)
	case "Fn::GetAtt":
		if argument.kind == textKind {
			id, attribute, _ := strings.Cut(argument.text, ".")
			argument = listNode(n.line, textNode(n.line, id), textNode(n.line, attribute))
		}
		args := l.arguments(n, name, argument, 2, 2)
		if args == nil {
			return null
		}
		id, ok1 := args[0].scalar()
		attribute, ok2 := l.resolve(args[1]).scalar()
		if !ok1 || !ok2 {
			l.problems.add(n.line, "Fn::GetAtt takes a resource's logical id and an attribute")
			return null
		}
		return textNode(n.line, l.attribute(n.line, id, attribute))
	case "Fn::Sub":
		return l.sub(n, argument)
	case "Fn::If":
		args := l.arguments(n, name, argument, 3, 3)
		if args == nil {
			return null
		}
		condition, ok := args[0].scalar()
		if !ok {
			l.problems.add(n.line, "Fn::If takes the name of a condition first, not %s", args[0].describe())
			return null
		}
		if l.condition(n.line, condition) {
			return l.resolve(args[1])
		}
		return l.resolve(args[2])
	case "Fn::Join":
		return l.join(n, argument)
	case "Fn::Split":
		args := l.arguments(n, name, argument, 2, 2)
		if args == nil {
			return null
		}
		separator, ok1 := l.resolve(args[0]).scalar()
		text, ok2 := l.resolve(args[1]).scalar()
		if !ok1 || !ok2 || separator == "" {
			l.problems.add(n.line, "Fn::Split takes a separator and a text")
			return null
		}
		parts := listNode(n.line)
		for part := range strings.SplitSeq(text, separator) {
			parts.list = append(parts.list, textNode(n.line, part))
		}
		return parts
	case "Fn::Select":
		return l.selectItem(n, argument)
	case "Fn::FindInMap":
		return l.findInMap(n, argument)
	case "Fn::Base64":
		text, ok := l.resolve(argument).scalar()
		if !ok {
			l.problems.add(n.line, "Fn::Base64 takes a text")
			return null
		}
		return l.text(n.line, base64.StdEncoding.EncodeToString([]byte(text)))
	case "Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or":
		return &node{line: n.line, kind: boolKind, text: strconv.FormatBool(l.test(n))}
	case "Fn::ImportValue":
		l.problems.add(n.line, "Fn::ImportValue reads another stack's output, which does not exist here: take the value from a parameter")
	case "Fn::Transform":
		l.problems.add(n.line, "Fn::Transform is run by CloudFormation alone: write what it would insert")
	default:
		l.problems.add(n.line, "the function %s is not known here; known are Ref, Condition and Fn::GetAtt, Sub, If, Equals, Not, And, Or, Join, Split, Select, FindInMap, Base64", name)
	}
	return null
}

// arguments returns the list a function takes, nil and a problem if it has another length or form.
func (l *loader) arguments(n *node, name string, argument *node, least, most int) []*node {
	if argument.kind != listKind || len(argument.list) < least || len(argument.list) > most {
		l.problems.add(n.line, "%s takes a list of %d values", name, least)
		return nil
	}
	return argument.list
}

// text makes the text node that a function returns, unless functions have made texts grow beyond all sense.
func (l *loader) text(line int, text string) *node {
	if l.textBytes += len(text); l.textBytes > maxTextBytes {
		l.problems.add(line, "the template's texts grow beyond %d bytes", maxTextBytes)
		return &node{line: line}
	}
	return textNode(line, text)
}

// ref resolves the name in a Ref, nil for AWS::NoValue.
func (l *loader) ref(n *node) *node {
	name := n.text
	if name == "AWS::NoValue" {
		return nil
	}
	if value, ok := l.pseudo[name]; ok {
		return textNode(n.line, value)
	}
	if p, ok := l.parameters[name]; ok {
		if !p.isList() {
			return textNode(n.line, p.value)
		}
		items := listNode(n.line)
		for _, item := range p.items() {
			items.list = append(items.list, textNode(n.line, item))
		}
		return items
	}
	return textNode(n.line, l.attribute(n.line, name, "Ref"))
}

// sub replaces ${Name}, ${Resource.Attribute} and ${Variable} in a text; ${!Literal} stands for ${Literal}.
func (l *loader) sub(n, argument *node) *node {
	variables := objectNode(n.line)
	if argument.kind == listKind {
		args := l.arguments(n, "Fn::Sub", argument, 2, 2)
		if args == nil {
			return &node{line: n.line}
		}
		argument = args[0]
		for _, f := range args[1].fields { // resolved one by one: {Condition: …} may be a variable's name
			variables.fields = append(variables.fields, field{f.key, f.line, l.resolve(f.value)})
		}
	}
	rest, ok := argument.scalar()
	if !ok {
		l.problems.add(n.line, "Fn::Sub takes a text, or a text and a map of its variables")
		return &node{line: n.line}
	}
	var b strings.Builder
	for l.textBytes+b.Len() <= maxTextBytes {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			l.problems.add(n.line, "Fn::Sub: ${%s is never closed with }", after)
			break
		}
		b.WriteString(l.variable(n.line, variables, name))
		rest = tail
	}
	return l.text(n.line, b.String())
}

func (l *loader) variable(line int, variables *node, name string) string {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}"
	}
	name = strings.TrimSpace(name)
	value := variables.get(name)
	if value == nil {
		id, attribute, dotted := strings.Cut(name, ".")
		if dotted && l.generated[name] == "" {
			return l.attribute(line, id, attribute)
		}
		value = l.ref(textNode(line, name))
	}
	text, ok := value.scalar()
	if !ok {
		l.problems.add(line, "Fn::Sub: ${%s} is %s, not a text", name, value.describe())
	}
	return text
}

func (l *loader) join(n, argument *node) *node {
	null := &node{line: n.line}
	args := l.arguments(n, "Fn::Join", argument, 2, 2)
	if args == nil {
		return null
	}
	separator, ok := l.resolve(args[0]).scalar()
	items := l.resolve(args[1])
	if !ok || items == nil || items.kind != listKind {
		l.problems.add(n.line, "Fn::Join takes a separator and a list")
		return null
	}
	size, texts := 0, make([]string, len(items.list))
	for i, item := range items.list {
		if texts[i], ok = item.scalar(); !ok {
			l.problems.add(item.line, "Fn::Join joins texts, not %s", item.describe())
		}
		if size += len(texts[i]) + len(separator); l.textBytes+size > maxTextBytes {
			break
		}
	}
	return l.text(n.line, strings.Join(texts, separator))
}

func (l *loader) selectItem(n, argument *node) *node {
	null := &node{line: n.line}
	args := l.arguments(n, "Fn::Select", argument, 2, 2)
	if args == nil {
		return null
	}
	text, _ := l.resolve(args[0]).scalar()
	index, err := strconv.Atoi(text)
	items := l.resolve(args[1])
	if err != nil || items == nil || items.kind != listKind {
		l.problems.add(n.line, "Fn::Select takes an index and a list")
		return null
	}
	if index < 0 || index >= len(items.list) {
		l.problems.add(n.line, "Fn::Select: index %d of a list of %d", index, len(items.list))
		return null
	}
	return items.list[index]
}

func (l *loader) findInMap(n, argument *node) *node {
	null := &node{line: n.line}
	args := l.arguments(n, "Fn::FindInMap", argument, 3, 3)
	if args == nil {
		return null
	}
	keys := make([]string, 3)
	for i, arg := range args {
		var ok bool
		if keys[i], ok = l.resolve(arg).scalar(); !ok {
			l.problems.add(n.line, "Fn::FindInMap takes a mapping, a key and a second key")
			return null
		}
	}
	value := l.root.get("Mappings", keys[0], keys[1], keys[2])
	if value == nil {
		l.problems.add(n.line, "Mappings has no %s.%s.%s", keys[0], keys[1], keys[2])
		return null
	}
	return value
}

// condition evaluates a condition of the template by its name.
func (l *loader) condition(line int, name string) bool {
	if value, ok := l.conditions[name]; ok {
		return value
	}
	n := l.root.get("Conditions", name)
	if n == nil {
		l.problems.add(line, "there is no condition %s in Conditions", name)
		return false
	}
	if slices.Contains(l.evaluating, "condition "+name) {
		l.problems.add(n.line, "the condition %s depends on itself", name)
		return false
	}
	l.evaluating = append(l.evaluating, "condition "+name)
	value := l.test(n)
	l.evaluating = l.evaluating[:len(l.evaluating)-1]
	l.conditions[name] = value
	return value
}

// test evaluates a condition function.
func (l *loader) test(n *node) bool {
	name, argument, _ := n.function()
	switch name {
	case "Condition":
		if other, ok := argument.scalar(); ok {
			return l.condition(n.line, other)
		}
	case "Fn::Equals":
		if args := l.arguments(n, name, argument, 2, 2); args != nil {
			a, b := l.resolve(args[0]), l.resolve(args[1])
			left, ok1 := a.scalar()
			right, ok2 := b.scalar()
			if ok1 && ok2 {
				return left == right
			}
			return string(a.json()) == string(b.json())
		}
		return false
	case "Fn::Not":
		if args := l.arguments(n, name, argument, 1, 1); args != nil {
			return !l.test(args[0])
		}
		return false
	case "Fn::And", "Fn::Or":
		args := l.arguments(n, name, argument, 1, 10)
		if args == nil {
			return false
		}
		for _, arg := range args {
			if l.test(arg) == (name == "Fn::Or") {
				return name == "Fn::Or"
			}
		}
		return name == "Fn::And"
	default:
		if text, ok := n.scalar(); ok && (text == "true" || text == "false") {
			return text == "true"
		}
	}
	l.problems.add(n.line, "a condition is made of Fn::Equals, Fn::Not, Fn::And, Fn::Or and Condition")
	return false
}
