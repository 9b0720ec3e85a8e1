package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

const sdkServices = "github.com/aws/aws-sdk-go-v2/service/"

// A call is one use of an AWS API: the IAM action, and the table or queue as the code names it where it builds the input
// (s.connections, deadLetterQueueURL), unnamed if it does not say, "" for the call itself.
type call struct {
	action string
	target string
}

const unnamed = "?"

// A usage is what the code reachable from one main function does, each with one place where it does so.
type usage struct {
	calls     map[call]token.Position
	constants map[string]bool           // every string constant
	variables map[string]token.Position // names of the environment that it reads by name
}

// A program is every package of a module, built for analysis. Packages outside the module have no bodies: what they call
// back is found by what is handed to them.
type program struct {
	root  string
	ssa   *ssa.Program
	mains map[string]*ssa.Package // by folder below root: functions/auth
	infos map[string]*packages.Package
}

func loadProgram(module string) (*program, error) {
	root, err := filepath.Abs(module)
	if err != nil {
		return nil, fmt.Errorf("load the packages of %s: %w", module, err)
	}
	fset := token.NewFileSet()
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, // export data is enough of what is outside the module
		Dir:  root, Fset: fset,
	}, "./functions/...", "./shared/...")
	if err != nil {
		return nil, fmt.Errorf("load the packages of %s: %w", root, err)
	}
	p := &program{root: root, mains: make(map[string]*ssa.Package), infos: make(map[string]*packages.Package)}
	for _, pkg := range loaded {
		for _, problem := range pkg.Errors {
			return nil, fmt.Errorf("load %s: %w", pkg.PkgPath, problem)
		}
		p.infos[pkg.PkgPath] = pkg
	}
	var built []*ssa.Package
	p.ssa, built = ssautil.Packages(loaded, ssa.InstantiateGenerics)
	p.ssa.Build()
	for i, pkg := range built {
		if pkg != nil && pkg.Pkg.Name() == "main" && len(loaded[i].GoFiles) > 0 {
			folder, err := filepath.Rel(root, filepath.Dir(loaded[i].GoFiles[0]))
			if err != nil {
				return nil, err
			}
			p.mains[filepath.ToSlash(folder)] = pkg
		}
	}
	return p, nil
}

// A walk follows what a main function can reach: static calls, functions taken as values, methods called through an
// interface of the module (of every type that is turned into one), and all exported methods of what is turned into an
// interface of another module, which may find them by reflection.
type walk struct {
	*program
	usage    usage
	seen     map[*ssa.Function]bool
	queue    []*ssa.Function
	concrete map[types.Type]bool  // types turned into an interface
	invoked  map[*types.Func]bool // methods called through one
}

func (p *program) reach(main *ssa.Package) usage {
	w := &walk{
		program:  p,
		usage:    usage{calls: make(map[call]token.Position), constants: make(map[string]bool), variables: make(map[string]token.Position)},
		seen:     make(map[*ssa.Function]bool),
		concrete: make(map[types.Type]bool),
		invoked:  make(map[*types.Func]bool),
	}
	w.add(main.Func("main"))
	w.addInit(main.Pkg, make(map[*types.Package]bool))
	for len(w.queue) > 0 {
		f := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		w.visit(f)
	}
	return w.usage
}

// addInit reaches the package-level variables of a package and all it imports.
func (w *walk) addInit(pkg *types.Package, done map[*types.Package]bool) {
	if done[pkg] {
		return
	}
	done[pkg] = true
	if built := w.ssa.Package(pkg); built != nil && w.infos[pkg.Path()] != nil {
		w.add(built.Func("init"))
		for _, imported := range pkg.Imports() {
			w.addInit(imported, done)
		}
	}
}

func (w *walk) add(f *ssa.Function) {
	if f != nil && !w.seen[f] {
		w.seen[f] = true
		w.queue = append(w.queue, f)
	}
}

