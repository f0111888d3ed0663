import { ask, equal, once, record, scenario, settle } from "./scenario.mjs";

scenario("acks: none, one and several values", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  equal(await ask(socket, "message-with-ack"), []);
  equal(await ask(socket, "message-with-ack", "a"), ["a"]);
  equal(await ask(socket, "message-with-ack", 1, [2], { three: null }), [1, [2], { three: null }]);
});

scenario("acks: a thousand at once, each its own", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  const replies = await Promise.all([...Array(1000).keys()].map((i) => ask(socket, "message-with-ack", i)));
  equal(replies.map(([i]) => i), [...Array(1000).keys()]);
});

scenario("acks: as a promise", { clients: [4] }, async (t) => {
  const socket = await t.connect();
  equal(await socket.emitWithAck("message-with-ack", "p"), "p");
  equal(await socket.timeout(5000).emitWithAck("message-with-ack", "q"), "q");
});

scenario("acks: the client's timeout when nobody answers", { clients: [4] }, async (t) => {
  const socket = await t.connect();
  const error = await new Promise((resolve) => socket.timeout(50).emit("nobody listens", resolve));
  equal(error.message, "operation has timed out");
  equal(await ask(socket, "message-with-ack", "alive"), ["alive"]);
});

scenario("acks: called twice by the server, sent once", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  const calls = [];
  socket.emit("double-ack", (value) => calls.push(value));
  await settle(socket);
  equal(calls, [1]);
});

scenario("acks: the server asks, the client answers", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  socket.on("emit-with-ack", (...args) => { const ack = args.pop(); ack(...args.reverse(), "é€😀"); });
  const result = once(socket, "emit-with-ack-result");
  socket.emit("emit-with-ack", 1, { a: 2 });
  equal(await result, [{ a: 2 }, 1, "é€😀"]);
});

scenario("acks: the server's timeout, and a late answer is ignored", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  const asked = once(socket, "no-ack");
  const result = once(socket, "emit-timeout-result");
  socket.emit("emit-timeout", 50);
  const ack = (await asked).pop();
  equal(await result, ["operation has timed out"]);
  ack("late");
  equal(await ask(socket, "message-with-ack", "alive"), ["alive"]);
});

scenario("acks: in time, the server has no error", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  socket.on("no-ack", (ack) => ack());
  const result = once(socket, "emit-timeout-result");
  socket.emit("emit-timeout", 20_000);
  equal(await result, [null]);
});

scenario("acks: a handler waits for an answer of the same client", {}, async (t) => {
  const socket = await t.connect();
  socket.on("x:question", (value, ack) => ack(value * 6));
  equal(await ask(socket, "x:ask"), [42]);
});

scenario("acks: while a handler waits, later events wait behind it, answers do not", {}, async (t) => {
  const socket = await t.connect();
  const order = [];
  socket.on("x:question", (_, ack) => { order.push("question"); ack("answer"); });
  const asked = ask(socket, "x:ask").then(() => order.push("asked"));
  await asked;
  await settle(socket);
  equal(order, ["question", "asked"]);
});

scenario("acks: of a broadcast, everybody answers", { needs: "rooms" }, async (t) => {
  const [a, b] = [await t.connect(), await t.connect()];
  a.on("need-ack", (ack) => ack("A"));
  b.on("need-ack", (ack) => ack({ name: "B" }));
  const [error, replies] = await ask(a, "broadcast-ack", 20_000);
  equal(error, null);
  equal(replies.length, 2);
  equal(replies.some((reply) => reply === "A") && replies.some((reply) => reply?.name === "B"), true);
});

scenario("acks: of a broadcast, one is missing", { needs: "rooms" }, async (t) => {
  const [a, b] = [await t.connect(), await t.connect()];
  a.on("need-ack", (ack) => ack("A"));
  const asked = record(b, "need-ack");
  equal(await ask(a, "broadcast-ack", 1500), ["operation has timed out", ["A"]]);
  equal(asked.length, 1);
});
