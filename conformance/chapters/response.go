package chapters

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

func deadline(t *probe.T) time.Time { return time.Now().Add(t.Patience) }

// response holds the cases of chapter E-HS about the form of HTTP answers:
// headers, cookies, compression, JSONP.
func response() []spec.Case {
	c := &chapter{prefix: "E-HS", source: engineDoc + "HTTP long-polling, Headers", profiles: []spec.Profile{spec.Engine}, needs: []spec.Feature{spec.FeatPolling}, proof: accepts}
	c.ref("37", "headers of a poll", "A poll's answer is text/plain in UTF-8, not to be stored, with a length.",
		func(t *probe.T) {
			a := get(t, "EIO=4&transport=polling").Status(200)
			a.Field("Content-Type", "text/plain; charset=UTF-8").Field("Cache-Control", "no-store")
			t.Check(a.Header.Get("Content-Length") != "", "no Content-Length")
		})
	c.ref("38", "headers of a POST", "A POST's answer is ok as text/html, not to be stored.",
		func(t *probe.T) {
			t.Polling(calm(t)).Post("4x").Is(200, "ok").Media("text/html").Field("Cache-Control", "no-store").Field("Content-Length", "2")
		}, needs(spec.FeatEcho))
	c.ref("39", "headers of an error", "An error's answer is JSON and readable across origins where those are allowed.",
		func(t *probe.T) {
			a := t.Get("/engine.io/?EIO=4&transport=abc", wire.Field{Name: "Origin", Value: "http://example.com"})
			a.Status(400).Media("application/json").Field("Access-Control-Allow-Origin", "*")
		}, needs(spec.FeatEcho))
	c.quirk("40", "CORS headers of a poll", "Where every origin is allowed the answer says so with a star, without credentials and without Vary.",
		func(t *probe.T) {
			a := t.Get("/engine.io/?EIO=4&transport=polling", wire.Field{Name: "Origin", Value: "http://example.com"})
			a.Field("Access-Control-Allow-Origin", "*").Field("Access-Control-Allow-Credentials", "").Field("Vary", "")
		}, needs(spec.FeatEcho))
	c.ref("41", "no CORS headers by default", "Without a CORS configuration no origin is allowed.",
		func(t *probe.T) {
			t.Get("/eio-slow/?EIO=4&transport=polling", wire.Field{Name: "Origin", Value: "http://example.com"}).Field("Access-Control-Allow-Origin", "")
		}, needs(spec.FeatLongPing))
	c.ref("42", "cookie where it is configured", "The session cookie is set by the first answer only, HttpOnly, for the whole site, SameSite=Lax.",
		func(t *probe.T) {
			p := t.Get("/eio-cookie/?EIO=4&transport=polling").Status(200)
			sid := t.Match("open packet", opened, p.Packets()[0])["sid"]
			p.Field("Set-Cookie", "io="+sid+"; Path=/; HttpOnly; SameSite=Lax")
			t.Post("/eio-cookie/?EIO=4&transport=polling&sid="+sid, "4x").Field("Set-Cookie", "")
		}, needs(spec.FeatOptions))
	c.ref("43", "no cookie by default", "Without configuration no cookie is set.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling").Field("Set-Cookie", "") })
	c.quirk("59", "a control byte in the Origin header", "Such a request is refused with status 400.",
		func(t *probe.T) {
			t.Get("/engine.io/?EIO=4&transport=polling", wire.Field{Name: "Origin", Value: "http://a\x01b"}).Status(400)
		})
	c.ref("62", "a compressed poll", "Above the threshold a poll is compressed for a client that accepts gzip.",
		func(t *probe.T) {
			p := t.Polling("/eio-gzip/")
			text := "4" + strings.Repeat("a", 200)
			p.Send(text)
			a := t.Get(p.URL, wire.Field{Name: "Accept-Encoding", Value: "gzip"}).Status(200).Field("Content-Encoding", "gzip")
			r, err := gzip.NewReader(bytes.NewReader(a.Body))
			t.Check(err == nil, "the body is no gzip stream: %v", err)
			plain, err := io.ReadAll(r)
			t.Check(err == nil && string(plain) == text, "the body inflates to %q (%v)", plain, err)
		}, needs(spec.FeatOptions))
	c.ref("63", "no compression unasked", "A poll is not compressed for a client that does not accept it.",
		func(t *probe.T) {
			p := t.Polling("/eio-gzip/")
			p.Send("4" + strings.Repeat("a", 200))
			a := p.Get().Is(200, "4"+strings.Repeat("a", 200)).Field("Content-Encoding", "")
			probe.Equal(t, "length", 201, len(a.Body))
		}, needs(spec.FeatOptions))
	c.quirk("64", "a browser from long ago", "Internet Explorer is told not to look for scripts.",
		func(t *probe.T) {
			t.Get("/engine.io/?EIO=4&transport=polling", wire.Field{Name: "User-Agent", Value: "Mozilla/4.0 (compatible;MSIE 8.0)"}).Field("X-XSS-Protection", "0")
		})
	c.quirk("65", "JSONP", "With the parameter j the answer is a script that hands the payload over.",
		func(t *probe.T) {
			body := string(get(t, "EIO=4&transport=polling&j=0").Status(200).Media("text/plain").Body)
			t.Check(strings.HasPrefix(body, `___eio[0]("0{\"sid\":\"`) && strings.HasSuffix(body, `}");`), "the answer is %s", body)
		})
	return c.cases
}
