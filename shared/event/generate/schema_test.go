package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/purposepath/realtime/shared/event"
)

// compiler knows the documents of docs/schemas by their file names.
func compiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, f := range append(schemas(event.Catalogue()), file{"docs/schemas/asyncapi.json", asyncAPI(event.Catalogue())}) {
		if err := c.AddResource(strings.TrimPrefix(f.path, "docs/schemas/"), decode(t, f.content)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func compile(t *testing.T, c *jsonschema.Compiler, location string) *jsonschema.Schema {
	t.Helper()
	schema, err := c.Compile(location)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSamplesObeyTheSchemas(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for _, spec := range event.Catalogue() {
		sample, err := sampleOf(spec)
		if err != nil {
			t.Fatal(err)
		}
		union := "control"
		switch {
		case spec.Domain():
			union = "envelope"
		case spec.Direction == event.ToServer:
			union = "client"
		}
		for location, value := range map[string][]byte{
			fileRef(spec.Type.Hyphenated()): compact(spec.Data),
			fileRef(union):                  sample,
			"asyncapi.json#/components/messages/" + string(spec.Type) + "/payload": sample,
		} {
			if err := compile(t, c, location).Validate(decode(t, value)); err != nil {
				t.Errorf("the sample of %s against %s: %v", spec.Type, location, err)
			}
		}
	}
}

// The schemas give the verdict of the golden file on every change it lists.
func TestSchemasAgreeWithTheGoldenFile(t *testing.T) {
	t.Parallel()
	var file struct {
		Samples             map[event.Type]map[string]any
		Payloads, Envelopes []map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(golden(event.Catalogue())))
	decoder.UseNumber()
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	c := compiler(t)
	envelope := compile(t, c, "envelope.json")
	verdict := func(schema *jsonschema.Schema, sample any, mutation map[string]any) {
		t.Helper()
		changed := map[string]any{}
		for key, value := range sample.(map[string]any) {
			changed[key] = value
		}
		field := mutation["field"].(string)
		delete(changed, field)
		if value, ok := mutation["set"]; ok {
			changed[field] = value
		}
		if err := schema.Validate(changed); (err != nil) != (mutation["rule"] != nil) {
			t.Errorf("%v of %v = %.40v: %v, want the verdict %v", field, mutation["type"], mutation["set"], err, mutation["rule"])
		}
	}
	for _, m := range file.Payloads {
		typ := event.Type(m["type"].(string))
		verdict(compile(t, c, fileRef(typ.Hyphenated())), file.Samples[typ]["data"], m)
	}
	for _, m := range file.Envelopes {
		verdict(envelope, map[string]any(file.Samples[event.Type(m["type"].(string))]), m)
	}
	if len(file.Payloads) < 500 || len(file.Envelopes) < 20 {
		t.Errorf("%d and %d changes: too few to prove anything", len(file.Payloads), len(file.Envelopes))
	}
}

func TestEveryReferenceOfTheAsyncAPIDocumentResolves(t *testing.T) {
	t.Parallel()
	document := decode(t, asyncAPI(event.Catalogue()))
	count := 0
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				count++
				target := document
				for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					target, _ = target.(map[string]any)[step]
				}
				if target == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(document)
	if count < 50 {
		t.Errorf("only %d references", count)
	}
}
