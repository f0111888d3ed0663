import { ask, equal, once, reasonOf, reasonsOf, scenario, settle, until } from "./scenario.mjs";

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

// severed connects to the main namespace and others through a network that is then
// cut, and returns what each side calls it. If the server happens to answer the
// poll that is to be broken, there is nothing for it to notice, and it is tried
// again.
async function severed(t, ...namespaces) {
  const observer = await t.connect();
  for (;;) {
    const proxy = await t.proxy();
    const main = await t.connect("/", { url: proxy.url });
    const sockets = [main, ...(await Promise.all(namespaces.map((name) => t.beside(main, name))))];
    await settle(...sockets); // the server knows of the upgrade
    const ids = sockets.map((socket) => socket.id);
    const ends = sockets.map((socket) => once(socket, "disconnect"));
    const { answered } = await proxy.sever(main);
    const client = (await Promise.all(ends)).map(([reason]) => reason);
    const server = await reasonsOf(observer, ids);
    if (!server.includes("ping timeout") || !answered()) return { client, server };
  }
}

scenario("disconnect: the network is cut", {}, async (t) => {
  const reason = onPolling(t, "transport error", "transport close");
  equal(await severed(t), { client: [reason], server: [reason] });
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
  const reason = onPolling(t, "transport error", "transport close");
  equal(await severed(t, "/custom"), { client: [reason, reason], server: [reason, reason] });
});

scenario("disconnect: nothing is left on the server", { needs: "nsps" }, async (t) => {
  const observer = await t.alone();
  const before = await until(observer, {});
  const sockets = await Promise.all([...Array(20)].map((_, i) => t.connect(i % 3 ? "/" : "/dyn-7")));
  await until(observer, { clients: 21, sockets: 14, namespaces: before.namespaces + 1 });
  sockets.forEach((socket, i) => (i % 2 ? socket.disconnect() : socket.io.engine.close()));
  await until(observer, before);
});
