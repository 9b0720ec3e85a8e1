// Package docs_test holds the pages of this folder to the code.
package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/purposepath/realtime/shared/event"
	"github.com/purposepath/realtime/shared/eventlog"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is the text under a heading, up to the next one of the same or a higher level.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, "PROTOCOL.md"), "\n"+heading+"\n")
	if !found {
		t.Fatalf("PROTOCOL.md has no heading %q", heading)
	}
	level := len(heading) - len(strings.TrimLeft(heading, "#"))
	if end := regexp.MustCompile(fmt.Sprintf(`(?m)^#{1,%d} `, level)).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return text
}

// rows are the cells of a section's tables, without their heads.
func rows(t *testing.T, heading string) [][]string {
	t.Helper()
	var rows [][]string
	for line := range strings.Lines(section(t, heading)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|---") {
			rows = append(rows, cells)
		}
	}
	if len(rows) < 2 {
		t.Fatalf("%q has no table", heading)
	}
	return rows[1:]
}

// An example is a block of JSON. What it is held to stands behind the word json of its fence.
type example struct {
	line int
	kind string
	text []byte
}

func examples(t *testing.T) []example {
	t.Helper()
	var list []example
	open := false
	number := 0
	for line := range strings.Lines(read(t, "PROTOCOL.md")) {
		number++
		line = strings.TrimSpace(line)
		switch kind, fence := strings.CutPrefix(line, "```json"); {
		case fence:
			list = append(list, example{line: number, kind: strings.TrimSpace(kind)})
			open = true
		case line == "```":
			open = false
		case open:
			last := &list[len(list)-1]
			last.text = append(append(last.text, line...), '\n')
		}
	}
	if len(list) < 25 {
		t.Fatalf("%d examples found, that can't be all", len(list))
	}
	return list
}

// schemas knows the files of the folder by their names.
func schemas(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob("schemas/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("schemas: %v, %v", files, err)
	}
	for _, file := range files {
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, file)))
		if err == nil {
			err = c.AddResource(filepath.Base(file), schema)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func check(c *jsonschema.Compiler, name string, text []byte) error {
	schema, bad := c.Compile(name)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err = errors.Join(bad, err); err != nil {
		return err
	}
	return schema.Validate(value)
}

// strict decodes and lets no field pass that the Go type does not have: the schemas do, because the protocol does.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// strictData does so for the data of a type, and for the events in it.
func strictData(name event.Type, data []byte) error {
	for _, spec := range event.Catalogue() {
		if spec.Type != name {
			continue
		}
		into := reflect.New(reflect.TypeOf(spec.Data)).Interface()
		err := strict(data, into)
		if batch, ok := into.(*event.Batch); ok {
			for _, envelope := range batch.Events {
				err = errors.Join(err, strictMessage("envelope.json", envelope))
			}
		}
		return err
	}
	return fmt.Errorf("the catalogue has no %q", name)
}

func strictMessage(schema string, text []byte) error {
	switch schema {
	case "client.json":
		var message struct{ Action event.Type }
		if err := json.Unmarshal(text, &message); err != nil {
			return err
		}
		return strictData(message.Action, text)
	case "envelope.json":
		var envelope event.Envelope
		err := strict(text, &envelope)
		return errors.Join(err, strictData(envelope.Type, envelope.Data))
	default:
		var message struct {
			Type      event.Type
			Timestamp event.Timestamp
			Data      json.RawMessage
		}
		err := strict(text, &message)
		return errors.Join(err, strictData(message.Type, message.Data))
	}
}

func TestExamplesAreTrue(t *testing.T) {
	t.Parallel()
	c := schemas(t)
	var accepted event.Event // by the last example of a producer
	for _, e := range examples(t) {
		var err error
		switch {
		case e.kind == "client.json", e.kind == "control.json", e.kind == "envelope.json":
			err = errors.Join(check(c, e.kind, e.text), strictMessage(e.kind, e.text))
		case e.kind == "not client.json":
			if check(c, "client.json", e.text) == nil {
				err = errors.New("is a message that the server knows")
			}
		case e.kind == "gateway":
			err = strict(e.text, &struct{ Message, ConnectionID, RequestID string }{})
		case e.kind == "entry":
			var entry struct{ EventBusName, Source, DetailType, Detail string }
			if err = strict(e.text, &entry); err == nil {
				accepted, err = event.FromBus("", entry.DetailType, time.Time{}, []byte(entry.Detail))
			}
		case strings.HasPrefix(e.kind, "detail of "):
			accepted, err = event.FromBus("", strings.TrimPrefix(e.kind, "detail of "), time.Time{}, e.text)
		case e.kind == "envelope of the above":
			err = errors.Join(check(c, "envelope.json", e.text), sameEnvelope(accepted, e.text))
		default:
			err = fmt.Errorf("%q is nothing that an example can be held to", e.kind)
		}
		if err != nil {
			t.Errorf("PROTOCOL.md:%d: %v", e.line, err)
		}
	}
}

// sameEnvelope says whether a client receives text when the producer's event gets its number.
func sameEnvelope(produced event.Event, text []byte) error {
	var said event.Envelope
	bad := json.Unmarshal(text, &said)
	envelope, err := produced.Envelope(said.Sequence)
	if err = errors.Join(bad, err); err != nil {
		return err
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(envelope, &want), json.Unmarshal(text, &got)); err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("not what becomes of the example before it (-becomes +says):\n%s", diff)
	}
	return nil
}

