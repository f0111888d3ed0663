import { ask, equal, once, record, scenario, settle } from "./scenario.mjs";

scenario("namespaces: two on one connection, with ids of their own", { needs: "nsps" }, async (t) => {
  const main = await t.connect();
  const custom = await t.beside(main, "/custom");
  equal(custom.io === main.io, true);
  equal(custom.id === main.id, false);
  equal((await ask(custom, "id"))[0], custom.id);
  const [names] = await ask(main, "nsps");
  equal(names.sort(), ["/", "/custom"]);
});

scenario("namespaces: only a custom one", { clients: [2, 3, 4] }, async (t) => {
  const custom = t.socket("/custom");
  await once(custom, "auth");
  equal(await ask(custom, "message-with-ack", { a: [1] }), [{ a: [1] }]);
});

scenario("namespaces: unknown ones are refused, the connection stays", {}, async (t) => {
  const main = await t.connect();
  const unknown = main.io.socket("/unknown", {});
  const [error] = await once(unknown, "connect_error");
  equal([error.message, error.data], ["Invalid namespace", undefined]);
  equal(await ask(main, "message-with-ack", "alive"), ["alive"]);
});

scenario("namespaces: middleware refuses with data", { needs: "nsps" }, async (t) => {
  const [error] = await once(t.socket("/auth-fail"), "connect_error");
  equal([error instanceof Error, error.message, error.data], [true, "not authorized", { code: 401, content: "please retry" }]);
});

scenario("namespaces: middleware refuses without data", { needs: "nsps" }, async (t) => {
  const [error] = await once(t.socket("/auth-fail-nodata"), "connect_error");
  equal([error.message, error.data], ["nope", undefined]);
});

scenario("namespaces: a refused one may try again", { needs: "nsps" }, async (t) => {
  const socket = t.socket("/auth-fail");
  await once(socket, "connect_error");
  socket.connect();
  const [error] = await once(socket, "connect_error");
  equal(error.message, "not authorized");
});

scenario("namespaces: slow middleware, and another namespace does not wait for it", { needs: "nsps", modes: ["polling", "websocket"] }, async (t) => {
  const slow = t.socket("/auth-slow");
  const order = [];
  slow.on("connect", () => order.push("/auth-slow"));
  const main = slow.io.socket("/", {});
  main.on("connect", () => order.push("/"));
  await once(slow, "auth");
  equal(order, ["/", "/auth-slow"]);
});

scenario("namespaces: dynamic ones", { needs: "nsps" }, async (t) => {
  const socket = t.socket("/dyn-42", { auth: { a: 1 } });
  equal(await once(socket, "auth"), [{ a: 1 }]);
  equal((await ask(socket, "id"))[0], socket.id);
  const [error] = await once(t.socket("/dyn-x"), "connect_error");
  equal(error.message, "Invalid namespace");
});

scenario("namespaces: leaving one leaves the others alone", { needs: "nsps" }, async (t) => {
  const main = await t.connect();
  const custom = await t.beside(main, "/custom");
  const left = once(custom, "disconnect");
  custom.disconnect();
  equal((await left)[0], "io client disconnect");
  await settle(main);
  equal((await ask(main, "nsps"))[0], ["/"]);
});

scenario("namespaces: leave and come back on the same connection", { needs: "nsps" }, async (t) => {
  const main = await t.connect();
  const custom = await t.beside(main, "/custom");
  const ids = new Set([custom.id]);
  for (let i = 0; i < 5; i++) {
    custom.disconnect();
    await settle(main);
    const back = once(custom, "connect");
    custom.connect();
    await back;
    ids.add(custom.id);
    equal(await ask(custom, "message-with-ack", i), [i]);
  }
  equal(ids.size, 6);
});

scenario("namespaces: twenty at once", { needs: "nsps" }, async (t) => {
  const main = await t.connect();
  const sockets = [...Array(20).keys()].map((i) => main.io.socket(`/dyn-${i}`, {}));
  const connected = Promise.all(sockets.map((socket) => once(socket, "connect")));
  await connected;
  const ids = await Promise.all(sockets.map((socket) => ask(socket, "id")));
  equal(ids.map(([id]) => id), sockets.map((socket) => socket.id));
  equal(record(main, "auth").length, 0);
});
