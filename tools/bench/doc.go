// Command bench measures what a message costs a server: the CPU time (user and
// system) of the server process for each message, as a ratio to a bare
// gorilla/websocket server that carries the same bytes in the same run.
//
//	go run ./tools/bench                     every case, raw and ours
//	go run ./tools/bench -servers raw,siokit,node -reps 3
//	go run ./tools/bench -cases 'echo-32|idle'
//
// Other commands put one server of this project under stress and print what
// happened; the flags' defaults are short runs:
//
//	go run ./tools/bench idle       goroutines and memory of 10,000 idle sessions
//	go run ./tools/bench soak       loss, order, latency, memory over time
//	go run ./tools/bench churn      1,000 clients a second that come and go, 30 % reset
//	go run ./tools/bench stalled    broadcasts beside one member that does not read
//	go run ./tools/bench network    latency, loss of connections, slices of a byte, a narrow line
//
// Each repetition starts a fresh process of each server in turn, so that a
// drift of the machine falls on all of them alike; the table shows medians.
// CPU time is read from the process's own CPU clock, which includes the system
// calls that it made. The load generator runs in this process; where it, and
// not the server, was the bottleneck, the throughput column says little and
// the CPU column still holds.
package main
