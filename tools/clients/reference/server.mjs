// The fixture of tools/cmd/refserver on the reference implementation, npm's
// socket.io. Every scenario runs against it too: what fails here is a mistake
// in the scenario.
//
//   node server.mjs [--ping-interval ms] [--ping-timeout ms] [--connect-timeout ms]
//
// It prints its URL when it listens and ends on SIGTERM.
import { createRequire } from "node:module";
import http from "node:http";
import { parseArgs } from "node:util";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const { Server } = require("socket.io");
const engine = require("engine.io");
const msgpack = require("socket.io-msgpack-parser");

const { values: flags } = parseArgs({
  options: {
    "ping-interval": { type: "string", default: "300" },
    "ping-timeout": { type: "string", default: "200" },
    "connect-timeout": { type: "string", default: "1000" },
  },
});
const heartbeat = { pingInterval: Number(flags["ping-interval"]), pingTimeout: Number(flags["ping-timeout"]) };
const cors = { origin: "*" };
const slow = { pingInterval: 25_000 };
const allowRequest = (request, done) => {
  const deny = new URL(request.url, "http://localhost").searchParams.get("deny");
  done(deny, deny === null);
};

const web = http.createServer((request, response) => response.writeHead(404).end());
web.setMaxListeners(0);

const engines = [];
const sockets = [];

// ---- Engine.IO -------------------------------------------------------------

function echo(path, options, onMessage = (socket, data) => socket.send(data)) {
  const server = engine.attach(web, { path, destroyUpgrade: false, cors, allowRequest, ...heartbeat, ...options });
  server.on("connection", (socket) => socket.on("message", (data) => onMessage(socket, data)));
  engines.push(server);
}

function command(socket, data) {
  const [word, count] = typeof data === "string" ? data.split(" ") : [];
  switch (word) {
    case "close": return socket.close();
    case "discard": return socket.close(true);
    case "empty": return socket.send("");
    case "burst": for (let i = 0; i < Number(count); i++) socket.send(`b${i}`); return;
    case "mixed": socket.send("t"); socket.send(Buffer.from([1, 2, 3])); socket.send("é€😀"); return;
    default: socket.send(data);
  }
}

echo("/engine.io", {});
echo("/eio-small", { maxHttpBufferSize: 100, ...slow });
echo("/eio-slow", { ...slow, pingTimeout: 20_000, upgradeTimeout: 300, cors: undefined });
echo("/eio-ws", { transports: ["websocket"] });
echo("/eio-polling", { transports: ["polling"] });
echo("/eio-noup", { allowUpgrades: false });
echo("/eio-cookie", { cookie: true });
echo("/eio-init", { initialPacket: "hello" });
echo("/eio-gzip", { perMessageDeflate: { threshold: 10 }, httpCompression: { threshold: 10 }, ...slow });
echo("/eio-v3", { allowEIO3: true });
echo("/eio-cmd", {}, command);

// ---- Socket.IO -------------------------------------------------------------

const features = ["limits", "longping", "options", "servercmd", "events", "rooms", "nsps", "recovery", "msgpack", "eio3"];
const marks = [];
const reasons = [];
let answers = 0;

function serve(path, options) {
  const io = new Server(web, {
    path, destroyUpgrade: false, connectTimeout: Number(flags["connect-timeout"]), cors, allowRequest, serveClient: false,
    cleanupEmptyChildNamespaces: true, ...heartbeat, ...options,
  });
  sockets.push(io);
  io.on("connection", (socket) => main(io, socket));
  for (const name of ["/custom", "/custom2"]) {
    io.of(name).on("connection", (socket) => { socket.emit("auth", socket.handshake.auth); custom(socket); });
  }
  io.of("/auth-fail").use((_, next) => {
    next(Object.assign(new Error("not authorized"), { data: { code: 401, content: "please retry" } }));
  });
  io.of("/auth-fail-nodata").use((_, next) => next(new Error("nope")));
  io.of("/deny").use((_, next) => next(new Error("denied")));
  io.of("/hang").use(() => {});
  io.of("/auth-slow").use((_, next) => setTimeout(next, 100))
    .on("connection", (socket) => socket.emit("auth", socket.handshake.auth));
  io.of(/^\/dyn-\d+$/).on("connection", (socket) => {
    socket.emit("auth", socket.handshake.auth);
    socket.on("id", (ack) => ack(socket.id));
  });
  return io;
}

