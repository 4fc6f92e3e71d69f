// Command names writes wrapper/types.gen.go: an alias in package orgkeys for each generated type,
// with its description and fields, constants for the values of the fields, and the ids of the
// operations. A type, constant or operation that is new in the contract gets a name by rule. To
// choose another name, add an entry to the tables below before the next release.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/orgkeys/orgkeys-go/internal/generate"
)

// aliases are the names of the parameters and results of methods, each with a description if the
// contract has none. Types that only occur in fields of these are named after them.
var aliases = []struct{ name, generated, description string }{
	{"AdminKey", "AdminAPIKey", ""},
	{"AdminKeyOwner", "AdminAPIKeyOwner", ""},
	{"AdminKeyPage", "APIKeyList", ""},
	{"AdminKeyListParams", "AdminAPIKeysListParams", "contains the parameters of [AdminKeyService.List]. A nil field is not sent."},
	{"AdminKeyOrder", "AdminAPIKeysListParamsOrder", "is an order by creation time: [AdminKeysOldestFirst] or [AdminKeysNewestFirst]."},
	{"AdminKeyCreateParams", "AdminAPIKeysCreateJSONBody", "contains the parameters of [AdminKeyService.Create]: the name and the lifetime of the new key. A nil field is not sent."},
	{"CreatedAdminKey", "AdminAPIKeyCreateResponse", ""},
	{"ProjectKey", "ProjectAPIKey", ""},
	{"ProjectKeyOwner", "ProjectAPIKeyOwner", ""},
	{"ProjectKeyOwnerUser", "ProjectAPIKeyOwnerUser", ""},
	{"ProjectKeyOwnerServiceAccount", "ProjectAPIKeyOwnerServiceAccount", ""},
	{"ProjectKeyOwnerType", "ProjectAPIKeyOwnerType", "is the type of the owner of a project key: [OwnerUser], [OwnerServiceAccount], or another one of a newer API."},
	{"ProjectKeyOwnerAccess", "ProjectAPIKeyOwnerProjectAccess", "is the access of a project key's owner to the project: [AccessActive] or [AccessInactive]."},
	{"ProjectKeyUpdateParams", "ProjectAPIKeyUpdateRequest", "contains the parameters of [ProjectKeyService.Update]: the changes to the key. A nil field is not sent and changes nothing; at least one must be set."},
	{"DeletedProjectKey", "ProjectAPIKeyDeleteResponse", ""},
	{"ServiceAccount", "ProjectServiceAccount", ""},
	{"ServiceAccountRole", "ProjectServiceAccountRole", "is the role of a service account in its project: [RoleOwner], [RoleMember], [RoleNone], or another one of a newer API."},
	{"ServiceAccountPage", "ProjectServiceAccountListResponse", ""},
	{"ServiceAccountListParams", "ListProjectServiceAccountsParams", "contains the parameters of [ServiceAccountService.List]. A nil field is not sent."},
	{"ServiceAccountCreateParams", "ProjectServiceAccountCreateRequest", "contains the parameters of [ServiceAccountService.Create]: the name of the account, and the options of its first key. A nil field is not sent."},
	{"CreatedServiceAccount", "ProjectServiceAccountCreateResponse", ""},
	{"CreatedServiceAccountRole", "ProjectServiceAccountCreateResponseRole", "is the role of a new service account: [RoleMember], or [RoleNone] if only the account was created."},
	{"ServiceAccountKey", "ProjectServiceAccountAPIKey", ""},
}

