// Package shared_test holds the map of the repository: which room may know which.
package shared_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/purposepath/realtime/"

// A rule forbids the files below from to import packages that begin with to.
type rule struct {
	from, to string
	except   []string // folders below from
	why      string
}

var rules = []rule{
	{from: "shared/", to: module + "functions/", why: "what the functions share knows none of them"},
	{from: "shared/", to: module + "local/", why: "the product must not know where it runs"},
	{from: "functions/", to: module + "local/", why: "the product must not know where it runs"},
	{from: "local/", to: module + "shared/", why: "the stack imitates AWS and learns the product from template.yaml"},
	{from: "local/", to: module + "functions/", why: "the stack runs the functions as processes"},
	{from: "shared/event/", to: "github.com/", except: []string{"generate/"}, why: "a leaf: the standard library only"},
	{from: "shared/backoff/", to: "github.com/", why: "a leaf: the standard library only"},
	{from: "shared/", to: "github.com/aws/aws-lambda-go", except: []string{"socket/", "telemetry/"}, why: "Lambda's shapes stop at the handlers"},
	{from: "shared/", to: "github.com/aws/aws-sdk-go-v2/service/dynamodb", except: []string{"dynamo/", "connection/", "eventlog/"}, why: "one room for each table's owner"},
	{from: "shared/", to: "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi", except: []string{"push/"}, why: "one room posts"},
	{from: "shared/", to: "github.com/aws/aws-sdk-go-v2/service/sqs", except: []string{"queue/"}, why: "one room sends"},
	// redrive is no function: it runs at an operator's terminal, with the operator's profile.
	{from: "shared/", to: "github.com/aws/aws-sdk-go-v2/config", except: []string{"queue/redrive/"}, why: "it costs 3.7 ms of each cold start"},
	{from: "functions/", to: "github.com/aws/aws-sdk-go-v2/", why: "the rooms of shared/ speak to AWS"},
}

// A function's rooms are its own: no Lambda imports another.
func foreignFunction(file, imported string) bool {
	rest, ok := strings.CutPrefix(imported, module+"functions/")
	if !ok {
		return false
	}
	theirs, _, _ := strings.Cut(rest, "/")
	return !strings.HasPrefix(file, "functions/"+theirs+"/")
}

// The files are parsed here: go list in a child process would read what the test cache does not see, and a cached "ok" would hide a
// violation.
func TestImports(t *testing.T) {
	t.Parallel()
	checked := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != ".." && (name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for _, r := range rules {
				if r.forbids(path, imported) {
					t.Errorf("%s imports %s: %s", path, imported, r.why)
				}
			}
			if foreignFunction(path, imported) {
				t.Errorf("%s imports %s: a Lambda's handler is its own", path, imported)
			}
		}
		checked++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 50 {
		t.Errorf("only %d files were checked: the walk is wrong", checked)
	}
}

func (r rule) forbids(file, imported string) bool {
	rest, below := strings.CutPrefix(file, r.from)
	if !below || !strings.HasPrefix(imported, r.to) {
		return false
	}
	for _, folder := range r.except {
		if strings.HasPrefix(rest, folder) {
			return false
		}
	}
	return true
}

func TestTheRulesForbidWhatTheySay(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		if !r.forbids(r.from+"x.go", r.to+"x") {
			t.Errorf("%s may import %s", r.from, r.to)
		}
		for _, folder := range r.except {
			if r.forbids(r.from+folder+"x.go", r.to+"x") {
				t.Errorf("%s%s may not import %s", r.from, folder, r.to)
			}
		}
	}
	if !foreignFunction("functions/auth/main.go", module+"functions/ping/handler") || foreignFunction("functions/auth/main.go", module+"functions/auth/handler") {
		t.Error("foreignFunction is wrong")
	}
}