// walk visits the syntax of the sources, tests left out, that match a pattern.
func walk(t *testing.T, pattern string, visit func(ast.Node)) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}

// literal is the text of a string literal.
func literal(n ast.Node) (string, bool) {
	text, ok := n.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(text.Value)
	return value, err == nil
}

// constants are the texts of the string constants whose names have the prefix, sorted.
func constants(t *testing.T, pattern, prefix string) []string {
	t.Helper()
	var values []string
	walk(t, pattern, func(n ast.Node) {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 && strings.HasPrefix(spec.Names[0].Name, prefix) {
			if value, ok := literal(spec.Values[0]); ok {
				values = append(values, value)
			}
		}
	})
	slices.Sort(values)
	if len(values) == 0 {
		t.Fatalf("no constants %s… in %s", prefix, pattern)
	}
	return values
}

var quoted = regexp.MustCompile("`([^`]+)`")

// named are the words that a column names, sorted, each once.
func named(t *testing.T, heading string, column int, word *regexp.Regexp) []string {
	t.Helper()
	var words []string
	for _, row := range rows(t, heading) {
		for _, match := range word.FindAllStringSubmatch(row[column], -1) {
			words = append(words, match[1])
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func TestTablesNameEveryCodeReasonAndRefusalAndNoOther(t *testing.T) {
	t.Parallel()
	const catalogue, pusher = "../shared/event/*.go", "../functions/pusher/handler/*.go"
	refusals := slices.Concat(constants(t, catalogue, "Refused"), constants(t, pusher, "reason"))
	slices.Sort(refusals)
	for _, tt := range []struct {
		what    string
		want    []string
		heading string
		column  int
		word    *regexp.Regexp
	}{
		{"codes", constants(t, catalogue, "Code"), "## Errors", 0, regexp.MustCompile(`^([A-Z_]+)$`)},
		{"reasons", constants(t, catalogue, "Reason"), "## Errors", 1, quoted},
		{"refusals", refusals, "### Refused events", 0, quoted},
	} {
		if diff := cmp.Diff(tt.want, named(t, tt.heading, tt.column, tt.word)); diff != "" {
			t.Errorf("%s (-code +page):\n%s", tt.what, diff)
		}
	}
}

func TestEachMessageIsDescribedWithAllItsFields(t *testing.T) {
	t.Parallel()
	describes := func(heading string, fields []event.Field) {
		text := section(t, heading)
		for _, f := range fields {
			if !regexp.MustCompile(`\b` + f.Name + `\b`).MatchString(text) {
				t.Errorf("%q does not name the field %s", heading, f.Name)
			}
		}
	}
	for _, spec := range event.Catalogue() {
		if !spec.Domain() {
			describes("### `"+string(spec.Type)+"`", event.Fields(spec.Data))
		}
	}
	describes("### An event", event.Fields(event.Envelope{}))
}

// The texts of the errors are for developers and no contract, but an example shows a real one.
func TestErrorTextsAreTheServers(t *testing.T) {
	t.Parallel()
	var texts []*regexp.Regexp
	verb := regexp.MustCompile(`%[a-z]`)
	for _, pattern := range []string{"../functions/*/handler/*.go", "../shared/socket/*.go"} {
		walk(t, pattern, func(n ast.Node) {
			if text, ok := literal(n); ok && len(verb.ReplaceAllString(text, "")) >= 20 {
				texts = append(texts, regexp.MustCompile("^"+verb.ReplaceAllString(regexp.QuoteMeta(text), ".+")+"$"))
			}
		})
	}
	shown := 0
	for _, e := range examples(t) {
		var message struct{ Data event.Failure }
		if e.kind != "control.json" || json.Unmarshal(e.text, &message) != nil || message.Data.Error == "" {
			continue
		}
		shown++
		if !slices.ContainsFunc(texts, func(text *regexp.Regexp) bool { return text.MatchString(message.Data.Error) }) {
			t.Errorf("PROTOCOL.md:%d: the server never says %q", e.line, message.Data.Error)
		}
	}
	if shown < 3 {
		t.Errorf("only %d errors found in the examples", shown)
	}
}

func TestLimitsAreTheCodesAndTheTemplates(t *testing.T) {
	t.Parallel()
	type throttle struct {
		Rate  int `yaml:"ThrottlingRateLimit"`
		Burst int `yaml:"ThrottlingBurstLimit"`
	}
	var template struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources struct {
			API struct {
				Properties struct {
					Default throttle            `yaml:"DefaultRouteSettings"`
					Routes  map[string]throttle `yaml:"RouteSettings"`
				} `yaml:"Properties"`
			} `yaml:"WebSocketApi"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "../template.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	api := template.Resources.API.Properties
	if api.Routes["ping"] != api.Default {
		t.Error("the page has one row for ping and all other messages")
	}
	parameter := func(name string) string { return template.Parameters[name].Default + " `" + name + "`" }
	throttled := func(s throttle) string { return fmt.Sprintf("%d bursts of %d", s.Rate, s.Burst) }
	want := map[string]string{ // by the row's first words: the limit, and what else the row must hold
		"time to authenticate":       parameter("AuthDeadlineSeconds"),
		"connections of a user":      parameter("MaxConnectionsPerUser"),
		"events kept for replay":     parameter("LogRetentionHours"),
		"one replay, events":         parameter("ReplayMaxEvents"),
		"one replay, bytes":          parameter("ReplayMaxBytes"),
		"an envelope, a batch":       strconv.Itoa(event.MaxFrameBytes) + " ",
		"`sequence`, `lastSequence`": strconv.Itoa(event.MaxSequence) + " ",
		"an `eventId` is remembered": fmt.Sprintf("%.0f hours", eventlog.IDRetention.Hours()),
		"`auth`":                     throttled(api.Routes["auth"]),
		"`ping`; any other message":  throttled(api.Default),
	}
	for _, row := range rows(t, "## Limits") {
		limit, rest, held := strings.Cut(want[row[0]], " ")
		delete(want, row[0])
		said := strings.ReplaceAll(strings.Join(row, " | "), ",", "")
		if held && (strings.ReplaceAll(row[1], ",", "") != limit || !strings.Contains(said, rest)) {
			t.Errorf("the page says %q, it is %s %s", said, limit, rest)
		}
	}
	if len(want) > 0 {
		t.Errorf("rows missing: %v", want)
	}
}
