package clients_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestChatPage lets two people talk on the page of socketio/examples/chat, in
// two tabs of Chromium, and takes pictures of it.
func TestChatPage(t *testing.T) {
	chat := build(t, "github.com/siokit/siokit/socketio/examples/chat")
	node(t) // the client that the page loads is an npm package
	args := []string{"-addr", freeAddress(t), "-client", "../node/node_modules/socket.io-client/dist"}
	server := startChat(t, chat, args)
	chromium := browser(t)
	ada := open(t, chromium, "ada", server.url, 1280, 820)
	grace := open(t, chromium, "grace", server.url, 1280, 820)
	grace.dark(true)

	steps := []struct {
		name string
		run  func(t *testing.T)
	}{
		{"sign in", func(t *testing.T) {
			ada.wait("welcome", `document.getElementById("welcome").open`)
			ada.shot("welcome")
			ada.signIn("Ada Lovelace")
			ada.wait("WebSocket", connectedOver("websocket"))
			grace.signIn("Grace Hopper")
			grace.wait("WebSocket", connectedOver("websocket"))
		}},
		{"presence", func(t *testing.T) {
			for _, b := range []*tab{ada, grace} {
				b.wait("two people", texts("#people .label")+`.join() === "Ada Lovelace,Grace Hopper"`)
				b.wait("size of the room", texts("#rooms [aria-current] .count")+`.join() === "2"`)
			}
			ada.wait("notice", texts(".line")+`.includes("Grace Hopper joined")`)
		}},
		{"typing", func(t *testing.T) {
			ada.do("type", chromedp.SendKeys(chromedp.ID("text"), "Good morning!"))
			grace.wait("typing notice", all(`document.querySelector("#typing.on")`,
				texts("#typing-text")+`.join() === "Ada Lovelace is typing"`))
			ada.do("delete", chromedp.Evaluate[chromedp.Void](`(e => { e.value = ""; e.dispatchEvent(new Event("input")) })(document.getElementById("text"))`))
			grace.wait("end of typing", `!document.querySelector("#typing.on")`)
		}},
		{"text and ticks", func(t *testing.T) {
			ada.say("Good morning! Is the new server up?")
			grace.wait("message", texts(".message:not(.mine) .text")+`.includes("Good morning! Is the new server up?")`)
			ada.wait("delivery", delivered("Good morning! Is the new server up?", "Grace Hopper"))
			grace.say("Since six o’clock. Go on one side, the official browser client on the other: https://socket.io")
			ada.wait("message", texts(".message:not(.mine) .text")+`.some(text => text.includes("six o’clock. Go"))`)
			ada.wait("link", `document.querySelector(".text a[href='https://socket.io']")`)
		}},
		{"picture", func(t *testing.T) {
			content := evening(t)
			path := filepath.Join(t.TempDir(), "evening.png")
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			ada.do("choose", chromedp.SetUploadFiles(chromedp.ID("file"), []string{path}, chromedp.NodeReady))
			ada.wait("draft", `!document.getElementById("draft").hidden`)
			ada.shot("draft")
			ada.say("The view from the office")
			grace.wait("picture", `document.querySelector(".message:not(.mine) .picture img")?.naturalWidth === 900`)
			sum := sha256.Sum256(content)
			if got, want := grace.eval(pictureSum), hex.EncodeToString(sum[:]); got != want {
				t.Errorf("the picture has the hash %s, want %s", got, want)
			}
			ada.wait("delivery", delivered("The view from the office", "Grace Hopper"))
		}},
		{"long polling", func(t *testing.T) {
			linus := open(t, chromium, "linus", server.url+"/?transports=polling&name=Linus", 390, 800)
			linus.wait("long polling", connectedOver("polling"))
			linus.wait("what was said before", texts(".text")+`.includes("The view from the office")`)
			linus.wait("picture", `document.querySelector(".picture img")?.naturalWidth === 900`)
			linus.say("Beautiful. I am on a train, over long polling.")
			ada.wait("message", texts(".message:not(.mine) .text")+`.some(text => text.startsWith("Beautiful."))`)
			ada.say("Same page, no app.")
			linus.wait("message", texts(".message:not(.mine) .text")+`.includes("Same page, no app.")`)
			grace.do("type", chromedp.SendKeys(chromedp.ID("text"), "I will bring coffee"))
			ada.wait("typing notice", `document.querySelector("#typing.on")`)
			linus.wait("typing notice", `document.querySelector("#typing.on")`)
			ada.shot("desktop")
			grace.shot("desktop-dark")
			linus.shot("phone")
			linus.do("open the rooms", chromedp.Click(chromedp.ID("open-rooms")))
			linus.wait("rooms", `getComputedStyle(document.getElementById("rooms-panel")).translate === "0px"`)
			linus.shot("phone-rooms")
			grace.do("send", chromedp.KeyEvent(kb.Enter))
			linus.wait("message", texts(".text")+`.includes("I will bring coffee")`)
			linus.leave()
			ada.wait("Linus has left", texts("#people .label")+`.join() === "Ada Lovelace,Grace Hopper"`)
		}},
		{"WebSocket alone", func(t *testing.T) {
			edsger := open(t, chromium, "edsger", server.url+"/?transports=websocket&name=Edsger", 1280, 820)
			edsger.wait("WebSocket", connectedOver("websocket"))
			edsger.say("Straight to WebSocket")
			ada.wait("message", texts(".message:not(.mine) .text")+`.includes("Straight to WebSocket")`)
			edsger.leave()
			ada.wait("Edsger has left", texts("#people .label")+`.join() === "Ada Lovelace,Grace Hopper"`)
		}},
		{"rooms", func(t *testing.T) {
			grace.do("open a room", chromedp.SendKeys(chromedp.ID("new-room-name"), "Tea Kitchen"+kb.Enter))
			grace.wait("the room", texts("#room-name")+`.join() === "tea-kitchen"`)
			ada.wait("the new room in the list", texts("#rooms .label")+`.join() === "lobby,random,tea-kitchen"`)
			ada.wait("one person", texts("#people .label")+`.join() === "Ada Lovelace"`)
			ada.say("Nobody in the kitchen gets this")
			grace.say("Alone at last")
			grace.wait("one tick", `document.querySelector(".mine [data-state=sent]")`)
			grace.do("back to the lobby", chromedp.Click(chromedp.CSS(`#rooms [data-room="lobby"]`)))
			grace.wait("what was said meanwhile", texts(".text")+`.includes("Nobody in the kitchen gets this")`)
			grace.wait("only that room", "!"+texts(".text")+`.includes("Alone at last")`)
			ada.wait("late delivery", delivered("Nobody in the kitchen gets this", "Grace Hopper"))
		}},
		{"markup is text", func(t *testing.T) {
			grace.say(`<img src=x onerror="document.title='broken'">`)
			ada.wait("the text", texts(".text")+`.some(text => text.startsWith("<img"))`)
			ada.wait("no element", `!document.querySelector("#log img[src='x']") && document.title !== "broken"`)
		}},
		{"reconnection", func(t *testing.T) {
			if err := server.stop(); err != nil {
				t.Fatal(err)
			}
			for _, b := range []*tab{ada, grace} {
				b.wait("notice", all(`!document.getElementById("notice").hidden`, `document.getElementById("connection").dataset.state !== "connected"`))
			}
			ada.say("Written while the server was away")
			ada.wait("clock", `document.querySelector(".mine [data-state=waiting]")`)
			ada.shot("reconnecting")
			server = startChat(t, chat, args)
			for _, b := range []*tab{ada, grace} {
				b.wait("connection", all(connectedOver("websocket"), `document.getElementById("notice").hidden`))
			}
			grace.wait("message", texts(".message:not(.mine) .text")+`.includes("Written while the server was away")`)
			ada.wait("delivery", delivered("Written while the server was away", "Grace Hopper"))
			for _, b := range []*tab{ada, grace} {
				b.wait("each message once", texts(".text")+`.filter(text => text === "Written while the server was away").length === 1`)
			}
		}},
		{"no script error", func(t *testing.T) {
			for _, b := range []*tab{ada, grace} {
				if got := b.eval(`JSON.stringify(window.failures)`); got != "[]" {
					t.Errorf("%s: %s", b.name, got)
				}
			}
		}},
	}
	for _, step := range steps {
		passed := t.Run(step.name, func(t *testing.T) {
			ada.t, grace.t = t, t
			step.run(t)
		})
		ada.t, grace.t = t, t
		if !passed {
			t.FailNow() // what follows builds on it
		}
	}
}

