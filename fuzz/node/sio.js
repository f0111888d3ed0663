"use strict";
// The reference's Socket.IO parser. A message is {t} (text) or {b} (binary), both
// base64. Values travel as JSON text in which {"\0bytes": base64} is a Buffer.

const { isDeepStrictEqual } = require("util");
const { Decoder, Encoder } = require("socket.io-parser");
const { serve } = require("./peer");

const bytesKey = "\0bytes";
const bytes = (text) => Buffer.from(text ?? "", "base64");

function pack(message) {
  return typeof message === "string" ? { t: Buffer.from(message, "utf8").toString("base64") } : { b: message.toString("base64") };
}

function unpack({ t, b }) {
  return t === undefined ? bytes(b) : bytes(t).toString("utf8");
}

// A copy of a value with Buffers replaced. Keys are defined, not assigned, so
// that "__proto__" stays a key.
function tag(value) {
  if (Buffer.isBuffer(value)) return { [bytesKey]: value.toString("base64") };
  if (Array.isArray(value)) return value.map(tag);
  if (typeof value !== "object" || value === null) return value;
  const copy = {};
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, { value: tag(value[key]), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function untag(key, value) {
  return value !== null && typeof value === "object" && Object.hasOwn(value, bytesKey) ? bytes(value[bytesKey]) : value;
}

// An acknowledgement without an array is one without arguments.
function withArray(packet) {
  return packet.type === 3 && packet.data === undefined ? { ...packet, data: [] } : packet;
}

// The packets in a row of messages, up to the first that is refused.
function decode(messages) {
  const packets = [];
  const decoder = new Decoder();
  decoder.on("decoded", (packet) => packets.push(packet));
  try {
    for (const message of messages) decoder.add(unpack(message));
  } catch (e) {
    return { packets, error: String((e && e.message) || e) };
  }
  return { packets };
}

serve({
  // messages → the packets in them; relayed, what the other side made of the
  // same packets, must hold the same.
  decode({ messages, relayed }) {
    const { packets, error } = decode(messages);
    const copies = packets.map(tag); // before anything else touches them
    const result = { error, packets: [] };
    if (relayed !== null) {
      const other = decode(relayed);
      result.same = other.error === undefined && isDeepStrictEqual(other.packets.map(tag).map(withArray), copies.slice(0, other.packets.length).map(withArray));
      result.relayed = other.packets.length;
    }
    copies.forEach((copy, i) => {
      result.packets.push({
        type: copy.type,
        nsp: copy.nsp,
        id: copy.id,
        data: copy.data === undefined ? undefined : JSON.stringify(copy.data),
        messages: new Encoder().encode(packets[i]).map(pack),
      });
    });
    return result;
  },

  // A packet with data as JSON text → its messages.
  encode({ type, nsp, id, data }) {
    return new Encoder().encode({ type, nsp, id, data: JSON.parse(data, untag) }).map(pack);
  },
});
