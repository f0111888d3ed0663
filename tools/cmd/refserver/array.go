package main

import "github.com/siokit/siokit/sioparser"

// array makes one argument of many: an array of them, none decoded.
func array(elements []sioparser.Args) (sioparser.Args, error) {
	var all sioparser.Args
	for _, e := range elements {
		all = all.Append(e)
	}
	text := append(all.AppendArray([]byte{'['}), ']')
	return sioparser.Limits{Attachments: -1, AttachmentBytes: -1, Depth: -1}.ParseArgs(text, all.Attachments())
}

// first returns the first argument, and null if there is none, as JavaScript's
// undefined becomes in an array.
func first(args sioparser.Args) sioparser.Args {
	if args.Len() == 0 {
		return null
	}
	return args.Slice(0, 1)
}

var null, _ = sioparser.ParseArgs([]byte("[null]"), nil)
