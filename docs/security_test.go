package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testsByFolder are the names of all tests, behind their folder's path: "shared/token.TestVerifyRules".
func testsByFolder(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != ".." && (name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && name != ".ci"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "../")
		for _, declaration := range parsed.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && testName.MatchString(f.Name.Name) {
				names[folder+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var namedTest = regexp.MustCompile("`([.a-z][a-z/]*\\.(?:Test|Fuzz)[A-Z]\\w*)(/[^`]+)?`")

// Each row names at least one test, or says what remains. A part of TestEdges is one of the page that its test writes.
func TestEveryThreatIsHeldByTestsThatExistOrIsSaidToRemain(t *testing.T) {
	t.Parallel()
	exist := testsByFolder(t)
	edges := read(t, "EDGES.md")
	threats, named := 0, 0
	inThreats := false
	for i, line := range strings.Split(read(t, "SECURITY.md"), "\n") {
		switch {
		case strings.HasPrefix(line, "| threat |"):
			inThreats = true
			continue
		case !strings.HasPrefix(line, "|"):
			inThreats = false
		}
		for _, match := range namedTest.FindAllStringSubmatch(line, -1) {
			named++
			if !exist[match[1]] {
				t.Errorf("SECURITY.md:%d: there is no test %s", i+1, match[1])
			}
			if match[2] != "" && !strings.Contains(edges, "`TestEdges"+match[2]+"`") {
				t.Errorf("SECURITY.md:%d: there is no edge %s", i+1, match[2])
			}
		}
		if !inThreats || strings.HasPrefix(line, "|---") {
			continue
		}
		threats++
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("SECURITY.md:%d: %d cells, want threat, what holds it, test, remains", i+1, len(cells))
			continue
		}
		if !namedTest.MatchString(cells[2]) && strings.TrimSpace(cells[3]) == "" && !strings.HasPrefix(strings.TrimSpace(cells[1]), "nothing: ") {
			t.Errorf("SECURITY.md:%d: no test, and nothing is said to remain: %s", i+1, cells[0])
		}
	}
	if threats < 40 || named < 80 {
		t.Errorf("%d threats and %d tests found", threats, named)
	}
}

// API Gateway's data trace writes whole messages, and with them tokens, into a log.
func TestTheTemplateKeepsDataOutOfLogs(t *testing.T) {
	t.Parallel()
	template := read(t, "../template.yaml")
	settings := regexp.MustCompile(`DataTraceEnabled: (\w+)`).FindAllStringSubmatch(template, -1)
	if len(settings) != 3 {
		t.Errorf("%d settings of the data trace, want those of the default, auth and ping", len(settings))
	}
	for _, setting := range settings {
		if setting[1] != "false" {
			t.Errorf("DataTraceEnabled is %s", setting[1])
		}
	}
	if strings.Contains(template, "AccessLogSettings") {
		t.Error("an access log is on: say in SECURITY.md what it holds")
	}
}

// No role may do everything on something, or something on everything. That each may do what its code does and no more is for
// .ci/leastprivilege to say.
func TestTheTemplateGivesNoRoleMoreThanItsOwn(t *testing.T) {
	t.Parallel()
	template := read(t, "../template.yaml")
	for _, wide := range []string{`Action: "\*"`, `Action: '\*'`, `Action: [\["']?\w+:\*`, `Resource: "\*"`, `Resource: '\*'`, `Resource: \*`, `Principal: ["']?\*`} {
		if found := regexp.MustCompile(wide).FindString(template); found != "" {
			t.Errorf("template.yaml has %s", found)
		}
	}
	roles := strings.Count(template, "Type: AWS::IAM::Role")
	if functions := strings.Count(template, "Type: AWS::Serverless::Function"); roles != functions {
		t.Errorf("%d roles for %d functions", roles, functions)
	}
}
