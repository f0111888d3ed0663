"use strict";
// The reference's Engine.IO parsers: engine.io-parser (revision 4), and from
// engine.io its revision 3 and its JSONP bodies. A packet is {t, b, d}: the
// type's number, whether it is binary, its bytes in base64; t is -1 for a type
// that does not exist. {e: true} is a parser error, and the last of its list.

const path = require("path");
const v4 = require("engine.io-parser");
const { serve } = require("./peer");

const engine = path.dirname(require.resolve("engine.io"));
const v3 = require(path.join(engine, "parser-v3"));
const { Polling } = require(path.join(engine, "transports/polling"));
const { JSONP } = require(path.join(engine, "transports/polling-jsonp"));

const types = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
const bytes = (text) => Buffer.from(text ?? "", "base64"); // null is an empty []byte

function pack(packet) {
  if (packet.type === "error") return { e: true };
  const binary = Buffer.isBuffer(packet.data) || packet.data instanceof Uint8Array;
  const data = Buffer.from(packet.data === undefined ? "" : packet.data);
  return { t: types.indexOf(packet.type), b: binary, d: data.toString("base64") };
}

// Up to the first error, like everybody who uses the reference.
function list(packets) {
  const end = packets.findIndex((p) => p.type === "error");
  return (end < 0 ? packets : packets.slice(0, end + 1)).map(pack);
}

function unpack({ t, b, d }) {
  const data = bytes(d);
  return { type: types[t], data: b ? data : data.toString("utf8") };
}

const encoded = (data) => Buffer.from(data, "utf8").toString("base64");

function collect(decode, ...args) {
  const packets = [];
  decode(...args, (packet) => void packets.push(packet));
  return list(packets);
}

async function decodeStream({ chunks, limit }) {
  const stream = v4.createPacketDecoderStream(limit, "nodebuffer");
  const packets = [];
  const reading = (async () => {
    const reader = stream.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      packets.push(value);
    }
  })();
  const writer = stream.writable.getWriter();
  for (const chunk of chunks ?? []) writer.write(new Uint8Array(bytes(chunk)));
  await writer.close();
  await reading;
  return list(packets);
}

async function encodeStream(packets) {
  const stream = v4.createPacketEncoderStream();
  const parts = [];
  const reading = (async () => {
    const reader = stream.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parts.push(value);
    }
  })();
  const writer = stream.writable.getWriter();
  for (const packet of packets) writer.write(unpack(packet));
  await writer.close();
  await reading;
  return Buffer.concat(parts).toString("base64");
}

// What the JSONP transport hands to its base class is what it made of a request
// or an answer.
let captured;
Polling.prototype.onData = Polling.prototype.doWrite = (data) => void (captured = data);
const jsonp = new JSONP({ _query: { j: "7", EIO: "4" } });

serve({
  text: (frame) => list([v4.decodePacket(bytes(frame).toString("utf8"))]),
  payload: (body) => list(v4.decodePayload(bytes(body).toString("utf8"))),
  stream: decodeStream,
  encodeText: (packet) => {
    let text;
    v4.encodePacket(unpack(packet), false, (t) => (text = t));
    return encoded(text);
  },
  encodePayload: (packets) => {
    let text = "";
    v4.encodePayload(packets.map(unpack), (t) => (text = t));
    return encoded(text);
  },
  encodeStream,

  text3: (frame) => list([v3.decodePacket(bytes(frame).toString("utf8"))]),
  binary3: (frame) => list([v3.decodePacket(bytes(frame))]),
  payload3: (body) => collect(v3.decodePayload, bytes(body).toString("utf8")),
  binaryPayload3: (body) => collect(v3.decodePayloadAsBinary, bytes(body)),
  encodePayload3: (packets) => {
    let text;
    v3.encodePayload(packets.map(unpack), false, (t) => (text = t));
    return encoded(text);
  },
  encodeBinaryPayload3: (packets) => {
    let data;
    v3.encodePayloadAsBinary(packets.map(unpack), (d) => (data = d));
    return Buffer.from(data).toString("base64");
  },

  handshake: (data) => {
    const { sid, upgrades = [], pingInterval, pingTimeout, maxPayload = 0 } = JSON.parse(bytes(data).toString("utf8"));
    return encoded(JSON.stringify({ sid, upgrades, pingInterval, pingTimeout, maxPayload }));
  },
  jsonpBody: (body) => {
    captured = null;
    jsonp.onData(bytes(body).toString("utf8"));
    return captured === null ? null : encoded(captured);
  },
  jsonpAnswer: (payload) => {
    jsonp.doWrite(bytes(payload).toString("utf8"));
    return encoded(captured);
  },
});