function custom(socket) {
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("id", (ack) => ack(socket.id));
  socket.on("disconnect-me", () => socket.disconnect());
  socket.on("disconnect", (reason) => reasons.push([socket.id, reason]));
}

function main(io, socket) {
  socket.emit("auth", socket.handshake.auth);
  custom(socket);
  socket.on("features", (ack) => ack(features));
  socket.on("error", () => {});

  // events
  socket.on("double-ack", (ack) => { ack(1); ack(2); });
  socket.on("emit-with-ack", (...args) => {
    socket.emit("emit-with-ack", ...args, (...reply) => socket.emit("emit-with-ack-result", ...reply));
  });
  socket.on("emit-timeout", (ms) => {
    socket.timeout(ms).emit("no-ack", (error) => socket.emit("emit-timeout-result", error ? error.message : null));
  });
  socket.on("close-me", () => socket.disconnect(true));
  socket.on("handshake", (ack) => ack(socket.handshake));
  socket.on("recovered", (ack) => ack(socket.recovered));
  socket.on("nsps", (ack) => ack([...socket.client.nsps.keys()]));
  socket.on("burst", (n) => { for (let i = 0; i < n; i++) socket.emit("b", i); });
  socket.on("emit-undefined", () => socket.emit("u", undefined, null));
  socket.on("emit-binary", () => socket.emit("bin", Buffer.from([1, 2, 3]), { a: Buffer.from([4]) }));

  // rooms
  socket.on("join", (room, ack) => { socket.join(room); ack?.(socket.rooms.size); });
  socket.on("leave", (room, ack) => { socket.leave(room); ack?.(socket.rooms.size); });
  socket.on("to", (room, event, ...args) => socket.to(room).emit(event, ...args));
  socket.on("in", (room, event, ...args) => io.in(room).emit(event, ...args));
  socket.on("except", (room, event, ...args) => io.except(room).emit(event, ...args));
  socket.on("broadcast", (event, ...args) => socket.broadcast.emit(event, ...args));
  socket.on("all", (event, ...args) => io.emit(event, ...args));
  socket.on("broadcast-ack", (ms, ack) => {
    io.timeout(ms).emit("need-ack", (error, replies) => ack(error ? error.message : null, replies));
  });

  // probes
  socket.on("x:stat", (ack) => ack({
    clients: io.engine.clientsCount, sockets: io.of("/").sockets.size,
    rooms: io.of("/").adapter.rooms.size, namespaces: io._nsps.size,
  }));
  socket.on("x:mark", (value) => marks.push(value));
  socket.on("x:marks", (ack) => ack(marks.splice(0)));
  socket.on("x:reasons", (ack) => ack(reasons.splice(0)));
  socket.on("x:volatile", (n) => { for (let i = 0; i < n; i++) socket.volatile.emit("x:v", i); });
  socket.on("x:ask", async (ack) => {
    try { ack(await socket.timeout(1500).emitWithAck("x:question", 7)); answers++; } catch { ack("timeout"); }
  });
  socket.on("x:answers", (ack) => ack(answers));
  socket.on("x:bye", () => { socket.disconnect(true); socket.emit("x:late"); socket.join("late"); });
  socket.on("x:flood", (n, size) => { for (let i = 0; i < n; i++) socket.emit("x:data", i, "a".repeat(size)); });
  socket.on("x:join", (n) => { for (let i = 0; i < n; i++) socket.join(`r${i}`); });
  socket.on("x:broadcast", (n) => { for (let i = 0; i < n; i++) io.emit("x:b", i); });

  // load
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("ack", (...args) => args.pop()(...args));
  socket.on("bcast", (room, payload) => io.in(room).emit("msg", payload));
}

serve("/socket.io", {});
serve("/sio-csr", { connectionStateRecovery: { maxDisconnectionDuration: 2000 } });
serve("/sio-msgpack", { parser: msgpack });
serve("/sio-v3", { allowEIO3: true });

web.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${web.address().port}`));
process.on("SIGTERM", async () => {
  setTimeout(() => process.exit(0), 3000).unref(); // for what clients leave open
  for (const server of engines) server.close();
  await Promise.all(sockets.map((io) => io.close()));
});
