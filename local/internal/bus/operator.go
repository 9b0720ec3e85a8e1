package bus

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A matcher compares one scalar of an event: a string, json.Number, bool or nil.
type matcher func(value any) bool

// maxNumber bounds what can be compared as a number (aws/event-ruler, "Numeric matching").
const maxNumber = 5e9

func equals(want any) matcher {
	if number, ok := want.(json.Number); ok {
		return func(value any) bool {
			other, ok := value.(json.Number)
			return ok && sameNumber(number, other)
		}
	}
	return func(value any) bool { return value == want }
}

// sameNumber: 300 is 300.0 (observed on AWS, against its guide); beyond maxNumber only what is written alike is equal.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y && math.Abs(x) <= maxNumber
}

// onString is a matcher that knows only strings.
func onString(match func(string) bool) matcher {
	return func(value any) bool {
		s, ok := value.(string)
		return ok && match(s)
	}
}

func not(m matcher) matcher { return func(value any) bool { return !m(value) } }

func anyOf(matchers []matcher) matcher {
	return func(value any) bool {
		return slices.ContainsFunc(matchers, func(m matcher) bool { return m(value) })
	}
}

func equalFold(want string) matcher {
	return onString(func(s string) bool { return strings.EqualFold(s, want) })
}

func prefix(want string) matcher {
	return onString(func(s string) bool { return strings.HasPrefix(s, want) })
}

func suffix(want string) matcher {
	return onString(func(s string) bool { return strings.HasSuffix(s, want) })
}

// compileOperator compiles one match expression other than exists.
func compileOperator(operator string, operand any) (matcher, error) {
	text, isText := operand.(string)
	switch operator {
	case "prefix", "suffix":
		if isText {
			if operator == "prefix" {
				return prefix(text), nil
			}
			return suffix(text), nil
		}
		return endIgnoringCase(operator, operand)
	case "equals-ignore-case":
		if !isText {
			return nil, bad("equals-ignore-case match pattern must be a string")
		}
		return equalFold(text), nil
	case "wildcard":
		if !isText {
			return nil, bad("wildcard match pattern must be a string")
		}
		return wildcard(text)
	case "anything-but":
		return anythingBut(operand)
	case "numeric":
		terms, ok := operand.([]any)
		if !ok {
			return nil, bad("Value of numeric must be an array.")
		}
		return numeric(terms)
	case "cidr":
		if !isText {
			return nil, bad("prefix match pattern must be a string") // so worded by AWS
		}
		return cidr(text)
	}
	return nil, bad("Unrecognized match type %s", operator)
}

// endIgnoringCase is {"prefix": {"equals-ignore-case": text}}, and the same for suffix.
func endIgnoringCase(operator string, operand any) (matcher, error) {
	inner, _ := operand.(map[string]any)
	text, ok := inner["equals-ignore-case"].(string)
	if !ok || len(inner) != 1 {
		return nil, bad("%s match pattern must be a string", operator)
	}
	return onString(func(s string) bool {
		// Letters of both cases may differ in length: compare as many characters, not bytes.
		have, want := []rune(s), []rune(text)
		if len(have) < len(want) {
			return false
		}
		if operator == "prefix" {
			have = have[:len(want)]
		} else {
			have = have[len(have)-len(want):]
		}
		return strings.EqualFold(string(have), text)
	}), nil
}

func anythingBut(operand any) (matcher, error) {
	const kinds = "Value of anything-but must be an array or single string/number value."
	switch operand := operand.(type) {
	case string, json.Number:
		return not(equals(operand)), nil
	case []any:
		return anythingButList(operand)
	case map[string]any:
		if len(operand) != 1 {
			return nil, bad("Only one key allowed in match expression")
		}
		for operator, inner := range operand {
			return anythingButOperator(operator, inner)
		}
	}
	return nil, bad(kinds)
}

