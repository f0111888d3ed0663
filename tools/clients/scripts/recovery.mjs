import { ask, equal, once, record, scenario, settle } from "./scenario.mjs";

const needs = "recovery";
const clients = [4];
const options = { path: "/sio-csr/", reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50, randomizationFactor: 0 };

scenario("recovery: what was missed comes after the reconnection, once and in order", { needs, clients }, async (t) => {
  const proxy = await t.proxy();
  const [socket, other] = [await t.connect("/", { ...options, url: proxy.url }), await t.connect("/", { path: "/sio-csr/" })];
  const { id } = socket;
  await ask(socket, "join", "r");
  const got = record(socket, "x");
  other.emit("to", "r", "x", 0);
  await settle(other, socket);
  socket.io.reconnectionDelay(200);
  socket.io.reconnectionDelayMax(200);
  await proxy.cut(socket);
  for (let i = 1; i <= 5; i++) other.emit(i % 2 ? "to" : "broadcast", ...(i % 2 ? ["r"] : []), "x", i);
  await settle(other);
  await once(socket, "connect");
  await settle(socket);
  equal([socket.recovered, socket.id], [true, id]);
  equal(got.map(([value]) => value), [0, 1, 2, 3, 4, 5]);
  equal(await ask(socket, "recovered"), [true]);
});

scenario("recovery: not after leaving on purpose", { needs, clients }, async (t) => {
  const socket = await t.connect("/", options);
  await settle(socket);
  const { id } = socket;
  socket.disconnect();
  socket.connect();
  await once(socket, "connect");
  equal([socket.recovered, socket.id === id], [false, false]);
});
