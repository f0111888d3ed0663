package siotypes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// WriteTypeScript writes the interfaces ClientToServerEvents and
// ServerToClientEvents, as the official client and server take them for their
// type parameters, and the types that these use:
//
//	const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();
//
// A call's acknowledgement has the reply's type or Failure, the form in which
// an error of the handler arrives.
func (a *API) WriteTypeScript(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("// Written by siotypes; not to be edited.\n")
	for _, t := range a.Types {
		b.WriteString("\n")
		writeDoc(&b, "", t.Doc)
		if t.Shape.Kind == Object {
			fmt.Fprintf(&b, "export interface %s %s\n", t.Name, typescript(t.Shape, ""))
			continue
		}
		var values []string
		for _, value := range t.Values {
			values = append(values, quote(value))
		}
		fmt.Fprintf(&b, "export type %s = %s;\n", t.Name, strings.Join(values, " | "))
	}
	if a.uses(Binary) {
		b.WriteString("\n/** Binary data: an ArrayBuffer in browsers, a Buffer in Node. */\nexport type Binary = ArrayBuffer | Uint8Array;\n")
	}
	if a.calls() {
		b.WriteString("\n/** What the acknowledgement of a call holds instead of a reply if the call failed. */\n" +
			"export interface Failure {\n  error: { message: string; data?: unknown };\n}\n")
	}
	writeEvents(&b, "What clients send and the server handles.", "ClientToServerEvents", a.ToServer)
	writeEvents(&b, "What the server sends and clients handle.", "ServerToClientEvents", a.ToClient)
	_, err := w.Write(b.Bytes())
	return err
}

func writeEvents(b *bytes.Buffer, doc, name string, events []Event) {
	b.WriteString("\n")
	writeDoc(b, "", doc)
	fmt.Fprintf(b, "export interface %s {\n", name)
	for _, ev := range events {
		writeDoc(b, "  ", ev.Doc)
		params := parameters(ev.Args, nil)
		if ev.Call {
			ack := fmt.Sprintf("ack: (%s) => void", strings.Join(parameters(ev.Reply, []string{"Failure"}), ", "))
			params = append(params, ack)
			if ev.Args.Rest != nil { // TypeScript has nothing behind a rest parameter, but a rest tuple
				fixed := params[:len(params)-2]
				params = append(slices.Clone(fixed), fmt.Sprintf("...args: [...rest: %s[], %s]", element(ev.Args.Rest, "  "), ack))
			}
		}
		fmt.Fprintf(b, "  %s: (%s) => void;\n", property(ev.Name), strings.Join(params, ", "))
	}
	b.WriteString("}\n")
}

// parameters are the parameters that the arguments make of a function; the
// first one may have one of the others' types, too.
func parameters(args Args, others []string) []string {
	var params []string
	for i, shape := range args.Fixed {
		text := typescript(shape, "  ")
		if i == 0 {
			text = strings.Join(append([]string{text}, others...), " | ")
		}
		params = append(params, fmt.Sprintf("%s: %s", parameterName(i, args), text))
	}
	switch {
	case args.Rest != nil && len(args.Fixed) == 0 && len(others) > 0:
		params = append(params, fmt.Sprintf("...rest: (%s | %s)[]", typescript(args.Rest, "  "), strings.Join(others, " | ")))
	case args.Rest != nil:
		params = append(params, fmt.Sprintf("...rest: %s[]", element(args.Rest, "  ")))
	case len(args.Fixed) == 0 && len(others) > 0:
		params = append(params, "failure?: "+strings.Join(others, " | "))
	}
	return params
}

func parameterName(i int, args Args) string {
	if len(args.Fixed) == 1 && args.Rest == nil {
		return "value"
	}
	return string(rune('a' + i))
}

// typescript is the type's text, for a place that is indented so far.
func typescript(s *Shape, indent string) string {
	text := plain(s, indent)
	if s.Nullable && s.Kind != Any {
		text += " | null"
	}
	return text
}

func plain(s *Shape, indent string) string {
	switch s.Kind {
	case Bool:
		return "boolean"
	case Integer, Number:
		return "number"
	case String:
		return "string"
	case Binary:
		return "Binary"
	case Array:
		if s.Len >= 0 && s.Len <= 16 {
			elems := slices.Repeat([]string{typescript(s.Elem, indent)}, s.Len)
			return "[" + strings.Join(elems, ", ") + "]"
		}
		return element(s.Elem, indent) + "[]"
	case Map:
		return "Record<string, " + typescript(s.Elem, indent) + ">"
	case Object:
		return object(s, indent)
	case Named:
		return s.Type.Name
	}
	return "unknown"
}

// element is the type's text as it may stand in front of [].
func element(s *Shape, indent string) string {
	text := typescript(s, indent)
	if s.Nullable && s.Kind != Any {
		return "(" + text + ")"
	}
	return text
}

func object(s *Shape, indent string) string {
	if len(s.Fields) == 0 {
		return "{}"
	}
	var b bytes.Buffer
	b.WriteString("{\n")
	inner := indent + "  "
	for _, f := range s.Fields {
		writeDoc(&b, inner, f.Doc)
		optional := ""
		if f.Optional {
			optional = "?"
		}
		fmt.Fprintf(&b, "%s%s%s: %s;\n", inner, property(f.Name), optional, typescript(f.Shape, inner))
	}
	b.WriteString(indent + "}")
	return b.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func property(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return quote(name)
}

// quote is the literal of a string or a number.
func quote(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and integers only
	}
	return string(text)
}

func writeDoc(b *bytes.Buffer, indent, doc string) {
	if doc == "" {
		return
	}
	doc = strings.ReplaceAll(doc, "*/", "*\u200b/")
	lines := strings.Split(doc, "\n")
	if len(lines) == 1 {
		fmt.Fprintf(b, "%s/** %s */\n", indent, doc)
		return
	}
	fmt.Fprintf(b, "%s/**\n", indent)
	for _, line := range lines {
		fmt.Fprintf(b, "%s%s\n", indent, strings.TrimRight(" * "+line, " "))
	}
	fmt.Fprintf(b, "%s */\n", indent)
}
