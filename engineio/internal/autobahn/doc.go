// Package autobahn holds nothing but tests: every case that the Autobahn suite
// (crossbario/autobahn-testsuite, the fuzzingclient) has for an echoing WebSocket
// server, groups 1 to 7, 9, 10, 12 and 13, as a table with the suite's ids, run
// against a session of engineio.
//
// An Engine.IO server is an echo server after its handshake: a binary message
// comes back as it is, a text message is a packet of type message, so a 4 goes
// before its text. Waits of the suite are left out where the answer can be waited
// for instead; where it accepts several answers (NON-STRICT, INFORMATIONAL) the
// table has the one that this server gives.
//
// Groups 12 and 13 send fewer messages than the suite, unless the flag
// -suite is given.
package autobahn
