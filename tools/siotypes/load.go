package siotypes

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/types/typeutil"
)

// definers is the package whose Define functions are looked for.
const definers = "github.com/siokit/siokit/socketio"

// ErrNoEvents means that the packages define no event that clients send or get.
var ErrNoEvents = errors.New("siotypes: no DefineEvent or DefineCall with a constant name in these packages")

// Load reads the packages that the patterns name, as the go command does in
// dir, and returns what they define. A package that does not compile is an
// error, as are two definitions of one event that don't agree.
func Load(dir string, patterns ...string) (*API, error) {
	pkgs, err := load(dir, patterns...)
	if err != nil {
		return nil, err
	}
	return read(pkgs)
}

func load(dir string, patterns ...string) ([]*packages.Package, error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir: dir,
		// NeedDeps: the constants of an enumeration may be those of any package below.
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo |
			packages.NeedImports | packages.NeedDeps,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("siotypes: %w", err)
	}
	return pkgs, nil
}

func read(pkgs []*packages.Package) (*API, error) {
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("siotypes: %w", pkg.Errors[0])
		}
	}
	l := newLoader(pkgs)
	for _, pkg := range pkgs {
		for _, file := range pkg.Syntax {
			if err := l.file(pkg, file); err != nil {
				return nil, err
			}
		}
	}
	if len(l.api.ToServer)+len(l.api.ToClient) == 0 {
		return nil, ErrNoEvents
	}
	byName := func(a, b Event) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(l.api.ToServer, byName)
	slices.SortFunc(l.api.ToClient, byName)
	slices.SortFunc(l.api.Types, func(a, b *Type) int { return cmp.Compare(a.Name, b.Name) })
	return &l.api, nil
}

// reserved are names that the documents have a meaning of their own for.
var reserved = []string{
	binaryName, failureName, "ClientToServerEvents", "ServerToClientEvents",
	"ArrayBuffer", "Record", "Uint8Array", // TypeScript's
}

// loader collects an API while the files are read.
type loader struct {
	api     API
	docs    map[types.Object]string // comments of the read packages' types, fields and variables
	named   typeutil.Map            // types.Type → *Type
	open    map[*types.Named]bool   // lists and maps whose elements are being looked at
	taken   map[string]bool         // names of types
	origin  map[string]*types.Tuple // direction and event → its Go types, to find contradictions
	generic bool                    // there was a type parameter
}

func newLoader(pkgs []*packages.Package) *loader {
	l := &loader{docs: map[types.Object]string{}, open: map[*types.Named]bool{}, taken: map[string]bool{}, origin: map[string]*types.Tuple{}}
	for _, name := range reserved {
		l.taken[name] = true
	}
	for _, pkg := range pkgs {
		for _, file := range pkg.Syntax {
			l.comments(pkg.TypesInfo, file)
		}
	}
	return l
}

// comments remembers what is written above, or behind, types, fields and
// variables.
func (l *loader) comments(info *types.Info, file *ast.File) {
	keep := func(names []*ast.Ident, groups ...*ast.CommentGroup) {
		for _, name := range names {
			for _, group := range groups {
				if text := strings.TrimSpace(group.Text()); text != "" {
					l.docs[info.Defs[name]] = text
					break
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				var above *ast.CommentGroup // one declaration without parentheses has its comment above the keyword
				if !n.Lparen.IsValid() {
					above = n.Doc
				}
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					keep([]*ast.Ident{spec.Name}, spec.Doc, above, spec.Comment)
				case *ast.ValueSpec:
					keep(spec.Names, spec.Doc, above, spec.Comment)
				}
			}
		case *ast.StructType:
			for _, field := range n.Fields.List {
				keep(field.Names, field.Doc, field.Comment)
			}
		}
		return true
	})
}

// file adds the definitions of one file.
func (l *loader) file(pkg *packages.Package, file *ast.File) error {
	var failed error
	var path []ast.Node // from the file down to the visited node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		if failed != nil {
			return false
		}
		if name, ok := n.(*ast.Ident); ok {
			if fn, ok := pkg.TypesInfo.Uses[name].(*types.Func); ok && isDefiner(fn) {
				failed = l.use(pkg, fn, path)
			}
		}
		return true
	})
	return failed
}

func isDefiner(fn *types.Func) bool {
	return fn.Pkg() != nil && fn.Pkg().Path() == definers && (fn.Name() == "DefineEvent" || fn.Name() == "DefineCall")
}

