import { ask, collect, equal, once, scenario } from "./scenario.mjs";

const modes = ["upgrade"];

scenario("upgrade: from polling to WebSocket, the id stays", { modes, clients: [2, 3, 4] }, async (t) => {
  const socket = t.socket();
  await once(socket, "connect");
  const { id } = socket;
  if (socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
  equal(socket.io.engine.transport.name, "websocket");
  equal((await ask(socket, "id"))[0], id);
});

scenario("upgrade: nothing is lost or out of order while it happens", { modes, clients: [2, 3, 4] }, async (t) => {
  for (let round = 0; round < 5; round++) {
    const socket = t.socket();
    const back = collect(socket, "message-back", 600);
    await once(socket, "connect");
    let sent = 0;
    // A few in each turn of the event loop, so that they meet every step of the upgrade.
    await new Promise((resolve) => {
      const step = () => {
        for (let i = 0; i < 5; i++) socket.emit("message", sent++);
        sent < 600 ? setImmediate(step) : resolve();
      };
      step();
    });
    equal(await back, [...Array(600).keys()]);
    if (socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
    socket.disconnect();
  }
});

scenario("upgrade: a burst from the server while it happens", { modes, needs: "events" }, async (t) => {
  const socket = t.socket();
  const got = collect(socket, "b", 2000);
  socket.emit("burst", 2000);
  await once(socket, "connect");
  equal(await got, [...Array(2000).keys()]);
});

scenario("upgrade: binary while it happens", { modes, clients: [2, 3, 4] }, async (t) => {
  const socket = t.socket();
  const back = collect(socket, "message-back", 100);
  for (let i = 0; i < 100; i++) socket.emit("message", Buffer.from([i]));
  equal(await back, [...Array(100).keys()].map((i) => Buffer.from([i])));
});

scenario("upgrade: twenty at once", { modes }, async (t) => {
  const sockets = await Promise.all([...Array(20)].map(() => t.connect()));
  const names = sockets.map((socket) => socket.io.engine.transport.name);
  equal(new Set(names), new Set(["websocket"]));
  const [stat] = await ask(sockets[0], "x:stat");
  equal(stat.sockets >= 20, true);
});
