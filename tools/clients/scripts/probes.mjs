import { ask, collect, equal, once, record, scenario, until } from "./scenario.mjs";

scenario("probes: marks are kept in order and returned once", {}, async (t) => {
  const socket = await t.connect();
  await ask(socket, "x:marks");
  socket.emit("x:mark", 1);
  socket.emit("x:mark", { two: "é" });
  equal(await ask(socket, "x:marks"), [[1, { two: "é" }]]);
  equal(await ask(socket, "x:marks"), [[]]);
});

scenario("probes: a question without an answer times out", {}, async (t) => {
  const socket = await t.connect();
  equal(await ask(socket, "x:ask"), ["timeout"]);
});

scenario("probes: answers are counted", {}, async (t) => {
  const socket = await t.connect();
  const [before] = await ask(socket, "x:answers");
  socket.on("x:question", (_, ack) => ack(1));
  await ask(socket, "x:ask");
  equal(await ask(socket, "x:answers"), [before + 1]);
});

scenario("probes: after its own disconnect a socket neither emits nor joins", {}, async (t) => {
  const observer = await t.alone();
  const socket = await t.connect();
  const late = record(socket, "x:late");
  const gone = once(socket, "disconnect");
  socket.emit("x:bye");
  equal((await gone)[0], "io server disconnect");
  await until(observer, { clients: 1, sockets: 1, rooms: 1 });
  equal(late, []);
});

scenario("probes: a flood arrives whole", {}, async (t) => {
  const socket = await t.connect();
  const got = collect(socket, "x:data", 500);
  socket.emit("x:flood", 500, 1000);
  equal(await got, [...Array(500).keys()]);
});

scenario("probes: a broadcast flood reaches everybody in order", {}, async (t) => {
  const sockets = await Promise.all([...Array(5)].map(() => t.connect()));
  const got = Promise.all(sockets.map((socket) => collect(socket, "x:b", 200)));
  sockets[0].emit("x:broadcast", 200);
  for (const list of await got) equal(list, [...Array(200).keys()]);
});

scenario("probes: a panic ends its own socket only", { beyond: true }, async (t) => {
  const [socket, other] = [await t.connect(), await t.connect()];
  const gone = once(socket, "disconnect");
  socket.emit("x:boom");
  await gone;
  equal(await ask(other, "message-with-ack", "alive"), ["alive"]);
});

scenario("probes: refusal by name", {}, async (t) => {
  const [error] = await once(t.socket("/deny"), "connect_error");
  equal(error.message, "denied");
});

scenario("probes: a hanging middleware holds up nobody else", {}, async (t) => {
  const main = await t.connect();
  const hang = main.io.socket("/hang", {});
  const connected = record(hang, "connect");
  equal(await ask(main, "message-with-ack", "alive"), ["alive"]);
  equal(connected.length, 0);
});

scenario("load: echo, ack and bcast", { clients: [2, 3, 4] }, async (t) => {
  const [a, b] = [await t.connect(), await t.connect()];
  const echo = once(a, "echo");
  a.emit("echo", 1, { a: [2] });
  equal(await echo, [1, { a: [2] }]);
  equal(await ask(a, "ack", "x", 2), ["x", 2]);
  await ask(a, "join", "load");
  await ask(b, "join", "load");
  const both = Promise.all([once(a, "msg"), once(b, "msg")]);
  a.emit("bcast", "load", { payload: 1 });
  equal(await both, [[{ payload: 1 }], [{ payload: 1 }]]);
});
