// A way to the server that a scenario can break.
import { EventEmitter, once } from "node:events";
import net from "node:net";

// disconnected resolves when a socket has noticed its end; errors before do not matter.
const disconnected = (socket) => new Promise((resolve) => socket.once("disconnect", resolve));

const POLL = /^GET [^ ]*transport=polling/;

// Proxy passes on what comes, in both directions. It knows one thing of HTTP: a
// request that polls, which is written at once and not answered before there is
// something to say.
export class Proxy extends EventEmitter {
  #target;
  #server;
  #links = new Set();
  #closed = false; // new connections are broken off
  #stopped = false; // nothing passes any more
  #held; // polls that wait for release, if they are held

  constructor(url) {
    super();
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port };
    this.#server = net.createServer((near) => this.#accept(near));
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  #accept(near) {
    if (this.#closed) return near.destroy();
    const far = net.connect(this.#target);
    const link = { near, far, polls: false, severed: false, answered: false };
    this.#links.add(link);
    for (const [end, other] of [[near, far], [far, near]]) {
      end.on("error", () => {});
      end.on("close", () => {
        this.#links.delete(link);
        link.severed ? other.end() : other.destroy();
      });
    }
    near.on("data", (chunk) => !link.severed && this.#request(link, chunk));
    far.on("data", (chunk) => {
      if (link.severed) link.answered = true;
      else if (near.writable) near.write(chunk);
      link.polls = false;
    });
    if (this.#stopped) this.#stop(link);
  }

  #request(link, chunk) {
    link.polls = POLL.test(chunk.toString("latin1"));
    if (link.polls && this.#held) {
      this.#held.push(() => link.far.write(chunk));
      return this.emit("held");
    }
    link.far.write(chunk);
    if (link.polls) this.emit("poll");
  }

  // hold keeps the polls that come from now on, and resolves when there is one.
  async hold() {
    this.#held = [];
    await once(this, "held");
  }

  // release passes on what was held.
  release() {
    for (const pass of this.#held) pass();
    this.#held = undefined;
  }

  // cut breaks everything until the socket has noticed: between two polling
  // requests there is nothing to break.
  async cut(socket) {
    const noticed = disconnected(socket);
    this.#closed = true;
    this.#destroy();
    await noticed;
    this.#closed = false;
  }

  // sever tells both sides that the other has gone, once a poll waits if the
  // socket polls, and lets nothing pass any more. Nobody loses what was sent to him
  // before, as with a reset. It resolves, when the socket has noticed, with a function
  // that says whether the server has answered the poll: if it did so at that very
  // moment, it has not noticed anything.
  async sever(socket) {
    const noticed = disconnected(socket);
    const polling = socket.io.engine.transport.name === "polling";
    while (polling && ![...this.#links].some((link) => link.polls)) await once(this, "poll");
    const links = [...this.#links];
    this.#closed = true;
    for (const link of links) {
      link.severed = true;
      link.near.end();
      link.far.end();
    }
    await noticed;
    return { answered: () => polling && links.some((link) => link.answered) };
  }

  // stop makes the network silent.
  stop() {
    this.#stopped = true;
    for (const link of this.#links) this.#stop(link);
  }

  #stop({ near, far }) {
    near.pause();
    far.pause();
  }

  #destroy() {
    for (const { near, far } of this.#links) {
      near.destroy();
      far.destroy();
    }
  }

  close() {
    this.#server.close();
    this.#destroy();
  }
}
