package mutant

import (
	"bytes"
	"net/http"
	"strings"
)

func handshakeFaults() []Mutant {
	errorAnswer := func(status int, body string) *Answer {
		return &Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	}
	websocket := func(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }
	return []Mutant{
		{Name: "code-transport", Fault: "an unknown transport has the code 3", Response: body(`{"code":0,`, `{"code":3,`)},
		{Name: "code-sid", Fault: "an unknown session has the code 3", Response: body(`{"code":1,`, `{"code":3,`)},
		{Name: "code-method", Fault: "a wrong method has the code 3", Response: body(`{"code":2,`, `{"code":3,`)},
		{Name: "code-bad-request", Fault: "a bad request has the code 0", Response: body(`{"code":3,`, `{"code":0,`)},
		{Name: "code-forbidden", Fault: "a refusal has the code 3", Response: body(`{"code":4,`, `{"code":3,`)},
		{Name: "code-version", Fault: "a wrong version has the code 3", Response: body(`{"code":5,`, `{"code":3,`)},
		{Name: "message-transport", Fault: "the message of code 0 is another", Response: body("Transport unknown", "Unknown transport")},
		{Name: "message-sid", Fault: "the message of code 1 is another", Response: body("Session ID unknown", "no such session")},
		{Name: "message-deny", Fault: "the application's text is lost", Response: func(_ *http.Request, a *Answer) {
			if a.Status == 403 {
				a.Body = []byte(`{"code":4,"message":"Forbidden"}`)
			}
		}},
		{Name: "status-transport", Fault: "an unknown transport has the status 404", Response: status(400, `"code":0`, 404)},
		{Name: "status-sid", Fault: "an unknown session has the status 404", Response: status(400, `"code":1`, 404)},
		{Name: "status-method", Fault: "a wrong method has the status 405", Response: status(400, `"code":2`, 405)},
		{Name: "status-bad-request", Fault: "a bad request has the status 500", Response: status(400, `"code":3`, 500)},
		{Name: "status-forbidden", Fault: "a refusal has the status 400", Response: status(403, "", 400)},
		{Name: "status-version", Fault: "a wrong version has the status 200", Response: status(400, `"code":5`, 200)},
		{Name: "error-media", Fault: "errors are text/plain", Response: func(_ *http.Request, a *Answer) {
			if a.Header.Get("Content-Type") == "application/json" {
				a.Header.Set("Content-Type", "text/plain")
			}
		}},
		{Name: "no-transport-is-polling", Fault: "a request without a transport is a polling request", Request: func(r *http.Request) {
			if r.URL.Query().Get("transport") == "" && strings.HasPrefix(r.URL.Path, "/engine.io/") {
				r.URL.RawQuery += "&EIO=4&transport=polling"
			}
		}},
		{Name: "any-transport-is-polling", Fault: "an unknown transport is taken for polling", Request: query("transport=abc", "transport=abc", "transport=polling")},
		{Name: "webtransport-is-polling", Fault: "webtransport is taken for polling", Request: query("transport=webtransport", "transport=webtransport", "transport=polling")},
		{Name: "transport-internals", Fault: "a transport called constructor breaks the server", Answer: func(r *http.Request) *Answer {
			if strings.Contains(r.URL.RawQuery, "transport=constructor") {
				return errorAnswer(500, "TypeError")
			}
			return nil
		}},
		{Name: "no-version-is-4", Fault: "a request without a version is of revision 4", Request: func(r *http.Request) {
			if r.URL.Query().Get("EIO") == "" && strings.HasPrefix(r.URL.Path, "/e") && r.URL.Query().Get("transport") != "" && r.URL.Path != "/eio-v3/" {
				r.URL.RawQuery += "&EIO=4"
			}
		}},
		{Name: "version-3-is-4", Fault: "revision 3 is taken for 4", Request: func(r *http.Request) {
			if !strings.Contains(r.URL.Path, "v3") {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "EIO=3", "EIO=4", 1)
			}
		}},
		{Name: "version-5-is-4", Fault: "revisions that do not exist are taken for 4", Request: func(r *http.Request) {
			r.URL.RawQuery = strings.NewReplacer("EIO=5", "EIO=4", "EIO=2", "EIO=4", "EIO=abc", "EIO=4").Replace(r.URL.RawQuery)
		}},
		{Name: "post-opens", Fault: "POST opens a session", Request: func(r *http.Request) {
			if r.URL.Query().Get("sid") == "" && (r.Method == "POST" || r.Method == "PUT") && r.URL.Query().Get("transport") == "polling" {
				r.Method = "GET"
			}
		}},
		{Name: "unknown-sid-opens", Fault: "a request of an unknown session opens a new one", Request: query("sid=unknown", "&sid=unknown", "")},
		{Name: "sid-internals", Fault: "a session called __proto__ breaks the server", Answer: func(r *http.Request) *Answer {
			if strings.Contains(r.URL.RawQuery, "sid=__proto__") {
				return errorAnswer(500, "TypeError")
			}
			return nil
		}},
		{Name: "empty-sid-unknown", Fault: "an empty sid is an unknown session", Request: func(r *http.Request) {
			if strings.HasSuffix(r.URL.RawQuery, "sid=") {
				r.URL.RawQuery += "none"
			}
		}},
		{Name: "websocket-without-upgrade", Fault: "transport=websocket without an Upgrade header is an unknown transport", Answer: func(r *http.Request) *Answer {
			if r.URL.Query().Get("transport") == "websocket" && r.Header.Get("Upgrade") == "" && r.URL.Query().Get("sid") == "" {
				return errorAnswer(400, `{"code":0,"message":"Transport unknown"}`)
			}
			return nil
		}},
		{Name: "transport-mismatch", Fault: "a polling session answers to transport=websocket", Request: func(r *http.Request) {
			if !websocket(r) && r.URL.Query().Get("sid") != "" {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "transport=websocket", "transport=polling", 1)
			}
		}},
		{Name: "mismatch-kills", Fault: "a request of another version ends the session", Request: func(r *http.Request) {
			if r.URL.Query().Get("EIO") == "3" && r.URL.Query().Get("sid") != "" && !strings.Contains(r.URL.Path, "v3") && !websocket(r) {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "EIO=3", "EIO=4", 1)
				r.Method = "POST" // without a body, which the server takes for a broken payload
			}
		}, Response: func(r *http.Request, a *Answer) {
			if string(a.Body) == "ok" && r.Method == "GET" {
				a.Status, a.Body = 400, []byte(`{"code":3,"message":"Bad request"}`)
			}
		}},
		{Name: "deny-always", Fault: "the application is asked about every request", Answer: func(r *http.Request) *Answer {
			if r.URL.Query().Get("sid") != "" && r.URL.Query().Get("deny") != "" {
				return errorAnswer(403, `{"code":4,"message":"late"}`)
			}
			return nil
		}},
		{Name: "path-without-slash", Fault: "the path without its slash is served too", Request: func(r *http.Request) {
			if r.URL.Path == "/engine.io" {
				r.URL.Path = "/engine.io/"
			}
		}},
		{Name: "path-any-case", Fault: "letter case of the path does not matter", Request: func(r *http.Request) { r.URL.Path = strings.ToLower(r.URL.Path) }},
		{Name: "websocket-only-polls", Fault: "a websocket-only server serves polling", Request: func(r *http.Request) {
			if r.URL.Path == "/eio-ws/" && !websocket(r) {
				r.URL.Path = "/engine.io/"
			}
		}},
		{Name: "polling-only-upgrades", Fault: "a polling-only server accepts a WebSocket", Request: func(r *http.Request) {
			if r.URL.Path == "/eio-polling/" && websocket(r) {
				r.URL.Path = "/engine.io/"
				r.URL.RawQuery = "EIO=4&transport=websocket"
			}
		}},
		{Name: "refused-upgrade-status", Fault: "refused upgrades have the status 500", Response: func(r *http.Request, a *Answer) {
			if websocket(r) && a.Status == 400 {
				a.Status = 500
			}
		}},
		{Name: "refused-upgrade-json", Fault: "refused upgrades are JSON", Response: func(r *http.Request, a *Answer) {
			if websocket(r) && a.Status == 400 && !bytes.HasPrefix(a.Body, []byte("{")) {
				a.Header.Set("Content-Type", "application/json")
				a.Body = []byte(`{"message":"` + string(a.Body) + `"}`)
			}
		}},
		{Name: "refused-upgrade-stays", Fault: "a refused upgrade leaves the connection open", Response: func(r *http.Request, a *Answer) {
			if websocket(r) && a.Status == 400 {
				a.Header.Del("Connection")
			}
		}},
		{Name: "upgrade-any-transport", Fault: "a WebSocket with an unknown transport gets a session", Request: func(r *http.Request) {
			if websocket(r) && !strings.Contains(r.URL.RawQuery, "transport=websocket") {
				r.URL.RawQuery = "EIO=4&transport=websocket"
			}
		}},
		{Name: "upgrade-any-method", Fault: "a WebSocket can be opened with POST", Answer: func(r *http.Request) *Answer {
			if websocket(r) && r.Method == "POST" {
				return errorAnswer(200, "ok")
			}
			return nil
		}},
		{Name: "upgrade-unknown-sid", Fault: "a WebSocket of an unknown session gets a new one", Request: func(r *http.Request) {
			if websocket(r) {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "&sid=unknown", "", 1)
			}
		}},
		{Name: "handshake-no-key", Fault: "a WebSocket handshake needs no key", Answer: func(r *http.Request) *Answer {
			if websocket(r) && (r.Header.Get("Sec-WebSocket-Key") == "" || r.Header.Get("Sec-WebSocket-Version") != "13") {
				return errorAnswer(200, "welcome")
			}
			return nil
		}},
		{Name: "handshake-spelling", Fault: "the tokens of the WebSocket handshake are compared with regard to case", Answer: func(r *http.Request) *Answer {
			if websocket(r) && r.Header.Get("Upgrade") != "websocket" {
				return errorAnswer(400, "no")
			}
			return nil
		}},
		{Name: "subprotocol", Fault: "the server chooses a subprotocol that nobody offered", Response: func(_ *http.Request, a *Answer) {
			if a.Status == 101 {
				a.Header.Set("Sec-WebSocket-Protocol", "socket.io")
			}
		}},
		{Name: "websocket-origin", Fault: "a WebSocket from another origin is refused where all are allowed", Answer: func(r *http.Request) *Answer {
			if websocket(r) && strings.Contains(r.Header.Get("Origin"), "evil") {
				return errorAnswer(403, `{"code":4,"message":"Forbidden"}`)
			}
			return nil
		}},
		{Name: "sioconform-deny-path", Fault: "the Socket.IO path does not ask the application", Request: query("/socket.io/?EIO=4&transport=polling&deny", "&deny=no", "")},
	}
}

