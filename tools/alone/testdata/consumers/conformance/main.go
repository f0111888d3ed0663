// Somebody who asks a server whether it speaks the protocols. This one is a
// plain web server, and the suite says so instead of passing anything.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/siokit/siokit/conformance"
)

func main() {
	plain := conformance.Handler(http.NotFoundHandler())
	_, err := conformance.Run(context.Background(), plain, conformance.Options{})
	fmt.Println(len(conformance.Cases()) > 0, errors.Is(err, conformance.ErrNoFixture))

	// Output:
	// true true
}