func anythingButList(list []any) (matcher, error) {
	if len(list) == 0 {
		return nil, bad("Empty arrays are not allowed")
	}
	var all []matcher
	texts := 0
	for _, item := range list {
		switch item.(type) {
		case string:
			texts++
		case json.Number:
		default:
			return nil, bad("Inside anything but list, start|null|boolean is not supported.")
		}
		all = append(all, equals(item))
	}
	if texts != 0 && texts != len(list) {
		return nil, bad("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return not(anyOf(all)), nil
}

// anythingButOperator takes one text or a list of them.
func anythingButOperator(operator string, operand any) (matcher, error) {
	compile := map[string]func(string) (matcher, error){
		"prefix":             func(s string) (matcher, error) { return prefix(s), nil },
		"suffix":             func(s string) (matcher, error) { return suffix(s), nil },
		"equals-ignore-case": func(s string) (matcher, error) { return equalFold(s), nil },
		"wildcard":           wildcard,
	}[operator]
	if compile == nil {
		return nil, bad("Unsupported anything-but pattern: %s", operator)
	}
	list, ok := operand.([]any)
	if !ok {
		if _, nested := operand.(map[string]any); nested {
			return nil, bad("Value of anything-but must be an array or single string/number value.")
		}
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, bad("Empty arrays are not allowed")
	}
	end := operator == "prefix" || operator == "suffix"
	var all []matcher
	for _, item := range list {
		text, ok := item.(string)
		switch {
		case ok && end && text == "":
			return nil, bad("Null prefix/suffix not allowed")
		case !ok && end:
			return nil, bad("prefix/suffix match pattern must be a string")
		case !ok && operator == "wildcard":
			return nil, bad("wildcard match pattern must be a string")
		case !ok:
			return nil, bad("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
		}
		m, err := compile(text)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return not(anyOf(all)), nil
}

// wildcard: * is any text, \* an asterisk, \\ a backslash. AWS refuses patterns that its state machine finds too complex;
// ours takes time in proportion to the text whatever the pattern, and has no such bound.
func wildcard(text string) (matcher, error) {
	pieces := []string{""}
	for i := 0; i < len(text); i++ {
		last := len(pieces) - 1
		switch text[i] {
		case '*':
			if i > 0 && text[i-1] == '*' && pieces[last] == "" {
				return nil, bad("Consecutive wildcard characters at pos %d", i)
			}
			pieces = append(pieces, "")
		case '\\':
			if i+1 == len(text) || text[i+1] != '*' && text[i+1] != '\\' {
				return nil, bad("Invalid escape character at pos %d", i)
			}
			i++
			pieces[last] += text[i : i+1]
		default:
			pieces[last] += text[i : i+1]
		}
	}
	first, middle, last := pieces[0], pieces[1:], ""
	if len(middle) > 0 {
		last, middle = middle[len(middle)-1], middle[:len(middle)-1]
	}
	return onString(func(s string) bool {
		if len(pieces) == 1 {
			return s == first
		}
		s, ok := strings.CutPrefix(s, first)
		if !ok {
			return false
		}
		if s, ok = strings.CutSuffix(s, last); !ok {
			return false
		}
		for _, piece := range middle {
			at := strings.Index(s, piece)
			if at < 0 {
				return false
			}
			s = s[at+len(piece):]
		}
		return true
	}), nil
}

// numeric is ["=", n], or a lower bound, an upper bound, or a lower and then an upper one.
func numeric(terms []any) (matcher, error) {
	low, high := math.Inf(-1), math.Inf(1)
	var openLow, openHigh bool
	for i := 0; i < len(terms); i += 2 {
		operator, ok := terms[i].(string)
		if !ok {
			return nil, bad("Invalid member in numeric match: %v", terms[i])
		}
		switch {
		case i > 2, i == 2 && terms[0] != ">" && terms[0] != ">=":
			return nil, bad("Too many terms in numeric range expression")
		case i == 2 && operator != "<" && operator != "<=":
			return nil, bad("Bad numeric range operator: %s", operator)
		case !slices.Contains([]string{"=", "<", "<=", ">", ">="}, operator):
			return nil, bad("Unrecognized numeric range operator: %s", operator)
		}
		if i+1 == len(terms) {
			return nil, bad("Value of %s must be numeric", operator)
		}
		number, ok := terms[i+1].(json.Number)
		if !ok {
			return nil, bad("Value of %s must be numeric", operator)
		}
		n, err := number.Float64()
		if err != nil || math.Abs(n) > maxNumber {
			return nil, bad("Value must be between -5.0E9 and 5.0E9, inclusive")
		}
		switch operator {
		case "=":
			low, high = n, n
		case ">", ">=":
			low, openLow = n, operator == ">"
		default:
			high, openHigh = n, operator == "<"
		}
	}
	switch {
	case len(terms) == 0:
		return nil, bad("Invalid member in numeric match: ]")
	case len(terms) > 2 && low >= high:
		return nil, bad("Bottom must be less than top")
	}
	return func(value any) bool {
		number, ok := value.(json.Number)
		if !ok {
			return false
		}
		n, err := number.Float64()
		return err == nil && math.Abs(n) <= maxNumber &&
			(n > low || n == low && !openLow) && (n < high || n == high && !openHigh)
	}, nil
}

func cidr(text string) (matcher, error) {
	address, bits, ok := strings.Cut(text, "/")
	if !ok || strings.Contains(bits, "/") {
		return nil, bad("Malformed CIDR, one '/' required")
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return nil, bad("Nonstandard IP address: %s", address)
	}
	length, err := strconv.Atoi(bits)
	if err != nil {
		return nil, bad("Malformed CIDR, mask bits must be an integer")
	}
	block, err := ip.Prefix(length)
	if err != nil {
		return nil, bad("Malformed CIDR, mask bits must be between 0 and %d", ip.BitLen())
	}
	return onString(func(s string) bool {
		ip, err := netip.ParseAddr(s)
		return err == nil && block.Contains(ip)
	}), nil
}
