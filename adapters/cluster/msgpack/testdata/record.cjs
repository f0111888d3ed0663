// Writes messages as official adapters do when they contain binary, one a line:
// a name, the library that has encoded it, and its bytes in hex.
// NODE_PATH=…/node_modules node record.cjs > binary.tsv
const notepack = require("notepack.io");
const { version } = require("notepack.io/package.json");
const record = (name, message) =>
  console.log([name, `notepack.io ${version}`, notepack.encode(message).toString("hex")].join("\t"));
const from = { uid: "0123456789abcdef", nsp: "/chat" };
const opts = { rooms: ["red"], except: [], flags: { compress: false } };
record("broadcast", {
  type: 3,
  data: { packet: { type: 2, data: ["picture", { png: Buffer.from([0x89, 0x50]), size: 2.5 }, Buffer.from([]), null] }, opts },
  ...from,
});
record("acknowledgement", { type: 12, data: { requestId: "r1", packet: Buffer.from([1, 2, 3]) }, ...from });
record("server-side emit", { type: 9, data: { packet: ["load", [Buffer.from("x")], 9007199254740991] }, ...from });
record("heartbeat", { type: 2, ...from });
