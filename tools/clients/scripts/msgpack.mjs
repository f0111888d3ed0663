import { ask, collect, equal, once, record, require, scenario, settle } from "./scenario.mjs";

// The MessagePack parser on both sides: one binary message a packet.
const parser = require("socket.io-msgpack-parser");
const options = { needs: "msgpack", clients: [4] };
const packed = { path: "/sio-msgpack/", parser };

scenario("msgpack: every kind of value", options, async (t) => {
  const socket = await t.connect("/", packed);
  const args = [null, true, 0, -1, 127, 128, 65536, 4294967296, -2147483649, 9007199254740991, 1.5, "", "é€😀",
    [], [[1]], {}, { a: { b: [null] } }, "x".repeat(70_000)];
  equal(await ask(socket, "message-with-ack", ...args), args);
  const back = once(socket, "message-back");
  socket.emit("message", ...args);
  equal(await back, args);
});

scenario("msgpack: binary", options, async (t) => {
  const socket = await t.connect("/", packed);
  const args = [Buffer.from([1, 2, 3]), { nested: [Buffer.from([4]), { x: Buffer.alloc(0) }] }, "text", Buffer.alloc(70_000, 7)];
  equal(await ask(socket, "message-with-ack", ...args), args);
});

scenario("msgpack: acknowledgements both ways", options, async (t) => {
  const socket = await t.connect("/", packed);
  socket.on("x:question", (value, ack) => ack(value * 6));
  equal(await ask(socket, "x:ask"), [42]);
});

scenario("msgpack: rooms and order", options, async (t) => {
  const [a, b] = [await t.connect("/", packed), await t.connect("/", packed)];
  const got = record(b, "x");
  await ask(b, "join", "r");
  for (let i = 0; i < 100; i++) a.emit("to", "r", "x", i, { i });
  await settle(a, b);
  equal(got, [...Array(100).keys()].map((i) => [i, { i }]));
  const burst = collect(a, "b", 200);
  a.emit("burst", 200);
  equal(await burst, [...Array(200).keys()]);
});

scenario("msgpack: refusals and disconnects", options, async (t) => {
  const [error] = await once(t.socket("/auth-fail", packed), "connect_error");
  equal([error.message, error.data], ["not authorized", { code: 401, content: "please retry" }]);
  const socket = await t.connect("/", packed);
  const gone = once(socket, "disconnect");
  socket.emit("disconnect-me");
  equal((await gone)[0], "io server disconnect");
});
