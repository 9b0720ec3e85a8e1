package simulation_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	mutations = flag.Int("mutations", 0, "the seeds that TestMutations runs of each mutation; 0 checks only that they apply")
	update    = flag.Bool("update", false, "TestMutations writes the table of docs/RELIABILITY.md anew")
)

// root is the module's, seen from here.
const root = "../.."

// A mutation is a patch that breaks one rule of the design.
type mutation struct {
	name, rule, broken string
	files              map[string]string // the mutated sources, by path from the root
}

// TestMutations breaks each rule on purpose, without touching the tree, and asks how many seeds show it. One that no seed shows is a hole
// in the simulation; one that no longer applies guards nothing.
func TestMutations(t *testing.T) {
	t.Parallel()
	patches, err := filepath.Glob("mutations/*.patch")
	if err != nil || len(patches) < 15 {
		t.Fatalf("%d mutations, %v", len(patches), err)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "Found says how many of %d seeds show it.\n\n| mutation | rule | what is broken | found | first seen as |\n|---|---|---|---:|---|\n", *mutations)
	for _, patch := range patches {
		t.Run(strings.TrimSuffix(filepath.Base(patch), ".patch"), func(t *testing.T) {
			m, err := readMutation(patch)
			if err != nil || *mutations == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			found, first := m.run(t)
			t.Logf("found by %d of %d: %s", found, *mutations, first)
			if found == 0 {
				t.Errorf("%s survives", m.name)
			}
			fmt.Fprintf(&table, "| %s | %s | %s | %d | %s |\n", m.name, m.rule, m.broken, found, first)
		})
	}
	if *update && *mutations > 0 && !t.Failed() {
		writeTable(t, table.String())
	}
}

// writeTable replaces the table on the page of which it is a part.
func writeTable(t *testing.T, table string) {
	t.Helper()
	const page, begin, end = root + "/docs/RELIABILITY.md", "<!-- mutations: make test-mutations -->\n", "<!-- end of mutations -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readMutation reads a patch: two lines that say what it breaks, then a unified diff. Its line numbers count for nothing: the lines that a
// hunk replaces, with those around them, must stand in the file exactly once.
func readMutation(name string) (mutation, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return mutation{}, err
	}
	m := mutation{name: strings.TrimSuffix(filepath.Base(name), ".patch"), files: map[string]string{}}
	head, diff, found := strings.Cut(string(text), "--- a/")
	if !found {
		return m, fmt.Errorf("no diff")
	}
	for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "rule":
			m.rule = value
		case "broken":
			m.broken = value
		}
	}
	if m.rule == "" || m.broken == "" {
		return m, fmt.Errorf("it does not say which rule it breaks and how")
	}
	for part := range strings.SplitSeq(diff, "--- a/") {
		path, hunks, _ := strings.Cut(part, "\n")
		source, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return m, err
		}
		mutated := string(source)
		for _, hunk := range strings.Split(hunks, "\n@@")[1:] {
			_, lines, _ := strings.Cut(hunk, "\n")
			if mutated, err = apply(mutated, lines); err != nil {
				return m, fmt.Errorf("%s: %w", path, err)
			}
		}
		m.files[path] = mutated
	}
	return m, nil
}

func apply(source, hunk string) (string, error) {
	var before, after strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(hunk, "\n"), "\n") {
		if line == "" {
			line = " "
		}
		if line[0] != '+' {
			before.WriteString(line[1:] + "\n")
		}
		if line[0] != '-' {
			after.WriteString(line[1:] + "\n")
		}
	}
	if n := strings.Count(source, before.String()); n != 1 {
		return "", fmt.Errorf("it no longer applies: these lines stand there %d times:\n%s", n, before.String())
	}
	return strings.Replace(source, before.String(), after.String(), 1), nil
}

var failuresLine = regexp.MustCompile(`failures: (\d+) of \d+`)

// run runs the simulation over the mutated sources, in a process of its own.
func (m mutation) run(t *testing.T) (found int, first string) {
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, source := range m.files {
		original, err := filepath.Abs(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		mutated := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(mutated, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[original] = mutated
	}
	file := filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "mutated.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", file, "-o", program, ".").CombinedOutput(); err != nil {
		t.Errorf("%s does not compile: %s", m.name, out)
		return 0, "does not compile"
	}
	out, err := exec.CommandContext(t.Context(), program, "-test.run", "^TestSimulation$", "-test.timeout", "5m", "-count-failures", "-seeds", fmt.Sprint(*mutations)).CombinedOutput()
	match := failuresLine.FindSubmatch(out)
	if match == nil {
		t.Errorf("%s: %v\n%.2000s", m.name, err, out)
		return 0, "the simulation did not end"
	}
	_, _ = fmt.Sscan(string(match[1]), &found) // digits, says the expression
	if _, rest, ok := strings.Cut(string(out), "first: "); ok {
		first, _, _ = strings.Cut(rest, "\n")
	}
	return found, first
}
