package socketio_test

import (
	"testing"
)

func TestClientsOfSocketIO2(t *testing.T) { // S-CN-41
	config := quiet()
	config.EngineConfig.AllowEIO3 = true
	url := serve(t, fixture(t, config))
	c := dialRevision(t, url, 3)
	c.expect("40", `42["auth",{}]`)
	c.send(`421["id"]`)
	c.expect(`431["` + c.sid + `"]`)
	c.send(`40/custom?token=a%20b&x=1,`)
	c.expect("40/custom,", `42/custom,["auth",{"token":"a b","x":"1"}]`)
	c.send(`42/custom,2["id"]`)
	c.expect(`43/custom,2["/custom#` + c.sid + `"]`)
	c.send("40/random,", "40/auth-fail,", "40/auth-fail-nodata,")
	c.expect(`44/random,"Invalid namespace"`)
	// The other two are refused by middlewares, each on a goroutine of its own.
	want := map[string]bool{`44/auth-fail,{"code":401,"content":"please retry"}`: true, `44/auth-fail-nodata,"nope"`: true}
	for range 2 {
		if f := c.next(); !want[f] {
			t.Error(f)
		}
	}
	c.send(`42["message",1]`)
	c.expect(`42["message-back",1]`)
}