// openFaults are about the open packet and the first answer.
func openFaults() []Mutant {
	out := func(name, fault, expr, replacement string) Mutant {
		return Mutant{Name: name, Fault: fault, Out: rewrite(`^(0\{.*)`+expr, "${1}"+replacement)}
	}
	return []Mutant{
		out("open-extra-key", "the open packet holds one key more", `\}$`, `,"x":1}`),
		out("open-no-limit", "the open packet lacks maxPayload", `,"maxPayload":\d+`, ``),
		out("open-text-numbers", "the intervals are strings", `"pingInterval":(\d+)`, `"pingInterval":"$2"`),
		out("open-order", "the keys of the open packet stand in another order", `"pingInterval":(\d+),"pingTimeout":(\d+)`, `"pingTimeout":$3,"pingInterval":$2`),
		out("open-white-space", "the open packet holds white space", `,"pingInterval"`, `, "pingInterval"`),
		out("open-other-interval", "the announced interval is not the real one", `"pingInterval":300`, `"pingInterval":25000`),
		out("open-no-upgrade", "no upgrade is ever offered", `"upgrades":\["websocket"\]`, `"upgrades":[]`),
		{Name: "open-upgrade-always", Fault: "an upgrade is offered to everybody", Out: rewrite(`^(0\{"sid":"[^"]+","upgrades":)\[\]`, `${1}["websocket"]`)},
		{Name: "open-zero-limit", Fault: "maxPayload is zero", Out: rewrite(`^(0\{.*"maxPayload":)\d+`, `${1}0`)},
		{Name: "sid-length", Fault: "session ids are longer", Out: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, `0{"sid":"`) && s.engine() {
				p.Text = strings.Replace(p.Text, `","upgrades"`, `=","upgrades"`, 1)
			}
			return []Packet{p}
		}, Request: func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(strings.TrimSuffix(r.URL.RawQuery, "="), "=&", "&", 1)
		}},
		{Name: "sid-repeats", Fault: "every handshake gives the same id", Out: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, `0{"sid":"`) && s.Path == "/engine.io/" && !s.WebSocket {
				_, rest, _ := strings.Cut(p.Text, `","upgrades"`)
				p.Text = `0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades"` + rest
			}
			return []Packet{p}
		}},
		{Name: "initial-packet-lost", Fault: "the initial packet is not sent", Out: func(s *Session, p Packet) []Packet {
			if s.Path == "/eio-init/" && p.Text == "4hello" {
				return nil
			}
			return []Packet{p}
		}},
		{Name: "websocket-no-open", Fault: "over WebSocket an empty message comes before the open packet", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && strings.HasPrefix(p.Text, "0{") {
				return append(text("6"), p)
			}
			return []Packet{p}
		}},
	}
}

