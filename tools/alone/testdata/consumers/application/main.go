// Somebody with an application: it greets who says hello. The client here is as
// plain as one can be: Socket.IO by HTTP requests.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/siokit/siokit/socketio"
)

var hello = socketio.DefineCall[string, string]("hello")

func main() {
	server, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	hello.On(server, func(_ context.Context, _ *socketio.Socket, name string) (string, error) {
		return "hello, " + name, nil
	})
	web := httptest.NewServer(server)
	defer web.Close()

	address := web.URL + "/socket.io/?EIO=4&transport=polling"
	open := get(address)
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	address += "&sid=" + sid
	post(address, "40")
	fmt.Printf("%.8s\n", get(address))
	post(address, `420["hello","world"]`)
	fmt.Println(get(address))
	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 40{"sid"
	// 430["hello, world"]
}

func get(address string) string {
	response, err := http.Get(address)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	return string(body)
}

func post(address, body string) {
	response, err := http.Post(address, "text/plain", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
}
