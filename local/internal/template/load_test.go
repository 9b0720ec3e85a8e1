package template

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, path string, got any) {
	t.Helper()
	data, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, '\n')
	if *update {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("%s differs (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// portable replaces what differs from machine to machine.
func portable(t *testing.T, s *Stack) *Stack {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Functions {
		f := &s.Functions[i]
		if f.CodeDir == "" {
			continue
		}
		if f.CodeDir, err = filepath.Rel(root, f.CodeDir); err != nil {
			t.Fatal(err)
		}
	}
	return s
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
	golden(t, "testdata/realtime.json", portable(t, stack))
}
