import { ask, collect, equal, once, reasonOf, scenario } from "./scenario.mjs";

const bytes = (...values) => Buffer.from(values);

const kinds = {
  "a Buffer": [bytes(1, 2, 3)],
  "an ArrayBuffer": [new Uint8Array([1, 2, 3, 255]).buffer],
  "a typed array": [new Uint8Array([9, 8, 7])],
  "an empty one": [bytes()],
  "among other arguments": ["é€😀", bytes(1), null, 2],
  "nested": [{ a: [{ b: bytes(1) }, [bytes(2), { c: bytes(3) }]], d: "x" }],
  "ten attachments": [[...Array(10).keys()].map((i) => bytes(i, i))],
  "bytes that look like text": [Buffer.from("42[\"x\"]"), Buffer.from("2probe"), bytes(0x1e, 0x1e)],
  "every byte": [Buffer.from([...Array(256).keys()])],
};

for (const [kind, args] of Object.entries(kinds)) {
  const clients = kind === "a typed array" ? [3, 4] : [2, 3, 4]; // version 2 takes it for an object
  scenario(`binary: ${kind}, as event and as acknowledgement`, { clients }, async (t) => {
    const socket = await t.connect();
    const back = once(socket, "message-back");
    socket.emit("message", ...args);
    equal(await back, args);
    equal(await ask(socket, "message-with-ack", ...args), args);
  });
}

scenario("binary: the same buffer twice", {}, async (t) => {
  const socket = await t.connect();
  const shared = bytes(5, 6);
  equal(await ask(socket, "message-with-ack", shared, { again: shared }), [shared, { again: shared }]);
});

scenario("binary: from the server", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  const got = once(socket, "bin");
  socket.emit("emit-binary");
  equal(await got, [bytes(1, 2, 3), { a: bytes(4) }]);
});

scenario("binary: several hundred kilobytes in two attachments", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  const one = Buffer.alloc(300_000, "siokit "), two = Buffer.alloc(200_000, 0xfe);
  const [reply] = await ask(socket, "message-with-ack", { one, two });
  equal([one.equals(Buffer.from(reply.one)), two.equals(Buffer.from(reply.two))], [true, true]);
});

scenario("binary: text and binary events keep their order", { clients: [2, 3, 4] }, async (t) => {
  const socket = await t.connect();
  const back = collect(socket, "message-back", 200);
  for (let i = 0; i < 200; i++) socket.emit("message", i % 2 ? i : bytes(i));
  equal(await back, [...Array(200).keys()].map((i) => (i % 2 ? i : bytes(i))));
});

scenario("binary: an acknowledgement of the client", { needs: "events" }, async (t) => {
  const socket = await t.connect();
  socket.on("emit-with-ack", (...args) => args.pop()(args[0], bytes(8)));
  const result = once(socket, "emit-with-ack-result");
  socket.emit("emit-with-ack", bytes(7));
  equal(await result, [bytes(7), bytes(8)]);
});

scenario("binary: in a namespace and in a room", { needs: "rooms" }, async (t) => {
  const [a, b] = [await t.connect(), await t.connect()];
  await ask(b, "join", "pictures");
  const got = once(b, "picture");
  a.emit("to", "pictures", "picture", { name: "p", data: bytes(1, 2) }, bytes(3));
  equal(await got, [{ name: "p", data: bytes(1, 2) }, bytes(3)]);
  const custom = await t.connect("/custom");
  equal(await ask(custom, "message-with-ack", bytes(1), [bytes(2)]), [bytes(1), [bytes(2)]]);
});

scenario("binary: eleven attachments are refused", {}, async (t) => {
  const [socket, observer] = [await t.connect(), await t.connect()];
  const { id } = socket;
  const gone = once(socket, "disconnect");
  socket.emit("message", ...[...Array(11).keys()].map((i) => bytes(i)));
  equal(await reasonOf(observer, id), "forced close");
  await gone;
});
