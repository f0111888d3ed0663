import { ask, equal, once, reasonOf, scenario, until } from "./scenario.mjs";

// Each scenario names the reason that the client reports and the one that the
// server reports for the same end.

const onPolling = (t, polling, other) => (t.mode === "polling" ? polling : other);

scenario("disconnect: by the client", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.disconnect();
  equal((await gone)[0], "io client disconnect");
  equal(await reasonOf(observer, id), "client namespace disconnect");
});

scenario("disconnect: by the server", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.emit("disconnect-me");
  equal((await gone)[0], "io server disconnect");
  equal(await reasonOf(observer, id), "server namespace disconnect");
});

scenario("disconnect: by the server, and back at once", { clients: [4] }, async (t) => {
  const socket = await t.connect();
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.emit("disconnect-me");
  await gone;
  const back = once(socket, "connect");
  socket.connect();
  await back;
  equal(socket.id === id, false);
});

scenario("disconnect: by the server with the connection", { needs: "events" }, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  const closed = once(socket.io.engine, "close");
  socket.emit("close-me");
  equal((await gone)[0], "io server disconnect");
  await closed;
  equal(await reasonOf(observer, id), "server namespace disconnect");
});

scenario("disconnect: of one namespace by the server", { needs: "nsps" }, async (t) => {
  const main = await t.connect();
  const custom = await t.beside(main, "/custom");
  const { id } = custom;
  const gone = once(custom, "disconnect");
  custom.emit("disconnect-me");
  equal((await gone)[0], "io server disconnect");
  equal(await reasonOf(main, id), "server namespace disconnect");
  equal(await ask(main, "message-with-ack", "alive"), ["alive"]);
});

scenario("disconnect: the client's engine is closed", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.io.engine.close();
  equal((await gone)[0], "forced close");
  equal(await reasonOf(observer, id), "transport close");
});

scenario("disconnect: the network is cut", {}, async (t) => {
  const proxy = await t.proxy();
  const [socket, observer] = [await t.connect("/", { url: proxy.url }), await t.connect()];
  const { id } = socket;
  equal((await proxy.cut(socket))[0], onPolling(t, "transport error", "transport close"));
  const reason = await reasonOf(observer, id);
  equal(onPolling(t, ["transport error", "transport close"], ["transport close"]).includes(reason), true, reason);
});

scenario("disconnect: the network is silent", {}, async (t) => {
  const proxy = await t.proxy();
  const [socket, observer] = [await t.connect("/", { url: proxy.url }), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  proxy.stop();
  equal((await gone)[0], "ping timeout");
  equal(await reasonOf(observer, id), "ping timeout");
});

scenario("disconnect: after nonsense from the client", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.io.engine.write("9nonsense");
  equal((await gone)[0], "transport close");
  equal(await reasonOf(observer, id), "forced close");
});

scenario("disconnect: a message over the limit", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.emit("message", "x".repeat(1_100_000));
  equal((await gone)[0], onPolling(t, "transport error", "transport close"));
  equal(await reasonOf(observer, id), onPolling(t, "transport close", "transport error"));
});

scenario("disconnect: several namespaces end together", { needs: "nsps" }, async (t) => {
  const proxy = await t.proxy();
  const [main, observer] = [await t.connect("/", { url: proxy.url }), await t.connect()];
  const custom = await t.beside(main, "/custom");
  const ids = [main.id, custom.id];
  const reasons = [];
  await Promise.all([proxy.cut(main), once(custom, "disconnect")]);
  while (reasons.length < 2) {
    const [some] = await ask(observer, "x:reasons");
    reasons.push(...some.filter(([id]) => ids.includes(id)).map(([, reason]) => reason));
  }
  // Which one: polling, whether the broken request or the client's goodbye is
  // noticed first; WebSocket, whether the cut connection had unread bytes, so
  // that it ended with a reset.
  equal(reasons[0], reasons[1]);
  equal(["transport error", "transport close"].includes(reasons[0]), true, reasons[0]);
});

scenario("disconnect: nothing is left on the server", { needs: "nsps" }, async (t) => {
  const observer = await t.alone();
  const before = await until(observer, {});
  const sockets = await Promise.all([...Array(20)].map((_, i) => t.connect(i % 3 ? "/" : "/dyn-7")));
  await until(observer, { clients: 21, sockets: 14, namespaces: before.namespaces + 1 });
  sockets.forEach((socket, i) => (i % 2 ? socket.disconnect() : socket.io.engine.close()));
  await until(observer, before);
});
