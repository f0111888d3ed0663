package main

import "github.com/siokit/siokit/sioparser"

// array makes one argument of many: an array of them, none decoded.
func array(elements []sioparser.Args) (sioparser.Args, error) {
	var all sioparser.Args
	for _, e := range elements {
		all = all.Append(e)
	}
	text := append(all.AppendArray([]byte{'['}), ']')
	return sioparser.ParseArgs(text, all.Attachments())
}
