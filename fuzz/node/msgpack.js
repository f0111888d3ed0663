"use strict";
// The reference's MessagePack parser: socket.io-msgpack-parser and the notepack.io
// that it stands on. Values travel as JSON text with placeholders and their
// attachments, in base64.

const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const { createRequire } = require("module");
const notepack = createRequire(require.resolve("socket.io-msgpack-parser"))("notepack.io");
const { types } = require("util");
const { serve } = require("./peer");

const bytes = (text) => Buffer.from(text ?? "", "base64"); // null is an empty []byte

// The value as JSON text, with buffers replaced by placeholders. What only has a
// buffer or a Date as its prototype, by a key __proto__, is an object.
function toJSON(value) {
  const attachments = [];
  const walk = (v) => {
    if (v === undefined) return null;
    if (types.isArrayBuffer(v)) v = Buffer.from(v);
    if (types.isUint8Array(v)) {
      attachments.push(v.toString("base64"));
      return { _placeholder: true, num: attachments.length - 1 };
    }
    if (types.isDate(v)) return v.toJSON();
    if (Array.isArray(v)) return Array.from(v, walk);
    if (v !== null && typeof v === "object") return Object.fromEntries(Object.keys(v).map((k) => [k, walk(v[k])]));
    return v;
  };
  return { json: JSON.stringify(walk(value)), attachments };
}

function fromJSON({ json, attachments }) {
  const walk = (v) => {
    if (v === null || typeof v !== "object") return v;
    if (v._placeholder === true) return bytes(attachments[v.num]);
    if (Array.isArray(v)) return v.map(walk);
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, walk(x)]));
  };
  return walk(JSON.parse(json));
}

function decode(message) {
  let packet;
  const decoder = new Decoder();
  decoder.on("decoded", (p) => (packet = p));
  decoder.add(bytes(message));
  return packet;
}

serve({
  // A message to {type, nsp, id, data}, id and data only if there are any.
  decode: (message) => {
    const { type, nsp, id, data } = decode(message);
    const result = { type, nsp, ...toJSON(data) };
    if (id !== undefined) result.id = id;
    if (data === undefined) delete result.json;
    return result;
  },
  // {type, nsp, id?, json?, attachments?} to a message, with the keys in the
  // order in which the reference's server has them.
  encode: (c) => {
    const packet = {};
    const data = c.json === undefined ? undefined : fromJSON(c);
    if (c.type === 3 && c.id !== undefined) packet.id = c.id;
    packet.type = c.type;
    if (c.type === 4) packet.nsp = c.nsp;
    if (data !== undefined) packet.data = data;
    if (c.type !== 3 && c.type !== 4 && c.id !== undefined) packet.id = c.id;
    if (c.type !== 4) packet.nsp = c.nsp;
    return new Encoder().encode(packet)[0].toString("base64");
  },
  // An array as JSON text with attachments to MessagePack.
  encodeArgs: (c) => notepack.encode(fromJSON(c)).toString("base64"),
  decodeArgs: (message) => toJSON(notepack.decode(bytes(message))),
});
