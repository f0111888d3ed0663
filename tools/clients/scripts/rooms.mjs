import { ask, equal, record, scenario, settle, until } from "./scenario.mjs";

const needs = "rooms";

async function three(t) {
  const sockets = [await t.connect(), await t.connect(), await t.connect()];
  const got = sockets.map((socket) => record(socket, "x"));
  const result = async () => { await settle(...sockets); return got.map((events) => events.splice(0)); };
  return { sockets, result };
}

scenario("rooms: a socket begins in the room of its id", { needs, clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  equal(await ask(socket, "join", "a"), [2]);
  equal(await ask(socket, "join", "a"), [2]);
  equal(await ask(socket, "join", "b"), [3]);
  equal(await ask(socket, "leave", "a"), [2]);
  equal(await ask(socket, "leave", "never joined"), [2]);
});

scenario("rooms: to a room without the sender, in a room with it", { needs, clients: [2, 3, 4] }, async (t) => {
  const { sockets: [a, b], result } = await three(t);
  await ask(a, "join", "r");
  await ask(b, "join", "r");
  a.emit("to", "r", "x", 1, { two: 2 });
  equal(await result(), [[], [[1, { two: 2 }]], []]);
  a.emit("in", "r", "x", 3);
  equal(await result(), [[[3]], [[3]], []]);
});

scenario("rooms: no longer after leaving", { needs }, async (t) => {
  const { sockets: [a, b], result } = await three(t);
  await ask(b, "join", "r");
  await ask(b, "leave", "r");
  a.emit("to", "r", "x");
  equal(await result(), [[], [], []]);
});

scenario("rooms: except a room", { needs }, async (t) => {
  const { sockets: [a, b], result } = await three(t);
  await ask(b, "join", "r");
  a.emit("except", "r", "x");
  equal(await result(), [[[]], [], [[]]]);
});

scenario("rooms: to one socket by its id", { needs, clients: [3, 4] }, async (t) => {
  const { sockets: [a, , c], result } = await three(t);
  a.emit("to", c.id, "x", "hello");
  equal(await result(), [[], [], [["hello"]]]);
});

scenario("rooms: broadcast to the others, and to all", { needs, clients: [2, 3, 4] }, async (t) => {
  const { sockets: [a], result } = await three(t);
  a.emit("broadcast", "x", 1);
  equal(await result(), [[], [[1]], [[1]]]);
  a.emit("all", "x", 2);
  equal(await result(), [[[2]], [[2]], [[2]]]);
});

scenario("rooms: a broadcast stays in its namespace", { needs: "nsps" }, async (t) => {
  const { sockets: [a], result } = await three(t);
  const custom = await t.connect("/custom");
  const got = record(custom, "x");
  a.emit("all", "x", 1);
  equal(await result(), [[[1]], [[1]], [[1]]]);
  await settle(custom);
  equal(got, []);
});

scenario("rooms: broadcasts of one sender arrive in order", { needs }, async (t) => {
  const { sockets: [a, b], result } = await three(t);
  await ask(b, "join", "r");
  for (let i = 0; i < 300; i++) a.emit(i % 3 ? "to" : "broadcast", ...(i % 3 ? ["r"] : []), "x", i);
  await settle(a);
  const [, got] = await result();
  equal(got, [...Array(300).keys()].map((i) => [i]));
});

scenario("rooms: a relayed event keeps every kind of value", { needs }, async (t) => {
  const { sockets: [a, b], result } = await three(t);
  await ask(b, "join", "r");
  const args = [null, "é€😀", [1.5, { deep: [[]] }], Buffer.from([1, 2]), { data: Buffer.from([3]) }];
  a.emit("to", "r", "x", ...args);
  await settle(a);
  const [, got] = await result();
  equal(got, [args]);
});

scenario("rooms: empty after a disconnect", { needs, clients: [3, 4] }, async (t) => {
  const observer = await t.alone();
  const socket = await t.connect();
  await ask(socket, "join", "gone");
  await until(observer, { sockets: 2, rooms: 3 });
  socket.disconnect();
  await until(observer, { sockets: 1, rooms: 1 });
});
