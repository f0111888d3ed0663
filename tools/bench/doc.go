// Command bench measures what a message costs a server: the CPU time (user and
// system) of the server process for each message, as a ratio to a bare
// gorilla/websocket server that carries the same bytes in the same run.
//
//	go run ./tools/bench                     every case, raw and ours
//	go run ./tools/bench -servers raw,siokit,node -reps 3
//	go run ./tools/bench -cases 'echo-32|idle'
//
// Each repetition starts a fresh process of each server in turn, so that a
// drift of the machine falls on all of them alike; the table shows medians.
// CPU time is read from the process's own CPU clock, which includes the system
// calls that it made. The load generator runs in this process; where it, and
// not the server, was the bottleneck, the throughput column says little and
// the CPU column still holds.
package main
