"use strict";
// Times the reference's MessagePack parser on messages that the other side is
// timed on too.

const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const { serve, time } = require("./peer");

let kept; // what the last operation made, so that none is optimised away

function decoder() {
  const d = new Decoder();
  d.on("decoded", (packet) => (kept = packet));
  return d;
}

const operations = {
  decode: (message) => {
    const d = decoder();
    return () => d.add(message);
  },
  encode: (message) => {
    decoder().add(message);
    const packet = kept;
    const encoder = new Encoder();
    return () => (kept = encoder.encode(packet));
  },
};

serve({
  time: ({ op, body, rounds, milliseconds }) => ({ ns: time(operations[op](Buffer.from(body, "base64")), rounds, milliseconds) }),
});
