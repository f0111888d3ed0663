// What a scenario is and what it has at hand.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Proxy } from "./proxy.mjs";

export const require = createRequire(new URL("../../node/package.json", import.meta.url));

// Milliseconds until something that must come counts as missing. Generous:
// the machine may be busy, and a scenario that passes never waits for it.
export const PATIENCE = 20_000;

export const scenarios = [];

// scenario adds a scenario. Options, all optional:
//   clients  major versions of the client that it makes sense for, [3, 4] if absent
//   modes    the ways of connecting, all three if absent
//   needs    a feature that the server announces (fixture: event "features")
//   beyond   the reference does otherwise, so it runs against siokit only
export function scenario(name, options, run) {
  scenarios.push({ name, clients: [3, 4], modes: ["polling", "websocket", "upgrade"], ...options, run });
}

// plain makes values with binary in them comparable, whatever kind of binary
// a transport has delivered.
export function plain(value) {
  if (value instanceof ArrayBuffer) return { hex: Buffer.from(value).toString("hex") };
  if (ArrayBuffer.isView(value)) return { hex: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

export function equal(actual, expected, what) {
  assert.deepEqual(plain(actual), plain(expected), what);
}

export function within(promise, what, ms = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// once resolves with the arguments of the next event.
export function once(emitter, event) {
  return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), `event ${event}`);
}

// collect resolves with the first argument of the next n events.
export function collect(emitter, event, n) {
  const got = [];
  return within(new Promise((resolve) => {
    emitter.on(event, function listener(value) {
      if (got.push(value) === n) { emitter.off(event, listener); resolve(got); }
    });
  }), `${n} events ${event}`).catch((error) => { throw new Error(`${error.message}, got ${got.length}`); });
}

// record keeps every event of one name that comes from now on.
export function record(emitter, event) {
  const got = [];
  emitter.on(event, (...args) => got.push(args));
  return got;
}

// ask emits with an acknowledgement and resolves with its arguments.
export function ask(socket, event, ...args) {
  return within(new Promise((resolve) => socket.emit(event, ...args, (...reply) => resolve(reply))), `acknowledgement of ${event}`);
}

// settle returns when everything that the server had queued for these sockets
// has arrived: an answer comes after what was sent before it.
export async function settle(...sockets) {
  for (const socket of sockets) await ask(socket, "message-with-ack", "settle");
}

// until asks for the server's figures until they are as expected.
export async function until(observer, expected) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const [stat] = await ask(observer, "x:stat");
    if (Object.entries(expected).every(([name, value]) => stat[name] === value)) return stat;
    if (Date.now() > end) equal(stat, { ...stat, ...expected }, "figures of the server");
  }
}

// reasonsOf waits for the server's disconnect reasons of the sockets with these ids.
export async function reasonsOf(observer, ids) {
  const end = Date.now() + PATIENCE;
  const found = new Map();
  for (;;) {
    const [reasons] = await ask(observer, "x:reasons");
    for (const [id, reason] of reasons) found.set(id, reason);
    if (ids.every((id) => found.has(id))) return ids.map((id) => found.get(id));
    if (Date.now() > end) throw new Error(`of ${ids} the server reported the end of ${[...found.keys()]}`);
  }
}

// reasonOf is reasonsOf one socket.
export const reasonOf = async (observer, id) => (await reasonsOf(observer, [id]))[0];

// Context belongs to one run of one scenario; close ends all that it opened.
export class Context {
  #open = [];

  constructor({ url, io, mode, path = "/socket.io/" }) {
    Object.assign(this, { url, io, mode, path });
    this.transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }[mode];
  }

  // socket makes a client socket that does not reconnect by itself.
  socket(nsp = "/", options = {}) {
    const { url = this.url, ...rest } = options;
    const socket = this.io(url + nsp, { path: this.path, forceNew: true, reconnection: false, transports: this.transports, ...rest });
    this.#open.push(() => { socket.io.reconnection(false); socket.disconnect(); socket.io.engine?.close(); });
    return socket;
  }

  // connect makes a socket and waits until it is connected, and upgraded.
  async connect(nsp, options) {
    const socket = this.socket(nsp, options);
    await this.connected(socket);
    return socket;
  }

  // alone connects a socket and waits until it is the only one, so that figures
  // of the server mean this scenario.
  async alone() {
    const observer = await this.connect();
    await until(observer, { clients: 1, sockets: 1, rooms: 1 });
    return observer;
  }

  // beside joins another namespace on the connection of a socket.
  async beside(socket, nsp) {
    const other = socket.io.socket(nsp, {});
    await within(new Promise((resolve) => other.once("connect", resolve)), `connection to ${nsp}`);
    return other;
  }

  async connected(socket) {
    const refused = new Promise((_, reject) => {
      for (const event of ["connect_error", "error"]) {
        socket.once(event, (error) => reject(new Error(`refused: ${error?.message ?? error}`)));
      }
    });
    refused.catch(() => {});
    await within(Promise.race([new Promise((resolve) => socket.once("connect", resolve)), refused]), "connection");
    const { engine } = socket.io;
    if (this.mode === "upgrade" && engine.transport.name !== "websocket") await once(engine, "upgrade");
  }

  // proxy is a way to the server that can be cut, stopped, or kept from polls.
  async proxy() {
    const proxy = new Proxy(this.url);
    await proxy.listen();
    this.#open.push(() => proxy.close());
    return proxy;
  }

  // defer runs a function when the scenario has ended.
  defer(run) { this.#open.push(run); }

  close() { for (const run of this.#open.splice(0)) run(); }
}
