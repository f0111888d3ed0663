// Records what the official cluster adapter puts on its bus, one JSON line a
// message: NODE_PATH=…/node_modules node record.cjs > official.jsonl
const { ClusterAdapterWithHeartbeat } = require("socket.io-adapter");
const { version } = require("socket.io-adapter/package.json");

let name;
const record = (message) =>
  console.log(JSON.stringify({ name, source: `socket.io-adapter ${version}`, message }));

class Recorder extends ClusterAdapterWithHeartbeat {
  constructor(nsp) {
    super(nsp, {});
    this.uid = "0123456789abcdef";
  }
  async doPublish(message) {
    record(message);
    return "offset";
  }
  async doPublishResponse(_requester, response) {
    record(response);
  }
}

const socket = (id, rooms) => ({
  id,
  rooms: new Set(rooms),
  handshake: { headers: { host: "localhost" }, time: "now", issued: 1, url: "/", query: { EIO: "4" }, auth: {}, sessionStore: "left out" },
  data: { name: "é" },
  acks: new Map(),
  join() {},
  leave() {},
  disconnect() {},
  client: { writeToEngine() {} },
});

const a = socket("a", ["a", "red"]);
const nsp = {
  name: "/chat",
  server: { encoder: { encode: () => ["x"] }, opts: {} },
  sockets: new Map([["a", a]]),
  _ids: 7,
  _onServerSideEmit(packet) {
    const ack = packet[packet.length - 1];
    if (typeof ack === "function") ack(packet[0] === "nothing" ? undefined : { load: 0.5 });
  },
};
const opts = (rooms, except, flags) => ({ rooms: new Set(rooms), except: new Set(except), flags });
const packet = (...data) => ({ type: 2, data });

(async () => {
  const adapter = new Recorder(nsp);
  adapter.sids.set("a", new Set(["a", "red"]));
  adapter.rooms.set("red", new Set(["a"]));
  adapter.rooms.set("a", new Set(["a"]));
  const other = "fedcba9876543210";
  const from = (type, data) => adapter.onMessage({ uid: other, nsp: "/chat", type, data });

  name = "initial heartbeat";
  adapter.init();
  name = "heartbeat";
  from(1);
  name = "broadcast";
  await adapter.broadcast(packet("hello", 1, "two", { three: [null, true] }), opts([], [], {}));
  name = "broadcast to rooms with all flags";
  await adapter.broadcast(packet("hello"), opts(["red", "blue"], ["a"], { volatile: true, compress: false, broadcast: true, binary: false }));
  name = "broadcast with acknowledgements";
  adapter.broadcastWithAck(packet("ask", "q"), opts(["red"], [], { timeout: 1500 }), () => {}, () => {});
  name = "join";
  await adapter.addSockets(opts(["red"], ["blue"], {}), ["green", "grün"]);
  name = "leave";
  await adapter.delSockets(opts(["red"], [], {}), ["green"]);
  name = "disconnect";
  await adapter.disconnectSockets(opts(["green"], [], {}), true);
  name = "disconnect from the namespace";
  await adapter.disconnectSockets(opts(["green"], [], {}), false);
  name = "fetch";
  adapter.fetchSockets(opts(["red"], ["blue"], {})).catch(() => {});
  await new Promise(setImmediate);
  name = "fetch response";
  from(7, { requestId: "r1", opts: { rooms: ["red"], except: [], flags: {} } });
  await new Promise(setImmediate);
  name = "server-side emit";
  adapter.serverSideEmit(["hello", 1, "two"]);
  name = "server-side emit with acknowledgement";
  adapter.serverSideEmit(["hello", 1, () => {}]);
  await new Promise(setImmediate);
  name = "server-side emit response";
  from(9, { requestId: "r2", packet: ["load"] });
  name = "server-side emit response without a value";
  from(9, { requestId: "r2", packet: ["nothing"] });
  name = "client count";
  from(3, { requestId: "r3", opts: { rooms: ["red"], except: [], flags: { timeout: 1000 } }, packet: packet("ask") });
  name = "acknowledgement";
  a.acks.get(8)("yes");
  name = "close";
  adapter.close();
  process.exit(0);
})();
