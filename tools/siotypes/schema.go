package siotypes

import (
	"encoding/json"
	"io"
)

// schema is a JSON Schema. Tuples are written as draft 2020-12 has them, or as
// draft 7 has them, which AsyncAPI uses.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Const       any                `json:"const,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	PrefixItems []*schema          `json:"prefixItems,omitempty"`
	Items       any                `json:"items,omitempty"` // *schema, false, or []*schema in draft 7
	Additional  any                `json:"additionalItems,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	MaxItems    *int               `json:"maxItems,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Values      *schema            `json:"additionalProperties,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// dialect is what differs between the schemas of the two documents.
type dialect struct {
	refs   string // where the named types are
	draft7 bool
}

var (
	draft2020 = dialect{refs: "#/$defs/"}
	asyncAPI  = dialect{refs: "#/components/schemas/", draft7: true}
)

// binaryName is the named schema of attachments, failureName that of the
// acknowledgement of a call that failed.
const (
	binaryName  = "Binary"
	failureName = "Failure"
)

// WriteJSONSchema writes a JSON Schema (draft 2020-12) of the events. An
// instance is an object with the members "clientToServer" and
// "serverToClient"; in each, a member for an event holds the array of its
// arguments as the wire has it, so that an attachment is a placeholder. The
// schema of one event is
// #/properties/clientToServer/properties/<name>, the reply of a call is
// below "clientToServerReplies" and "serverToClientReplies".
func (a *API) WriteJSONSchema(w io.Writer) error {
	root := &schema{
		Schema:     "https://json-schema.org/draft/2020-12/schema",
		Type:       "object",
		Properties: map[string]*schema{},
		Defs:       draft2020.types(a),
	}
	for name, events := range map[string][]Event{"clientToServer": a.ToServer, "serverToClient": a.ToClient} {
		sent := &schema{Type: "object", Properties: map[string]*schema{}}
		replies := &schema{Type: "object", Properties: map[string]*schema{}}
		for _, ev := range events {
			args := draft2020.args(ev.Args)
			args.Description = ev.Doc
			sent.Properties[ev.Name] = args
			if ev.Call {
				replies.Properties[ev.Name] = draft2020.reply(ev)
			}
		}
		root.Properties[name] = sent
		if len(replies.Properties) > 0 {
			root.Properties[name+"Replies"] = replies
		}
	}
	return writeJSON(w, root)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// types are the schemas that others refer to.
func (d dialect) types(a *API) map[string]*schema {
	types := map[string]*schema{}
	for _, t := range a.Types {
		s := d.of(t.Shape)
		s.Description, s.Enum = t.Doc, t.Values
		types[t.Name] = s
	}
	if a.uses(Binary) {
		types[binaryName] = &schema{
			Description: "Binary data: on the wire, a placeholder for the attachment of that number.",
			Type:        "object",
			Properties:  map[string]*schema{"_placeholder": {Const: true}, "num": {Type: "integer"}},
			Required:    []string{"_placeholder", "num"},
		}
	}
	if a.calls() {
		types[failureName] = &schema{
			Description: "What the acknowledgement of a call holds instead of a reply if the call failed.",
			Type:        "object",
			Properties: map[string]*schema{"error": {
				Type:       "object",
				Properties: map[string]*schema{"message": {Type: "string"}, "data": {}},
				Required:   []string{"message"},
			}},
			Required: []string{"error"},
		}
	}
	return types
}

// args is the schema of an array of positional arguments.
func (d dialect) args(args Args) *schema {
	var fixed []*schema
	for _, shape := range args.Fixed {
		fixed = append(fixed, d.of(shape))
	}
	var rest any = false
	if args.Rest != nil {
		rest = d.of(args.Rest)
	}
	s := &schema{Type: "array", MinItems: len(fixed)}
	switch {
	case len(fixed) == 0 && args.Rest == nil:
		s.MaxItems = new(int)
	case len(fixed) == 0:
		s.Items = rest
	case d.draft7:
		s.Items, s.Additional = fixed, rest
	default:
		s.PrefixItems, s.Items = fixed, rest
	}
	return s
}

// reply is the schema of the arguments of a call's acknowledgement.
func (d dialect) reply(ev Event) *schema {
	failed := d.args(Args{Fixed: []*Shape{{Kind: Named, Type: &Type{Name: failureName}}}})
	return &schema{AnyOf: []*schema{d.args(ev.Reply), failed}}
}

// of is the schema of values of one shape.
func (d dialect) of(shape *Shape) *schema {
	s := d.plain(shape)
	if shape.Nullable && shape.Kind != Any {
		return &schema{AnyOf: []*schema{s, {Type: "null"}}}
	}
	return s
}

func (d dialect) plain(shape *Shape) *schema {
	switch shape.Kind {
	case Bool:
		return &schema{Type: "boolean"}
	case Integer:
		return &schema{Type: "integer"}
	case Number:
		return &schema{Type: "number"}
	case String:
		return &schema{Type: "string", Format: shape.Format}
	case Binary:
		return &schema{Ref: d.refs + binaryName}
	case Named:
		return &schema{Ref: d.refs + shape.Type.Name}
	case Array:
		s := &schema{Type: "array", Items: d.of(shape.Elem)}
		if shape.Len >= 0 {
			s.MinItems, s.MaxItems = shape.Len, &shape.Len
		}
		return s
	case Map:
		return &schema{Type: "object", Values: d.of(shape.Elem)}
	case Object:
		s := &schema{Type: "object", Properties: map[string]*schema{}}
		for _, f := range shape.Fields {
			member := d.of(f.Shape)
			if f.Doc != "" && member.Ref == "" { // what is beside a $ref is ignored in draft 7
				member.Description = f.Doc
			}
			s.Properties[f.Name] = member
			if !f.Optional {
				s.Required = append(s.Required, f.Name)
			}
		}
		return s
	}
	return &schema{}
}