// headerFaults are about the form of HTTP answers.
func headerFaults() []Mutant {
	return []Mutant{
		{Name: "poll-cached", Fault: "polls may be cached", Response: only("GET", 200, header("", "Cache-Control", ""))},
		{Name: "post-cached", Fault: "answers to POST may be cached", Response: only("POST", 200, header("", "Cache-Control", ""))},
		{Name: "poll-media", Fault: "polls are text/html", Response: only("GET", 200, header("EIO=4", "Content-Type", "text/html"))},
		{Name: "poll-no-length", Fault: "polls have no length", Response: only("GET", 200, header("", "X-Mutant-Chunked", "1"))},
		{Name: "post-media", Fault: "answers to POST are text/plain", Response: only("POST", 200, header("", "Content-Type", "text/plain"))},
		{Name: "post-body", Fault: "answers to POST have no body", Response: only("POST", 200, func(_ *http.Request, a *Answer) { a.Body = nil })},
		{Name: "post-status", Fault: "answers to POST have the status 204", Response: only("POST", 200, func(_ *http.Request, a *Answer) { a.Status, a.Body = 204, nil })},
		{Name: "cors-errors", Fault: "errors cannot be read across origins", Response: func(_ *http.Request, a *Answer) {
			if a.Status >= 400 {
				a.Header.Del("Access-Control-Allow-Origin")
			}
		}},
		{Name: "cors-default", Fault: "every origin is allowed by default", Response: header("/eio-slow/", "Access-Control-Allow-Origin", "*")},
		{Name: "cookie-always", Fault: "the cookie is set by every answer", Response: header("/eio-cookie/", "Set-Cookie", "io=x; Path=/; HttpOnly; SameSite=Lax")},
		{Name: "cookie-open", Fault: "scripts can read the cookie", Response: func(_ *http.Request, a *Answer) {
			if c := a.Header.Get("Set-Cookie"); c != "" {
				a.Header.Set("Set-Cookie", strings.Replace(c, " HttpOnly;", "", 1))
			}
		}},
		{Name: "cookie-default", Fault: "a cookie is set by default", Response: only("GET", 200, header("/engine.io/", "Set-Cookie", "io=1"))},
		{Name: "gzip-never", Fault: "polls are never compressed", Response: func(r *http.Request, a *Answer) {
			a.Header.Del("Content-Encoding")
		}},
		{Name: "gzip-always", Fault: "polls are compressed for everybody", Response: func(r *http.Request, a *Answer) {
			if r.Method == "GET" && r.URL.Path == "/eio-gzip/" && len(a.Body) > 100 {
				a.Header.Set("Content-Encoding", "gzip")
			}
		}},
		{Name: "deflate-never", Fault: "permessage-deflate is never negotiated", Request: func(*http.Request) {}, Response: func(_ *http.Request, a *Answer) {
			if a.Status == 101 {
				a.Header.Del("Sec-WebSocket-Extensions")
			}
		}},
		{Name: "keep-alive-never", Fault: "every answer ends its connection", Response: func(_ *http.Request, a *Answer) {
			if a.Status != 101 {
				a.Header.Set("Connection", "close")
			}
		}},
		{Name: "http10-refused", Fault: "HTTP/1.0 is not served", Answer: func(r *http.Request) *Answer {
			if r.ProtoMinor == 0 {
				return &Answer{Status: 505, Header: http.Header{}}
			}
			return nil
		}},
		{Name: "continue-refused", Fault: "Expect is not understood", Answer: func(r *http.Request) *Answer {
			if r.Header.Get("Expect") != "" {
				return &Answer{Status: 417, Header: http.Header{"Connection": {"close"}}}
			}
			return nil
		}},
	}
}
