package template

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a stack with a file of JSON. Folders in it are relative to this one, so that it holds on every machine.
func golden(t *testing.T, path string, s *Stack) {
	t.Helper()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Functions {
		if f := &s.Functions[i]; f.CodeDir != "" {
			if f.CodeDir, err = filepath.Rel(here, f.CodeDir); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// The project's own template with its own local configuration.
func TestOurTemplate(t *testing.T) {
	t.Parallel()
	config, err := LoadConfig("../../../samconfig.toml", "local", "local_invoke")
	if err != nil {
		t.Fatal(err)
	}
	stack, err := Load("../../../template.yaml", Options{Region: config.Region, Overrides: config.Overrides})
	if err != nil {
		t.Fatal(err)
	}
	// The families come from the catalogue: a new one is no change of the template's.
	var pattern map[string]any
	if err := json.Unmarshal(stack.Rules[0].Pattern, &pattern); err != nil {
		t.Fatal(err)
	}
	if families, ok := pattern["detail-type"].([]any); !ok || len(families) == 0 {
		t.Errorf("the rule takes no detail-type: %s", stack.Rules[0].Pattern)
	}
	delete(pattern, "detail-type")
	if stack.Rules[0].Pattern, err = json.Marshal(pattern); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/realtime.json", stack)
}

// Other people's templates: the plain types in JSON, and all that SAM's transform expands.
func TestForeignTemplates(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"testdata/chat.template.json": "testdata/chat.json",
		"testdata/desk.yaml":          "testdata/desk.json",
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			stack, err := Load(template, Options{})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, want, stack)
		})
	}
}

// desk.translated.json is what AWS's own transform makes of desk.yaml (python .ci/translate.py desk.yaml desk.translated.json):
// whoever deploys gets that, so both must read alike, under the same logical ids.
func TestExpansionIsTheTransforms(t *testing.T) {
	t.Parallel()
	ours, err := Load("testdata/desk.yaml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := Load("testdata/desk.translated.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	// As JSON, because the keys of a pattern or a table may stand in another order; so may resources.
	plain := func(s *Stack) (value map[string]any) {
		s.Path, s.Notes = "", nil // what can't be run is not the transform's matter
		for i := range s.Functions {
			s.Functions[i].CodeDir = ""
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	anyOrder := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	if diff := cmp.Diff(plain(theirs), plain(ours), anyOrder); diff != "" {
		t.Errorf("the template and its translation read differently (-translation +template):\n%s", diff)
	}
}
