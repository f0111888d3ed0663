import { ask, collect, equal, once, record, scenario, settle } from "./scenario.mjs";

const kinds = {
  "no argument": [],
  "null, booleans": [null, true, false],
  "numbers": [0, -1, 1.5, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740991, -9007199254740991],
  "strings": ["", "a", "with \"quotes\", \\ and / and \n\t\r\b\f\u0000\u001f\u007f\u2028\u2029"],
  "arrays": [[], [[]], [null], [1, [2, [3, [4]]]]],
  "objects": [{}, { "": 1 }, { b: 1, a: 2 }, { nested: { deep: { er: [{ x: null }] } } }, { constructor: 1, toString: 2 }],
  "unicode": ["é€😀", "日本語", "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}", "e\u0301", "\uFEFF", { "ключ": "значение" }],
  "lone surrogates": ["\ud83d", "\ude00a", "x\udfff"],
  "looks like a placeholder": [{ _placeholder: true, num: 0 }, { _placeholder: false }],
  "looks like the protocol": ["42[\"x\"]", "b64", "451-[]", "/custom,", "2probe", { event: "message" }],
  "twenty arguments": [...Array(20).keys()],
};

for (const [kind, args] of Object.entries(kinds)) {
  scenario(`events: ${kind}`, { clients: [2, 3, 4] }, async (t) => {
    const socket = await t.connect();
    const back = once(socket, "message-back");
    socket.emit("message", ...args);
    equal(await back, args);
    equal(await ask(socket, "message-with-ack", ...args), args);
  });
}

scenario("events: undefined, dates and toJSON become what JSON makes of them", {}, async (t) => {
  const socket = await t.connect();
  const reply = await ask(socket, "message-with-ack", undefined, new Date(0), { toJSON: () => "own" }, { gone: undefined }, NaN);
  equal(reply, [null, "1970-01-01T00:00:00.000Z", "own", {}, null]);
});

scenario("events: undefined and null from the server are null", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  const got = once(socket, "u");
  socket.emit("emit-undefined");
  equal(await got, [null, null]);
});

scenario("events: half a megabyte of text", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  const text = "é€😀a".repeat(50_000);
  equal((await ask(socket, "message-with-ack", text))[0] === text, true);
});

scenario("events: deep nesting", {}, async (t) => {
  const socket = await t.connect();
  let deep = 1;
  for (let i = 0; i < 400; i++) deep = i % 2 ? [deep] : { d: deep };
  equal(await ask(socket, "message-with-ack", deep), [deep]);
});

scenario("events: a thousand from the client keep their order", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  const back = collect(socket, "message-back", 1000);
  for (let i = 0; i < 1000; i++) socket.emit("message", i);
  equal(await back, [...Array(1000).keys()]);
});

scenario("events: a thousand from the server keep their order", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  const got = collect(socket, "b", 1000);
  socket.emit("burst", 1000);
  equal(await got, [...Array(1000).keys()]);
});

scenario("events: names that mean something to JavaScript", {}, async (t) => {
  const socket = await t.connect();
  for (const name of ["__proto__", "hasOwnProperty", "toString", "", "é€😀", "error"]) socket.emit(name, 1);
  equal(await ask(socket, "message-with-ack", "alive"), ["alive"]);
});

scenario("events: an unknown event is ignored, also with an acknowledgement", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  let answered = false;
  socket.emit("nobody listens", 1, () => { answered = true; });
  await settle(socket);
  equal(answered, false);
});

scenario("events: catch-all listeners of the client see them", { clients: [3, 4] }, async (t) => {
  const socket = await t.connect();
  const any = new Promise((resolve) => socket.onAny((...args) => args[0] === "message-back" && resolve(args)));
  socket.emit("message", 1, { a: 2 });
  equal(await any, ["message-back", 1, { a: 2 }]);
});

scenario("events: volatile ones arrive when the way is free", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  await settle(socket);
  const got = record(socket, "x:v");
  // One at a time: polling drops them while no request is waiting.
  for (let tries = 0; got.length === 0 && tries < 50; tries++) {
    socket.emit("x:volatile", 1);
    await settle(socket);
  }
  equal(got.length > 0, true, "a volatile event");
});

scenario("events: volatile ones of a client that is not connected are dropped", {}, async (t) => {
  const socket = t.socket();
  const got = record(socket, "message-back");
  (socket.volatile ?? socket).emit("message", "dropped");
  socket.emit("message", "kept");
  await once(socket, "connect");
  await settle(socket);
  equal(got, [["kept"]]);
});