// enums are the groups of constants. Most are untyped, so that a constant can be compared with
// fields of several types. Those for parameters are typed.
var enums = []struct {
	prefix, comment string
	typed           bool
	generated       []string
	names           map[string]string // by value, if the name is not prefix and value
}{
	{
		prefix: "Role", comment: "Roles of service accounts in a project. Compare them with the fields called Role.",
		generated: []string{"ProjectServiceAccountRole", "ProjectServiceAccountCreateResponseRole"},
	},
	{
		prefix: "Owner", comment: "Types of owners of keys. Compare them with the fields called Type.",
		generated: []string{"ProjectAPIKeyOwnerType"},
	},
	{
		prefix: "Access", comment: "Access of the owner of a project key to the project. Compare it with ProjectKey.OwnerProjectAccess.",
		generated: []string{"ProjectAPIKeyOwnerProjectAccess"},
	},
	{
		prefix: "AdminKeysOrder", comment: "Orders of a list of admin keys, by creation time. The API's default is the oldest first.", typed: true,
		generated: []string{"AdminAPIKeysListParamsOrder"},
		names:     map[string]string{"asc": "AdminKeysOldestFirst", "desc": "AdminKeysNewestFirst"},
	},
}

// operations are the names of the operations that a service has a method for.
var operations = []struct{ id, name, method string }{
	{"admin-api-keys-list", "OperationAdminKeysList", "AdminKeyService.List"},
	{"admin-api-keys-create", "OperationAdminKeysCreate", "AdminKeyService.Create"},
	{"retrieve-project-api-key", "OperationProjectKeysGet", "ProjectKeyService.Get"},
	{"update-project-api-key", "OperationProjectKeysUpdate", "ProjectKeyService.Update"},
	{"delete-project-api-key", "OperationProjectKeysDelete", "ProjectKeyService.Delete"},
	{"list-project-service-accounts", "OperationServiceAccountsList", "ServiceAccountService.List"},
	{"create-project-service-account", "OperationServiceAccountsCreate", "ServiceAccountService.Create"},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("names: ")
	output := flag.String("o", "types.gen.go", "the `file` to write")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: names [-o file] generated-file")
	}
	source, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	code, err := write(source)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*output, code, 0o666); err != nil {
		log.Fatal(err)
	}
}

// generated contains the declarations of a file with generated types.
type generated struct {
	types     map[string]*ast.TypeSpec
	docs      map[string]string            // of the types
	constants map[string]map[string]string // by type, names by value
	order     map[string][]string          // by type, values
}

func read(source []byte) (*generated, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	g := &generated{map[string]*ast.TypeSpec{}, map[string]string{}, map[string]map[string]string{}, map[string][]string{}}
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				g.types[spec.Name.Name] = spec
				g.docs[spec.Name.Name] = oneLine(group.Doc.Text())
			case *ast.ValueSpec:
				if group.Tok != token.CONST || len(spec.Values) != 1 {
					continue
				}
				kind := "" // of the ids of the operations
				if spec.Type != nil {
					kind = types.ExprString(spec.Type)
				}
				literal, ok := spec.Values[0].(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					return nil, err
				}
				if g.constants[kind] == nil {
					g.constants[kind] = map[string]string{}
				}
				g.constants[kind][value] = spec.Names[0].Name
				g.order[kind] = append(g.order[kind], value)
			}
		}
	}
	return g, nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// write returns the file of names for the generated types in source.
