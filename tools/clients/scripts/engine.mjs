import { equal, once, require, scenario, within } from "./scenario.mjs";

// The Engine.IO layer alone, with engine.io-client.
const { Socket } = require("engine.io-client");
const clients = [4];

function engine(t, path = "/engine.io/", options = {}) {
  const { url = t.url, ...rest } = options;
  const socket = new Socket(url, { path, transports: t.transports, ...rest });
  socket.binaryType = "nodebuffer";
  t.defer(() => socket.close());
  return socket;
}

async function open(t, path, options) {
  const socket = engine(t, path, options);
  const upgraded = t.mode === "upgrade" && once(socket, "upgrade");
  await once(socket, "open");
  await upgraded;
  return socket;
}

function echoes(socket, n) {
  const got = [];
  return within(new Promise((resolve) => socket.on("message", (data) => got.push(data) === n && resolve(got))), `${n} messages`);
}

scenario("engine: text and binary come back as what they were", { clients }, async (t) => {
  const socket = await open(t);
  const sent = ["", "hello", "é€😀", Buffer.from([1, 2, 3]), "bAQID", Buffer.alloc(0), "6", Buffer.from("text")];
  const back = echoes(socket, sent.length);
  for (const data of sent) socket.send(data);
  const got = await back;
  const shown = sent.map((data) => (data === "" ? undefined : data)); // as this client shows an empty text
  equal(got, shown);
  equal(got.map((data) => typeof data), shown.map((data) => typeof data));
});

scenario("engine: thousands in order", { clients }, async (t) => {
  const socket = await open(t);
  const back = echoes(socket, 3000);
  for (let i = 0; i < 3000; i++) socket.send(String(i));
  equal(await back, [...Array(3000).keys()].map(String));
});

scenario("engine: the connection outlives several heartbeats", { clients }, async (t) => {
  const socket = await open(t);
  let closed = false;
  socket.on("close", () => { closed = true; });
  for (let beats = 0; beats < 2; beats++) await once(socket, "heartbeat");
  const back = echoes(socket, 1);
  socket.send("alive");
  equal([await back, closed], [["alive"], false]);
});

scenario("engine: in order while the upgrade happens", { clients, modes: ["upgrade"] }, async (t) => {
  for (let round = 0; round < 5; round++) {
    const socket = engine(t);
    const back = echoes(socket, 1000);
    await once(socket, "open");
    let sent = 0;
    const step = () => {
      for (let i = 0; i < 10; i++) socket.send(String(sent++));
      if (sent < 1000) setImmediate(step);
    };
    step();
    equal(await back, [...Array(1000).keys()].map(String));
    socket.close();
  }
});

scenario("engine: the server closes", { clients, needs: "servercmd" }, async (t) => {
  const socket = await open(t, "/eio-cmd/");
  const closed = once(socket, "close");
  socket.send("close");
  equal((await closed)[0], "transport close");
});

scenario("engine: the server discards", { clients, modes: ["websocket", "upgrade"], needs: "servercmd" }, async (t) => {
  const socket = await open(t, "/eio-cmd/");
  const closed = once(socket, "close");
  socket.send("discard");
  equal((await closed)[0], "transport close");
});

// A discarded session is gone at once: the next poll finds it unknown.
scenario("engine: the server discards between two polls", { clients, modes: ["polling"], needs: "servercmd" }, async (t) => {
  const proxy = await t.proxy();
  const socket = await open(t, "/eio-cmd/", { url: proxy.url });
  const waits = Promise.all([proxy.hold(), once(socket, "drain")]);
  socket.send("answer the poll that waits");
  await waits;
  const [done, closed] = [once(socket, "drain"), once(socket, "close")];
  socket.send("discard");
  await done;
  proxy.release();
  equal((await closed)[0], "transport error");
});

scenario("engine: bursts, mixed kinds and an empty message", { clients, needs: "servercmd" }, async (t) => {
  const socket = await open(t, "/eio-cmd/");
  const back = echoes(socket, 504);
  socket.send("burst 500");
  socket.send("mixed");
  socket.send("empty");
  equal(await back, [...[...Array(500).keys()].map((i) => `b${i}`), "t", Buffer.from([1, 2, 3]), "é€😀", undefined]);
});

scenario("engine: a server without polling", { clients, modes: ["websocket"], needs: "options" }, async (t) => {
  const socket = await open(t, "/eio-ws/");
  const back = echoes(socket, 1);
  socket.send("x");
  equal(await back, ["x"]);
});

scenario("engine: a server without upgrades stays on polling", { clients, modes: ["polling"], needs: "options" }, async (t) => {
  for (const path of ["/eio-noup/", "/eio-polling/"]) {
    const socket = engine(t, path, { transports: ["polling", "websocket"] });
    const [, handshake] = await Promise.all([once(socket, "open"), once(socket, "handshake")]);
    equal(handshake[0].upgrades, []);
    const back = echoes(socket, 1);
    socket.send("x");
    equal([await back, socket.transport.name], [["x"], "polling"]);
  }
});

scenario("engine: the initial packet", { clients, needs: "options" }, async (t) => {
  const socket = engine(t, "/eio-init/");
  equal((await once(socket, "message"))[0], "hello");
});

scenario("engine: compression", { clients, needs: "options" }, async (t) => {
  const socket = await open(t, "/eio-gzip/", { perMessageDeflate: { threshold: 10 } });
  const text = "compress me, ".repeat(2000);
  const back = echoes(socket, 2);
  socket.send(text);
  socket.send(Buffer.from(text));
  equal(await back, [text, Buffer.from(text)]);
});

scenario("engine: the limit is announced", { clients, modes: ["polling", "websocket"], needs: "limits" }, async (t) => {
  const socket = engine(t, "/eio-small/");
  const [handshake] = await once(socket, "handshake");
  equal([handshake.maxPayload, handshake.pingInterval], [100, 25_000]);
});

scenario("engine: what is sent stays under the announced limit", { clients, needs: "limits" }, async (t) => {
  const socket = await open(t, "/eio-small/");
  const back = echoes(socket, 50);
  for (let i = 0; i < 50; i++) socket.send(`message number ${i}`);
  equal(await back, [...Array(50).keys()].map((i) => `message number ${i}`));
});

scenario("engine: a message over the announced limit ends the session", { clients, needs: "limits" }, async (t) => {
  const socket = await open(t, "/eio-small/");
  const closed = once(socket, "close");
  socket.send("x".repeat(100)); // and its type
  equal((await closed)[0], t.mode === "polling" ? "transport error" : "transport close");
});

scenario("engine: refused by the request", { clients, needs: "options", modes: ["polling"] }, async (t) => {
  const socket = engine(t, "/engine.io/", { query: { deny: "no" } });
  const [error] = await once(socket, "error");
  equal([error.description ?? error.context?.status, error.type], [403, "TransportError"]);
});
