// Package eio3 reads and writes revision 3 of the Engine.IO protocol, which the
// clients of Socket.IO 2 speak. It differs from revision 4, the package above,
// in these points:
//
//   - a binary frame begins with the packet's type, one byte of 0 to 6, and a
//     binary packet in text form with b and the type's digit;
//   - the packets of a payload have lengths before them instead of separators
//     between them, counted in UTF-16 code units, since the clients are written
//     in JavaScript;
//   - a payload that holds a binary packet may itself be binary, unless the
//     client asked for text (query parameter b64=1, and always with JSONP);
//   - the client sends the pings.
//
// Packet, its types and the errors are those of eioparser, as are the handshake
// and, in package jsonp, the bodies of JSONP requests. Ownership follows the
// same rule: decoded data aliases the input, except for bytes that came as
// base64. All functions are safe for concurrent use and panic on no input.
package eio3