func (w *walk) visit(f *ssa.Function) {
	w.recordSDK(f)
	if f.Syntax() != nil {
		w.recordLiterals(f)
	}
	for _, block := range f.Blocks {
		for _, instruction := range block.Instrs {
			for _, operand := range instruction.Operands(nil) {
				switch value := (*operand).(type) {
				case *ssa.Function:
					w.add(value)
				case *ssa.Const:
					if value.Value != nil && value.Value.Kind() == constant.String {
						w.usage.constants[constant.StringVal(value.Value)] = true
					}
				}
			}
			switch instruction := instruction.(type) {
			case *ssa.MakeInterface:
				w.convert(instruction.X.Type(), instruction.Type())
			case ssa.CallInstruction:
				w.call(instruction.Common(), f)
			}
		}
	}
}

func (w *walk) call(c *ssa.CallCommon, caller *ssa.Function) {
	if c.IsInvoke() {
		w.invoke(c.Method, c.Value.Type())
	}
	callee := c.StaticCallee()
	if callee == nil || callee.Pkg == nil {
		return
	}
	path := callee.Pkg.Pkg.Path()
	if !strings.HasSuffix(path, "/awsenv") && !(path == "os" && (callee.Name() == "Getenv" || callee.Name() == "LookupEnv")) {
		return
	}
	for _, arg := range c.Args {
		if text, ok := arg.(*ssa.Const); ok && text.Value != nil && text.Value.Kind() == constant.String {
			w.usage.variables[constant.StringVal(text.Value)] = w.position(c.Pos(), caller)
		}
	}
}

func (w *walk) convert(concrete, target types.Type) {
	if types.IsInterface(concrete) {
		return
	}
	if !w.concrete[concrete] {
		w.concrete[concrete] = true
		for method := range w.invoked {
			w.addMethod(concrete, method)
		}
	}
	if literal, ok := types.Unalias(target).(*types.Interface); w.ours(target) || ok && !literal.Empty() || !w.ours(concrete) {
		return // only what our code calls of it, or theirs of theirs
	}
	for selection := range w.ssa.MethodSets.MethodSet(concrete).Methods() {
		if selection.Obj().Exported() {
			w.add(w.ssa.MethodValue(selection))
		}
	}
}

// ours says whether the module declares a type, or the type that it points to.
func (w *walk) ours(t types.Type) bool {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && w.infos[named.Obj().Pkg().Path()] != nil
}

func (w *walk) invoke(method *types.Func, receiver types.Type) {
	if action := actionOf(method); action != "" { // the module's own interface over a client
		w.record(call{action: action}, token.Position{Filename: receiver.String()})
	}
	if w.invoked[method] {
		return
	}
	w.invoked[method] = true
	for concrete := range w.concrete {
		w.addMethod(concrete, method)
	}
}

// addMethod reaches the method of a concrete type that a call through an interface runs, if the type has that interface.
func (w *walk) addMethod(concrete types.Type, method *types.Func) {
	itf, ok := method.Signature().Recv().Type().Underlying().(*types.Interface)
	if !ok || !types.Implements(concrete, itf) {
		return
	}
	if selection := w.ssa.MethodSets.MethodSet(concrete).Lookup(method.Pkg(), method.Name()); selection != nil {
		w.add(w.ssa.MethodValue(selection))
	}
}

// recordSDK records a method of an SDK's client, or a paginator or waiter over one.
func (w *walk) recordSDK(f *ssa.Function) {
	if object, ok := f.Object().(*types.Func); ok {
		if action := actionOf(object); action != "" {
			w.record(call{action: action}, token.Position{Filename: f.String()})
		}
	}
}

// recordLiterals records the inputs that a function builds: they name the table, index or queue.
func (w *walk) recordLiterals(f *ssa.Function) {
	if f.Pkg == nil || w.infos[f.Pkg.Pkg.Path()] == nil {
		return
	}
	info := w.infos[f.Pkg.Pkg.Path()].TypesInfo
	ast.Inspect(f.Syntax(), func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		named, ok := types.Unalias(info.TypeOf(literal)).(*types.Named)
		if !ok || named.Obj().Pkg() == nil || !strings.HasPrefix(named.Obj().Pkg().Path(), sdkServices) {
			return true
		}
		if action := actionOfType(named.Obj()); action != "" {
			w.record(call{action: action, target: targetOf(literal, info)}, w.position(literal.Pos(), f))
		}
		return true
	})
}

