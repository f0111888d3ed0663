import { ask, equal, once, scenario } from "./scenario.mjs";

scenario("connection: connect, an id, and the transport that was asked for", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  equal(socket.connected, true);
  equal(socket.io.engine.transport.name, t.mode === "polling" ? "polling" : "websocket");
  const [id] = await ask(socket, "id");
  equal(id, socket.id);
});

scenario("connection: the Socket.IO id is not the Engine.IO id", {}, async (t) => {
  const socket = await t.connect();
  equal(socket.id === socket.io.engine.id, false);
  equal(socket.id.length, 20);
});

scenario("connection: auth as an object", {}, async (t) => {
  const socket = t.socket("/", { auth: { token: "abc", nested: { a: [1, null] } } });
  equal(await once(socket, "auth"), [{ token: "abc", nested: { a: [1, null] } }]);
});

scenario("connection: auth as a function", {}, async (t) => {
  const socket = t.socket("/", { auth: (done) => done({ token: "é€😀" }) });
  equal(await once(socket, "auth"), [{ token: "é€😀" }]);
});

scenario("connection: no auth is an empty object", {}, async (t) => {
  equal(await once(t.socket(), "auth"), [{}]);
});

scenario("connection: the handshake has the request's query and headers", { needs: "events" }, async (t) => {
  const socket = await t.connect("/", { query: { room: "a b&c" }, extraHeaders: { "X-Test": "1" }, auth: { k: "v" } });
  const [handshake] = await ask(socket, "handshake");
  equal(Object.keys(handshake).sort(), ["address", "auth", "headers", "issued", "query", "secure", "time", "url", "xdomain"]);
  equal(handshake.query.room, "a b&c");
  equal(handshake.query.EIO, "4");
  equal(handshake.query.transport, t.transports[0]);
  equal(handshake.headers["x-test"], "1");
  equal(handshake.headers.host, new URL(t.url).host);
  equal([handshake.secure, handshake.xdomain, typeof handshake.issued], [false, false, "number"]);
  equal(handshake.auth, { k: "v" });
  equal(handshake.address.replace("::ffff:", ""), "127.0.0.1");
});

scenario("connection: what is emitted before the connection stands arrives after it, in order", { clients: [2, 3, 4] }, async (t) => {
  const socket = t.socket();
  const got = [];
  socket.on("message-back", (value) => got.push(value));
  for (let i = 0; i < 20; i++) socket.emit("message", i);
  await once(socket, "connect");
  await ask(socket, "message-with-ack");
  equal(got, [...Array(20).keys()]);
});

scenario("connection: fifty sockets at once", {}, async (t) => {
  const sockets = await Promise.all([...Array(50)].map(() => t.connect()));
  equal(new Set(sockets.map((socket) => socket.id)).size, 50);
  const answers = await Promise.all(sockets.map((socket, i) => ask(socket, "message-with-ack", i)));
  equal(answers.map(([i]) => i), [...Array(50).keys()]);
});

scenario("connection: refused by the request, with its reason", { needs: "options", modes: ["polling"] }, async (t) => {
  const [error] = await once(t.socket("/", { query: { deny: "no" } }), "connect_error");
  equal(error.description ?? error.context?.status, 403);
});
