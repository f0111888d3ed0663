// Package clients tests our servers with the clients that everybody uses: the
// official JavaScript ones in Node, and the chat page in Chromium. It holds
// nothing but tests.
//
// A scenario (scripts/*.mjs) is a conversation of a client with the fixture
// that tools/cmd/refserver serves. Each runs over long-polling, over WebSocket,
// and upgrading from one to the other; and it runs against npm's own server
// too (reference/server.mjs), as a control: a scenario must be right before it
// accuses us. run.mjs is the runner, and works by hand:
//
//	go run ./cmd/refserver -addr 127.0.0.1:3000
//	node clients/scripts/run.mjs --url http://127.0.0.1:3000 --mode upgrade --only rooms
//
// The scenarios of our own client, socketio/client, run the other way round:
// against npm's server, and against ours.
//
// python-socketio, as Debian has it, holds the conversations of
// scripts/session.py, which are the same as far as it knows what they need.
//
// The tests need Node.js, the packages of tools/node (npm ci --prefix
// tools/node), Debian's python3-socketio, and Chromium; `make test` installs what
// is missing.
package clients
