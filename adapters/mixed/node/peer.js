// A process with servers of the reference, official clients and official emitters,
// driven over stdio: one JSON object a line. A request is {id, op, …}, its answer
// {id, result} or {id, error}. What clients receive is reported as {event}. Bytes
// are {"$bytes": base64}.
"use strict";

const { createServer } = require("http");
const readline = require("readline");
const { Server } = require("socket.io");
const { io: connect } = require("socket.io-client");

const servers = [];
const clients = [];
const emitters = new Map();

const send = (message) => process.stdout.write(JSON.stringify(message) + "\n");

function encode(value) {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) {
    return { $bytes: Buffer.from(value).toString("base64") };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, encode(v)]));
  }
  return value;
}

function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value && typeof value === "object") {
    if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v)]));
  }
  return value;
}

const bus = (name) => require("./buses/" + name);

// target applies rooms, exceptions and flags to a server or an emitter.
function target(io, { rooms = [], except = [], flags = [], timeout }) {
  let to = io;
  if (rooms.length) to = to.to(rooms);
  if (except.length) to = to.except(except);
  if (flags.includes("local")) to = to.local;
  if (flags.includes("volatile")) to = to.volatile;
  if (timeout) to = to.timeout(timeout);
  return to;
}

const ops = {
  async server({ bus: name, options, recovery, label }) {
    const http = createServer();
    const made = await bus(name).create(options);
    const io = new Server(http, {
      adapter: made.adapter,
      connectionStateRecovery: recovery ? {} : undefined,
    });
    const events = [];
    io.on("connection", (socket) => {
      socket.data.name = socket.handshake.auth.name;
      socket.join(socket.handshake.auth.rooms || []);
      // Clients wait for it: rooms are joined, in the adapter too, when it arrives.
      if (!socket.recovered) socket.emit("ready");
    });
    io.on("told", (...args) => events.push(args));
    io.on("asked", (arg, callback) => callback(label + " " + arg));
    await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
    servers.push({ io, http, made, events });
    return { server: servers.length - 1, url: "http://127.0.0.1:" + http.address().port };
  },
  async closeServer({ server }) {
    const { io, made } = servers[server];
    await io.close();
    await made.close();
  },
  emit({ server, event, args, ...sel }) {
    target(servers[server].io, sel).emit(event, ...decode(args));
  },
  async emitWithAck({ server, event, args, ...sel }) {
    try {
      const replies = await target(servers[server].io, sel).emitWithAck(event, ...decode(args));
      return { replies: encode(replies) };
    } catch (err) {
      return { replies: encode(err.responses || []), failure: String(err.message) };
    }
  },
  async fetchSockets({ server, ...sel }) {
    const list = await target(servers[server].io, sel).fetchSockets();
    return list.map((s) => ({ id: s.id, rooms: [...s.rooms], name: s.data.name, auth: s.handshake.auth.name }));
  },
  has({ server, socket }) {
    return servers[server].io.of("/").sockets.has(socket);
  },
  socketsJoin({ server, join, ...sel }) {
    target(servers[server].io, sel).socketsJoin(join);
  },
  socketsLeave({ server, leave, ...sel }) {
    target(servers[server].io, sel).socketsLeave(leave);
  },
  disconnectSockets({ server, close, ...sel }) {
    target(servers[server].io, sel).disconnectSockets(close);
  },
  serverSideEmit({ server, args }) {
    servers[server].io.serverSideEmit("told", ...decode(args));
  },
  async serverSideEmitWithAck({ server, args }) {
    try {
      return { replies: encode(await servers[server].io.serverSideEmitWithAck("asked", ...decode(args))) };
    } catch (err) {
      return { replies: encode(err.responses || []), failure: String(err.message) };
    }
  },
  serverEvents({ server }) {
    return encode(servers[server].events);
  },
  serverCount({ server }) {
    return servers[server].io.of("/").adapter.serverCount();
  },

  async emitter({ bus: name, options, method, args, ...sel }) {
    const key = name + JSON.stringify(options);
    if (!emitters.has(key)) emitters.set(key, await bus(name).createEmitter(options));
    const { emitter } = emitters.get(key);
    await target(emitter, sel)[method](...decode(args));
  },

  // ready is the event that says that the server has let the client in.
  client({ url, name, rooms, transports = ["websocket"], reconnection = false, origin, ready = "ready" }) {
    const n = clients.length;
    const socket = connect(url, {
      auth: { name, rooms },
      transports,
      forceNew: true,
      reconnection,
      reconnectionDelay: 100,
      withCredentials: true, // keeps cookies, as a browser does
      extraHeaders: origin && { Origin: origin },
    });
    clients.push(socket);
    socket.onAny((event, ...args) => {
      const callback = typeof args[args.length - 1] === "function" ? args.pop() : null;
      send({ event: { client: n, name: event, args: encode(args) } });
      if (callback && !name.includes("silent")) callback(name);
    });
    socket.on("disconnect", (reason) => send({ event: { client: n, name: "disconnect", args: [reason] } }));
    return new Promise((resolve, reject) => {
      socket.once(ready, () => resolve({ client: n, socket: socket.id }));
      socket.once("connect_error", reject);
    });
  },
  transport({ client }) {
    return clients[client].io.engine?.transport.name;
  },
  // cut breaks the connection as a network does; resume comes back, elsewhere
  // perhaps.
  cut({ client }) {
    clients[client].io.engine.close();
  },
  resume({ client, url }) {
    const socket = clients[client];
    socket.io.uri = url;
    return new Promise((resolve, reject) => {
      socket.once("connect", () => resolve({ recovered: socket.recovered, socket: socket.id }));
      socket.once("connect_error", reject);
      socket.connect();
    });
  },
  closeClient({ client }) {
    clients[client].disconnect();
  },
};

const input = readline.createInterface({ input: process.stdin });
input.on("line", async (line) => {
  const { id, op, ...request } = JSON.parse(line);
  try {
    send({ id, result: (await ops[op](request)) ?? null });
  } catch (err) {
    send({ id, error: String((err && err.stack) || err) });
  }
});
input.on("close", () => process.exit(0));