// startChat starts the chat server and waits until it answers.
func startChat(t *testing.T, path string, args []string) *process {
	t.Helper()
	p := start(t, path, args...)
	response, err := get(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return p
}

// freeAddress is an address on which a server can be started more than once.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *tab) signIn(name string) {
	b.t.Helper()
	b.do("sign in",
		chromedp.Evaluate[chromedp.Void](`window.failures = []; addEventListener("error", e => failures.push(e.message)); addEventListener("unhandledrejection", e => failures.push(String(e.reason)))`),
		chromedp.SendKeys(chromedp.ID("name"), name+kb.Enter))
}

// leave leaves the page as a person does, by going elsewhere.
func (b *tab) leave() {
	b.t.Helper()
	b.do("leave", chromedp.Navigate("about:blank"))
}

// say writes into the message box and presses Enter.
func (b *tab) say(text string) {
	b.t.Helper()
	b.do("say "+text, chromedp.SendKeys(chromedp.ID("text"), text+kb.Enter))
}

func connectedOver(transport string) string {
	return all(`document.getElementById("connection").dataset.state === "connected"`,
		`document.getElementById("transport").dataset.transport === `+quote(transport))
}

// delivered is true when the message of that text has two ticks, and says who
// has got it.
func delivered(text, to string) string {
	return `[...document.querySelectorAll(".mine")].some(message => message.querySelector(".text")?.textContent === ` + quote(text) +
		` && message.querySelector("[data-state=delivered]")?.title.includes(` + quote(to) + `))`
}

// pictureSum is the SHA-256 of the newest picture on the page.
const pictureSum = `fetch([...document.querySelectorAll(".picture img")].at(-1).src)
	.then(response => response.arrayBuffer())
	.then(bytes => crypto.subtle.digest("SHA-256", bytes))
	.then(sum => [...new Uint8Array(sum)].map(byte => byte.toString(16).padStart(2, "0")).join(""))`
