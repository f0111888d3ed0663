package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rs/cors"
	"github.com/siokit/siokit/engineio"
)

// engineConfig is that of the main paths.
func (s settings) engineConfig() engineio.Config {
	c := engineio.Config{
		PingInterval:   s.pingInterval,
		PingTimeout:    s.pingTimeout,
		UpgradeTimeout: s.upgradeTimeout,
		MaxPayload:     s.maxPayload,
		CORS:           &cors.Options{AllowedOrigins: list(s.origins)},
		Connect:        deny,
	}
	for _, name := range list(s.transports) {
		switch name {
		case "polling":
			c.Transports = append(c.Transports, engineio.Polling{NoCompression: !s.compression})
		case "websocket":
			ws := engineio.WebSocket{}
			if s.compression {
				ws.Compression = &engineio.Deflate{}
			}
			c.Transports = append(c.Transports, ws)
		}
	}
	if s.load { // the defaults, which other servers are measured with too
		c.CORS, c.Connect = nil, nil
	}
	return c
}

// list is a comma list's elements.
func list(text string) []string {
	elements := strings.Split(text, ",")
	for i, e := range elements {
		elements[i] = strings.TrimSpace(e)
	}
	return elements
}

// deny refuses requests that ask for it: ?deny=message.
func deny(r *http.Request) (context.Context, error) {
	if q := r.URL.Query(); q.Has("deny") {
		return nil, errors.New(q.Get("deny"))
	}
	return nil, nil
}

// addEngines adds /engine.io/ and its variants: the features limits, longping,
// options and servercmd.
func (f *fixture) addEngines() error {
	const long = 25 * time.Second
	for _, variant := range []struct {
		name    string
		handler engineio.Handler
		change  func(*engineio.Config)
	}{
		{"engine.io", echo{}, func(c *engineio.Config) {}},
		{"eio-small", echo{}, func(c *engineio.Config) { c.MaxPayload, c.PingInterval = 100, long }},
		{"eio-slow", echo{}, func(c *engineio.Config) {
			c.PingInterval, c.PingTimeout, c.UpgradeTimeout = long, 20*time.Second, 300*time.Millisecond
			c.CORS = nil
		}},
		{"eio-ws", echo{}, func(c *engineio.Config) { c.Transports = []engineio.Transport{engineio.WebSocket{}} }},
		{"eio-polling", echo{}, func(c *engineio.Config) { c.Transports = []engineio.Transport{engineio.Polling{}} }},
		{"eio-noup", echo{}, func(c *engineio.Config) { c.NoUpgrades = true }},
		{"eio-cookie", echo{}, func(c *engineio.Config) { c.Cookie = &http.Cookie{} }},
		{"eio-init", echo{}, func(c *engineio.Config) {
			hello := engineio.Text("hello")
			c.InitialPacket = &hello
		}},
		{"eio-gzip", echo{}, func(c *engineio.Config) {
			c.PingInterval = long
			c.Transports = []engineio.Transport{
				engineio.Polling{CompressionThreshold: 10},
				engineio.WebSocket{Compression: &engineio.Deflate{Threshold: 10}},
			}
		}},
		{"eio-v3", echo{}, func(c *engineio.Config) { c.AllowEIO3 = true }},
		{"eio-cmd", commands{}, func(c *engineio.Config) {}},
	} {
		config := f.settings.engineConfig()
		config.Path = "/" + variant.name + "/"
		variant.change(&config)
		server, err := engineio.NewServer(config)
		if err != nil {
			return err
		}
		if err := server.Handle(variant.handler); err != nil {
			return err
		}
		f.handlers[config.Path] = server
		f.closers = append(f.closers, server.Shutdown)
	}
	return nil
}

// echo sends every message back as what it was, text or binary.
type echo struct{}

func (echo) Open(*engineio.Session) error { return nil }

func (echo) Message(s *engineio.Session, m engineio.Message) {
	s.Send(m)
}

func (echo) Close(*engineio.Session, engineio.Reason, error) {}

// commands is the feature servercmd: an echo that obeys some words.
type commands struct{ echo }

func (c commands) Message(s *engineio.Session, m engineio.Message) {
	text := string(m.Data)
	if m.Binary {
		text = ""
	}
	if count, ok := strings.CutPrefix(text, "burst "); ok {
		if n, err := strconv.Atoi(count); err == nil {
			for i := range n {
				s.Send(engineio.Text("b" + strconv.Itoa(i)))
			}
			return
		}
	}
	switch text {
	case "close":
		s.Close()
	case "discard":
		s.Discard()
	case "mixed":
		s.Send(engineio.Text("t"), engineio.Binary([]byte{1, 2, 3}), engineio.Text("é€😀"))
	case "empty":
		s.Send(engineio.Text(""))
	default:
		c.echo.Message(s, m)
	}
}
