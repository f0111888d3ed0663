package main

import (
	"flag"
	"time"
)

// settings are the command line.
type settings struct {
	addr, pprof     string
	pingInterval    time.Duration
	pingTimeout     time.Duration
	connectTimeout  time.Duration
	upgradeTimeout  time.Duration
	recovery        time.Duration
	maxPayload      int64
	compression     bool
	cleanup         bool
	quiet, load     bool
	origins         string
	transports      string
	adapter, busURL string
	client          string
}

// parseSettings reads args; a mistake ends the process as flags says.
func parseSettings(flags *flag.FlagSet, args []string) settings {
	var s settings
	flags.StringVar(&s.addr, "addr", "127.0.0.1:3000", "`address` to listen on")
	flags.DurationVar(&s.pingInterval, "ping-interval", 300*time.Millisecond, "time between two pings")
	flags.DurationVar(&s.pingTimeout, "ping-timeout", 200*time.Millisecond, "time for the answer to a ping")
	flags.DurationVar(&s.connectTimeout, "connect-timeout", time.Second, "time to join a namespace")
	flags.DurationVar(&s.upgradeTimeout, "upgrade-timeout", time.Second, "time for an upgrade")
	flags.Int64Var(&s.maxPayload, "max-payload", 1_000_000, "`bytes` of the largest message")
	flags.DurationVar(&s.recovery, "recovery", 0, "how long a client may be away and recover its session; 0 is never")
	flags.BoolVar(&s.compression, "compression", false, "compress on both transports")
	flags.StringVar(&s.origins, "origins", "*", "comma `list` of origins whose pages may connect; * is any")
	flags.StringVar(&s.transports, "transports", "polling,websocket", "comma `list`")
	flags.BoolVar(&s.cleanup, "cleanup-empty-namespaces", true, "remove dynamic namespaces when the last socket has left")
	flags.StringVar(&s.adapter, "adapter", "memory", "`name` of the adapter of /socket.io/: memory, redispubsub, redisstreams, postgres or nats")
	flags.StringVar(&s.busURL, "adapter-url", "", "`URL` of the adapter's bus; the default is the usual port of this machine")
	flags.StringVar(&s.client, "client", "", "`folder` of the official client's code for browsers, to be served below /socket.io/")
	flags.StringVar(&s.pprof, "pprof", "", "`address` for net/http/pprof")
	flags.BoolVar(&s.quiet, "quiet", false, "log nothing")
	flags.BoolVar(&s.load, "load", false, "for measuring: the events of load.go only, pings of 25 s and 20 s, no recovery")
	flags.Parse(args)
	if s.load {
		s.pingInterval, s.pingTimeout, s.recovery = 25*time.Second, 20*time.Second, 0
		s.connectTimeout = max(s.connectTimeout, 45*time.Second) // thousands may come at once
	}
	return s
}
