import { ask, equal, once, record, scenario, settle } from "./scenario.mjs";

const options = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50, randomizationFactor: 0 };

scenario("reconnection: after a cut, with a new id", { clients: [2, 3, 4] }, async (t) => {
  const proxy = await t.proxy();
  const socket = await t.connect("/", { ...options, url: proxy.url });
  const { id } = socket;
  const again = once(socket, "connect");
  proxy.cut(socket);
  await again;
  equal(socket.id === id, false);
  equal(await ask(socket, "message-with-ack", "back"), ["back"]);
});

scenario("reconnection: the manager reports its attempts", {}, async (t) => {
  const proxy = await t.proxy();
  const socket = await t.connect("/", { ...options, url: proxy.url });
  const attempts = record(socket.io, "reconnect_attempt");
  const done = once(socket.io, "reconnect");
  proxy.cut(socket);
  const [number] = await done;
  equal(number >= 1 && attempts.length >= 1, true);
});

scenario("reconnection: what was emitted meanwhile is sent afterwards", {}, async (t) => {
  const proxy = await t.proxy();
  const socket = await t.connect("/", { ...options, url: proxy.url });
  const got = record(socket, "message-back");
  await proxy.cut(socket);
  socket.emit("message", 1);
  socket.emit("message", 2);
  await once(socket, "connect");
  await settle(socket);
  equal(got, [[1], [2]]);
});

scenario("reconnection: an answer that was due fails at once", { clients: [4] }, async (t) => {
  const proxy = await t.proxy();
  const socket = await t.connect("/", { ...options, url: proxy.url });
  const outcome = socket.timeout(60_000).emitWithAck("nobody listens").then(() => "answered", (error) => error.message);
  await settle(socket);
  proxy.cut(socket);
  equal(await outcome, "socket has been disconnected");
});

scenario("reconnection: authentication is asked for again", {}, async (t) => {
  const proxy = await t.proxy();
  let count = 0;
  const socket = t.socket("/", { ...options, url: proxy.url, auth: (done) => done({ count: ++count }) });
  equal(await once(socket, "auth"), [{ count: 1 }]);
  const again = once(socket, "auth");
  proxy.cut(socket);
  equal(await again, [{ count: 2 }]);
});

scenario("reconnection: every namespace comes back", { needs: "nsps" }, async (t) => {
  const proxy = await t.proxy();
  const main = await t.connect("/", { ...options, url: proxy.url });
  const custom = await t.beside(main, "/custom");
  const again = Promise.all([once(main, "connect"), once(custom, "connect")]);
  proxy.cut(main);
  await again;
  equal(await ask(custom, "message-with-ack", 1), [1]);
});

scenario("reconnection: not after the server has ended it", {}, async (t) => {
  const socket = await t.connect("/", options);
  const gone = once(socket, "disconnect");
  socket.emit("disconnect-me");
  await gone;
  equal([socket.active, socket.connected], [false, false]);
});

scenario("reconnection: ten times", {}, async (t) => {
  const proxy = await t.proxy();
  const socket = await t.connect("/", { ...options, url: proxy.url });
  for (let i = 0; i < 10; i++) {
    const again = once(socket, "connect");
    proxy.cut(socket);
    await again;
    equal(await ask(socket, "message-with-ack", i), [i]);
  }
});
