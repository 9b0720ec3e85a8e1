package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const thePage = "../../docs/SAM-LOCAL.md"

func TestThePageCoversEveryFunctionAndEvent(t *testing.T) {
	t.Parallel()
	p, err := readPage(thePage)
	if err != nil {
		t.Fatal(err)
	}
	var files, live, refused []string
	samples := map[string]bool{}
	for _, row := range p.invocations {
		if row.live {
			live = append(live, row.function)
		} else {
			files, samples[row.sample] = append(files, row.function), true
		}
	}
	for _, row := range p.refusals {
		refused = append(refused, row.function)
	}
	want := functions(t)
	for what, got := range map[string][]string{"with a file": files, "with rtlocal event": live, "without the stack": refused} {
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("functions invoked %s (-template.yaml +page):\n%s", what, diff)
		}
	}
	paths, err := filepath.Glob("../../events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("events: %v, %v", paths, err)
	}
	for _, path := range paths {
		if name := strings.TrimSuffix(filepath.Base(path), ".json"); !samples[name] {
			t.Errorf("no row has events/%s.json", name)
		}
	}
}

// functions are the template's, sorted.
func functions(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type string `yaml:"Type"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, resource := range template.Resources {
		if resource.Type == "AWS::Serverless::Function" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		t.Fatal("template.yaml has no function")
	}
	return names
}

func TestThePageGivesTheParametersOfSamconfig(t *testing.T) {
	t.Parallel()
	s, err := newSAM("../../samconfig.toml", "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(thePage)
	if err != nil {
		t.Fatal(err)
	}
	want := `P="` + strings.Join(s.parameters[1:], " ") + `"` // the first is only the test's
	if !strings.Contains(string(page), want) {
		t.Errorf("%s lacks the line %s", thePage, want)
	}
}

func TestParsePage(t *testing.T) {
	t.Parallel()
	const refusals = "\n" + refusalHead + "\n|---|---|---|\n| F | `events/a.json` | refuses to start |\n| G | `events/a.json` | `{}` |\n"
	p, err := parsePage("p.md", "# p\n\n| other | table |\n|---|---|\n| a | b |\n\n"+invocationHead+"\n|---|---|---|---|\n"+
		"| F | `events/a.json` | `null` | |\n| F | `rtlocal event a` | `{\"a\":1}` | `goal.created` |\n"+refusals)
	if err != nil {
		t.Fatal(err)
	}
	want := page{
		invocations: []invocation{{function: "F", sample: "a", answer: "null"}, {function: "F", sample: "a", live: true, answer: `{"a":1}`, frame: "goal.created"}},
		refusals:    []refusal{{function: "F", sample: "a"}, {function: "G", sample: "a", answer: "{}"}},
	}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(page{}, invocation{}, refusal{})); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	for _, tt := range []struct{ name, rows, want string }{
		{"no rows", "", "it needs the tables"},
		{"a cell too few", "| F | `events/a.json` | `null` |\n", "p.md:3: 3 cells, want 4"},
		{"an event of another kind", "| F | `a.json` | `null` | |\n", "neither events/NAME.json nor"},
	} {
		if _, err := parsePage("p.md", invocationHead+"\n|---|---|---|---|\n"+tt.rows+refusals); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