func (w *walk) record(c call, at token.Position) {
	if _, ok := w.usage.calls[c]; !ok {
		w.usage.calls[c] = at
	}
}

func (w *walk) position(pos token.Pos, f *ssa.Function) token.Position {
	at := f.Prog.Fset.Position(pos)
	if relative, err := filepath.Rel(w.root, at.Filename); err == nil {
		at.Filename = relative
	}
	return at
}

// actionOf is the IAM action that a client's method needs: GetItem(ctx, *dynamodb.GetItemInput, …); and a paginator's,
// NewQueryPaginator.
func actionOf(f *types.Func) string {
	signature := f.Signature()
	if name, ok := strings.CutSuffix(f.Name(), "Paginator"); ok && signature.Recv() == nil && f.Pkg() != nil && strings.HasPrefix(f.Pkg().Path(), sdkServices) {
		return actionName(f.Pkg().Path(), strings.TrimPrefix(name, "New"))
	}
	if signature.Recv() == nil || signature.Params().Len() < 2 {
		return ""
	}
	pointer, ok := types.Unalias(signature.Params().At(1).Type()).(*types.Pointer)
	if !ok {
		return ""
	}
	named, ok := types.Unalias(pointer.Elem()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Name() != f.Name()+"Input" || !strings.HasPrefix(named.Obj().Pkg().Path(), sdkServices) {
		return ""
	}
	return actionOfType(named.Obj())
}

// actionOfType is the IAM action for which an input, or a part of a transaction, is built.
func actionOfType(t *types.TypeName) string {
	path := t.Pkg().Path()
	if strings.HasSuffix(path, "/dynamodb/types") {
		switch t.Name() {
		case "Put", "Update", "Delete":
			return "dynamodb:" + t.Name() + "Item"
		case "ConditionCheck":
			return "dynamodb:ConditionCheckItem"
		case "Get":
			return "dynamodb:GetItem"
		}
		return ""
	}
	if operation, ok := strings.CutSuffix(t.Name(), "Input"); ok && strings.Count(strings.TrimPrefix(path, sdkServices), "/") == 0 {
		return actionName(path, operation)
	}
	return ""
}

func actionName(path, operation string) string {
	service := strings.TrimPrefix(path, sdkServices)
	switch {
	case service == "dynamodb" && strings.HasPrefix(operation, "Transact"):
		return "" // its parts need their own actions
	case service == "eventbridge":
		service = "events"
	case service == "sqs": // a batch needs the action of one
		operation = strings.TrimSuffix(operation, "Batch")
	case service == "apigatewaymanagementapi":
		switch operation {
		case "PostToConnection":
			return manage + " POST"
		case "GetConnection":
			return manage + " GET"
		case "DeleteConnection":
			return manage + " DELETE"
		}
	}
	return service + ":" + operation
}

const manage = "execute-api:ManageConnections"

// targetOf is the table or queue that a literal names by a field or variable called like it: s.connections, queueURL.
func targetOf(literal *ast.CompositeLit, info *types.Info) string {
	target, index := "", ""
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := pair.Key.(*ast.Ident)
		switch {
		case key == nil:
		case key.Name == "TableName", key.Name == "QueueUrl":
			target = lastName(pair.Value)
		case key.Name == "IndexName":
			ast.Inspect(pair.Value, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok && info.Types[e].Value != nil && info.Types[e].Value.Kind() == constant.String {
					index = "/index/" + constant.StringVal(info.Types[e].Value)
				}
				return true
			})
		}
	}
	if target == "" {
		return unnamed
	}
	return target + index
}

// lastName is b in a.b, &b, aws.String(a.b).
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.UnaryExpr:
		return lastName(e.X)
	case *ast.StarExpr:
		return lastName(e.X)
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			return lastName(e.Args[0])
		}
	}
	return ""
}
