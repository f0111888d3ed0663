"use strict";
// Times the reference's parsers on messages that the other side is timed on too.
// The answer is nanoseconds an operation in the fastest of some rounds.

const eio = require("engine.io-parser");
const { Decoder, Encoder } = require("socket.io-parser");
const { serve, time } = require("./peer");

let kept; // what the last operation made, so that none is optimised away

function unpack({ t, b }) {
  return t === undefined ? Buffer.from(b, "base64") : Buffer.from(t, "base64").toString("utf8");
}

function decoder() {
  const d = new Decoder();
  d.on("decoded", (packet) => (kept = packet));
  return d;
}

// Each makes, of messages, the operation to be timed.
const operations = {
  decode(messages) {
    const d = decoder();
    return () => {
      for (const message of messages) d.add(message);
    };
  },
  encode(messages) {
    const d = decoder();
    for (const message of messages) d.add(message);
    const packet = kept;
    const encoder = new Encoder();
    return () => (kept = encoder.encode({ type: packet.type, nsp: packet.nsp, data: packet.data }));
  },
  "engine decode": ([message]) => () => (kept = eio.decodePacket(message)),
  "engine encode"([message]) {
    const packet = eio.decodePacket(message);
    return () => eio.encodePacket(packet, true, (text) => (kept = text));
  },
  "payload decode": ([message]) => () => (kept = eio.decodePayload(message)),
  "payload encode"([message]) {
    const packets = eio.decodePayload(message);
    return () => eio.encodePayload(packets, (text) => (kept = text));
  },
};

serve({
  time: ({ op, messages, rounds, milliseconds }) => ({ ns: time(operations[op](messages.map(unpack)), rounds, milliseconds) }),
});