func write(source []byte) ([]byte, error) {
	g, err := read(source)
	if err != nil {
		return nil, err
	}
	names := map[string]string{} // by generated name
	var order []string
	descriptions := map[string]string{}
	for _, a := range aliases {
		if g.types[a.generated] == nil {
			return nil, fmt.Errorf("there is no type %s for the name %s", a.generated, a.name)
		}
		names[a.generated] = a.name
		order = append(order, a.generated)
		descriptions[a.generated] = a.description
	}
	for i := 0; i < len(order); i++ {
		for _, used := range g.usedBy(order[i]) {
			if names[used] == "" {
				names[used] = derived(names, used)
				order = append(order, used)
			}
		}
	}

	var b bytes.Buffer
	b.WriteString("// Code generated by internal/names from gen. DO NOT EDIT.\n\npackage orgkeys\n\nimport \"github.com/orgkeys/orgkeys-go/gen\"\n\n")
	for _, generated := range order {
		description := descriptions[generated]
		if description == "" {
			_, description, _ = strings.Cut(g.docs[generated], " ")
		}
		if description == "" {
			description = "is a type of the contract."
		}
		writeComment(&b, names[generated]+" "+description)
		if structure, ok := g.types[generated].Type.(*ast.StructType); ok {
			b.WriteString("//\n// Fields:\n")
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					fmt.Fprintf(&b, "//   - %s %s", name, typeName(names, field.Type))
					if text := oneLine(field.Doc.Text()); text != "" {
						fmt.Fprintf(&b, ": %s", text)
					}
					b.WriteString("\n")
				}
			}
		}
		fmt.Fprintf(&b, "type %s = gen.%s\n\n", names[generated], generated)
	}

	for _, e := range enums {
		fmt.Fprintf(&b, "// %s\nconst (\n", e.comment)
		var done []string
		for _, kind := range e.generated {
			if len(g.order[kind]) == 0 {
				return nil, fmt.Errorf("there are no constants of the type %s", kind)
			}
			for _, value := range g.order[kind] {
				if slices.Contains(done, value) {
					continue
				}
				done = append(done, value)
				name := e.names[value]
				if name == "" {
					name = e.prefix + generate.CamelCase(value)
				}
				if e.typed {
					fmt.Fprintf(&b, "\t%s = gen.%s\n", name, g.constants[kind][value])
				} else {
					fmt.Fprintf(&b, "\t%s = %q\n", name, value)
				}
			}
		}
		b.WriteString(")\n\n")
	}

	b.WriteString("// The ids of the operations, as errors, log records and metadata contain them.\nconst (\n")
	for _, id := range g.order[""] {
		generated := g.constants[""][id]
		if !strings.HasPrefix(generated, "Operation") {
			continue
		}
		name, comment := generated, ""
		for _, o := range operations {
			if o.id == id {
				name, comment = o.name, " // "+o.method
			}
		}
		fmt.Fprintf(&b, "\t%s = gen.%s%s\n", name, generated, comment)
	}
	b.WriteString(")\n")
	return format.Source(b.Bytes())
}

// writeComment writes text as a comment, in lines of about 96 characters at most.
func writeComment(b *bytes.Buffer, text string) {
	line := "//"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 97 {
			b.WriteString(line + "\n")
			line = "//"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

// usedBy returns the types that occur in the fields of a type, except types with one constant,
// such as that of a field called object.
func (g *generated) usedBy(name string) []string {
	var used []string
	ast.Inspect(g.types[name].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && g.types[id.Name] != nil && len(g.order[id.Name]) != 1 {
			used = append(used, id.Name)
		}
		_, qualified := n.(*ast.SelectorExpr)
		return !qualified
	})
	return used
}

// derived returns the name of a type that occurs in the fields of another type: its generated
// name, with the longest prefix that is the name of a type in names replaced.
func derived(names map[string]string, generated string) string {
	longest := ""
	for known := range names {
		if strings.HasPrefix(generated, known) && len(known) > len(longest) {
			longest = known
		}
	}
	return strings.ReplaceAll(names[longest]+strings.TrimPrefix(generated, longest), "_", "")
}

var identifier = regexp.MustCompile(`(?:\w+\.)?\w+`)

// typeName returns the type of a field in the names of package orgkeys.
func typeName(names map[string]string, expression ast.Expr) string {
	return identifier.ReplaceAllStringFunc(types.ExprString(expression), func(name string) string {
		if _, unqualified, ok := strings.Cut(name, "apitype."); ok {
			return "[" + unqualified + "]"
		}
		if alias := names[name]; alias != "" {
			return "[" + alias + "]"
		}
		if name[0] >= 'A' && name[0] <= 'Z' {
			return "gen." + name // a type with one constant
		}
		return name
	})
}
