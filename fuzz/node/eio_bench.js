"use strict";
// Times the reference's Engine.IO parsers on bodies that the other side is timed
// on too. Both begin and end with bytes, as a transport has them: text is made a
// JavaScript string first, as ws and engine.io do, and bytes again when encoded.

const path = require("path");
const v4 = require("engine.io-parser");
const { serve, time } = require("./peer");
const v3 = require(path.join(path.dirname(require.resolve("engine.io")), "parser-v3"));

let kept; // what the last operation made, so that none is optimised away
const keep = (value) => void (kept = value);

function packets3(body) {
  const packets = [];
  v3.decodePayload(body, (packet) => void packets.push(packet));
  return packets;
}

const keepBytes = (text) => keep(Buffer.from(text));

// Each makes, of a body in bytes, the operation to be timed.
const operations = {
  "packet decode": (body) => () => keep(v4.decodePacket(body.toString())),
  "packet encode": (body) => {
    const packet = v4.decodePacket(body.toString());
    return () => v4.encodePacket(packet, false, keepBytes);
  },
  "payload decode": (body) => () => keep(v4.decodePayload(body.toString())),
  "payload encode": (body) => {
    const packets = v4.decodePayload(body.toString());
    return () => v4.encodePayload(packets, keepBytes);
  },
  "payload3 decode": (body) => () => v3.decodePayload(body.toString(), keep),
  "payload3 encode": (body) => {
    const packets = packets3(body.toString());
    return () => v3.encodePayload(packets, false, keepBytes);
  },
  "binary3 decode": (body) => () => v3.decodePayloadAsBinary(body, keep),
  "binary3 encode": (body) => {
    const packets = packets3(body);
    return () => v3.encodePayloadAsBinary(packets, keep);
  },
};

serve({
  time: ({ op, body, rounds, milliseconds }) => ({ ns: time(operations[op](Buffer.from(body, "base64")), rounds, milliseconds) }),
});
