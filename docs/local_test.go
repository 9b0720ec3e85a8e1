package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A localRow is a row of a table of LOCAL.md, without the heads.
type localRow struct {
	line    int
	heading string // of the second level
	cells   []string
}

func localRows(t *testing.T) []localRow {
	t.Helper()
	var all []localRow
	heading := ""
	for i, line := range strings.Split(read(t, "LOCAL.md"), "\n") {
		switch {
		case strings.HasPrefix(line, "## "):
			heading = line[len("## "):]
		case strings.HasPrefix(line, "|---"):
			all = all[:len(all)-1] // the line above is the head
		case strings.HasPrefix(line, "|"):
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for j := range cells {
				cells[j] = strings.TrimSpace(cells[j])
			}
			all = append(all, localRow{i + 1, heading, cells})
		}
	}
	return all
}

// testNames are the tests below the folders, each behind the name of its own folder: "gateway.TestInput".
func testNames(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	visit := func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && testName.MatchString(f.Name.Name) {
				names[filepath.Base(filepath.Dir(path))+"."+f.Name.Name] = true
			}
		}
		return nil
	}
	for _, folder := range folders {
		if err := filepath.WalkDir(folder, visit); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

var (
	testName      = regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)
	qualifiedTest = regexp.MustCompile(`\b[a-z]+\.(?:Test|Fuzz)[A-Z]\w*`)
)

func TestWhatIsImitatedIsHeldByTestsThatExist(t *testing.T) {
	t.Parallel()
	exist := testNames(t, "../local", "../conformance")
	imitated := 0
	for _, row := range localRows(t) {
		held := qualifiedTest.FindAllString(row.cells[len(row.cells)-1], -1)
		for _, name := range held {
			if !exist[name] {
				t.Errorf("LOCAL.md:%d: there is no test %s", row.line, name)
			}
		}
		if row.heading != "Imitated" {
			continue
		}
		imitated++
		if len(held) == 0 {
			t.Errorf("LOCAL.md:%d: names no test: %s", row.line, row.cells[0])
		}
	}
	if imitated < 40 {
		t.Errorf("only %d lines found under Imitated", imitated)
	}
}

func TestFlagsAndOperationsOfTheLocalStackAreOnItsPage(t *testing.T) {
	t.Parallel()
	page := map[string][]string{}
	for _, row := range localRows(t) {
		if row.heading != "Running it" {
			continue
		}
		for _, words := range quoted.FindAllStringSubmatch(row.cells[0], -1) {
			switch word := words[1]; {
			case strings.HasPrefix(word, "--"):
				page["flags"] = append(page["flags"], word[len("--"):])
			case strings.HasPrefix(word, "X-Amz-Target: A"):
				for _, operation := range quoted.FindAllStringSubmatch(row.cells[1], -1) {
					page[word] = append(page[word], operation[1])
				}
			}
		}
	}
	code := map[string][]string{
		"flags":                     flagsOf(t, "../local/run.go"),
		"X-Amz-Target: AWSEvents.…": operationsOf(t, "../local/internal/bus/api.go"),
		"X-Amz-Target: AmazonSQS.…": operationsOf(t, "../local/internal/queue/api.go"),
	}
	for _, names := range []map[string][]string{page, code} {
		for what := range names {
			slices.Sort(names[what])
		}
	}
	if diff := cmp.Diff(code, page); diff != "" {
		t.Errorf("(-code +LOCAL.md):\n%s", diff)
	}
}

// flagsOf are the names in a source's calls of its flag set, flags.String("port", …).
func flagsOf(t *testing.T, path string) []string {
	t.Helper()
	var names []string
	walk(t, path, func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if set, ok := method.X.(*ast.Ident); !ok || set.Name != "flags" {
			return
		}
		for _, argument := range call.Args {
			if name, ok := literal(argument); ok {
				names = append(names, name)
				return
			}
		}
	})
	return names
}

// operationsOf are the cases in a source's function run, which does one operation of an API.
func operationsOf(t *testing.T, path string) []string {
	t.Helper()
	var names []string
	walk(t, path, func(n ast.Node) {
		function, ok := n.(*ast.FuncDecl)
		if !ok || function.Name.Name != "run" {
			return
		}
		ast.Inspect(function, func(n ast.Node) bool {
			if clause, ok := n.(*ast.CaseClause); ok {
				for _, operation := range clause.List {
					if name, ok := literal(operation); ok {
						names = append(names, name)
					}
				}
			}
			return true
		})
	})
	return names
}