// use adds what a call of fn defines; path leads to the name of fn. What a
// function value would define nobody knows.
func (l *loader) use(pkg *packages.Package, fn *types.Func, path []ast.Node) error {
	name := path[len(path)-1]
	for i := len(path) - 2; i > 0; i-- {
		switch n := path[i].(type) {
		case *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr, *ast.ParenExpr:
			continue
		case *ast.CallExpr:
			if n.Fun == path[i+1] {
				return l.definition(pkg, n, path[:i+1])
			}
		}
		break
	}
	return fmt.Errorf("siotypes: %s: %s is not called here, so its events are not known", pkg.Fset.Position(name.Pos()), fn.Name())
}

// definition adds the event that call defines; path leads to the call.
func (l *loader) definition(pkg *packages.Package, call *ast.CallExpr, path []ast.Node) error {
	position := pkg.Fset.Position(call.Pos())
	name := pkg.TypesInfo.Types[call.Args[0]].Value
	if name == nil || name.Kind() != constant.String {
		return fmt.Errorf("siotypes: %s: the event's name is not a constant", position)
	}
	defined, variable := directed(pkg.TypesInfo, call, path)
	ev := Event{Name: constant.StringVal(name), Doc: l.docs[variable]}
	args := defined.TypeArgs()
	ev.Args = l.args(args.At(0))
	if ev.Call = args.Len() == 2; ev.Call {
		ev.Reply = l.args(args.At(1))
	}
	if l.generic {
		return fmt.Errorf("siotypes: %s: event %q is defined for a type parameter", position, ev.Name)
	}
	kind := defined.Obj().Name()
	toServer, toClient := strings.HasSuffix(kind, "ToServer"), strings.HasSuffix(kind, "ToClient")
	if strings.HasSuffix(kind, "Both") {
		toServer, toClient = true, true
	}
	wire := signature(args)
	if toServer {
		if err := l.add(&l.api.ToServer, "to the server", ev, wire); err != nil {
			return fmt.Errorf("siotypes: %s: %w", position, err)
		}
	}
	if toClient {
		if err := l.add(&l.api.ToClient, "to clients", ev, wire); err != nil {
			return fmt.Errorf("siotypes: %s: %w", position, err)
		}
	}
	return nil
}

// add puts an event into one direction's list, once.
func (l *loader) add(events *[]Event, direction string, ev Event, wire *types.Tuple) error {
	key := direction + " " + ev.Name
	before, known := l.origin[key]
	if known && !types.Identical(before, wire) {
		return fmt.Errorf("event %q %s is defined elsewhere with other types", ev.Name, direction)
	}
	if !known {
		l.origin[key] = wire
		*events = append(*events, ev)
	}
	return nil
}

// directed follows ToServer, ToClient and BetweenServers behind a definition,
// and returns the type that they lead to and the variable that holds it, if
// there is one.
func directed(info *types.Info, call *ast.CallExpr, path []ast.Node) (*types.Named, types.Object) {
	outer := ast.Expr(call)
	i := len(path) - 2
	for ; i >= 1; i -= 2 {
		if paren, ok := path[i].(*ast.ParenExpr); ok {
			outer = paren
			i++
			continue
		}
		selector, ok := path[i].(*ast.SelectorExpr)
		if !ok || selector.X != outer {
			break
		}
		next, ok := path[i-1].(*ast.CallExpr)
		if !ok || next.Fun != selector || definition(info.TypeOf(next)) == nil {
			break
		}
		outer = next
	}
	var variable types.Object
	if spec, ok := path[i].(*ast.ValueSpec); ok {
		if at := slices.Index(spec.Values, outer); at >= 0 && at < len(spec.Names) {
			variable = info.Defs[spec.Names[at]]
		}
	}
	return definition(info.TypeOf(outer)), variable
}

// definition is t if that is one of socketio's types of definitions, else nil.
func definition(t types.Type) *types.Named {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != definers || named.TypeArgs().Len() == 0 {
		return nil
	}
	if name := named.Obj().Name(); !strings.HasPrefix(name, "Event") && !strings.HasPrefix(name, "Call") {
		return nil
	}
	return named
}

// signature tells definitions apart: the types of the arguments and the reply.
func signature(args *types.TypeList) *types.Tuple {
	var vars []*types.Var
	for t := range args.Types() {
		vars = append(vars, types.NewParam(token.NoPos, nil, "", t))
	}
	return types.NewTuple(vars...)
}
