// A server on engineio that tells which versions of our modules it was built from.
package main

import (
	"fmt"
	"log"
	"path"
	"runtime/debug"

	"github.com/siokit/siokit/engineio"
)

func main() {
	server, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if name := path.Base(m.Path); name == "eioparser" || name == "engineio" {
			fmt.Println(name, m.Version)
		}
	}
}
