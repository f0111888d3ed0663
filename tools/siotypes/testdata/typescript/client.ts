// What an application writes with the generated interfaces; each line below an
// expected error must be one, or the compiler complains.
import { io, type Socket } from "socket.io-client";
import { Server } from "socket.io";
import type { ClientToServerEvents, Message, ServerToClientEvents } from "./events";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();

socket.on("chat", (message) => {
  const created: string = message.created;
  const kind: "text" | "image" = message.kind;
  const level: 1 | 2 | undefined = message.level;
  const parent: Message | null = message.parent;
  const reply: Message | undefined = message.reply;
  const names: (string | null)[] = message.names;
  const point: [number, number] = message.point;
  const x: number = message.Nested.X;
  const odd: boolean = message["is-it"];
  // @ts-expect-error: base64 text, not bytes
  const digest: number[] = message.Digest;
  // @ts-expect-error: ignored by its tag
  message.Hidden;
  socket.emit("chat", message);
});
socket.on("ping pong", () => {});
socket.on("moved", (who: string, angle: number) => {});
socket.on("three", (a: boolean, b: ArrayBuffer | Uint8Array | null, c: number) => {});
socket.on("saved", (record) => {
  const id: string | undefined = record.id;
  const value: number = record.Values["a"];
  record.Failure.Reason.toUpperCase();
});
socket.on("confirm", (question, ack) => {
  question.toUpperCase();
  ack(true);
  ack({ error: { message: "no" } });
  // @ts-expect-error: a reply is a boolean
  ack("yes");
});

socket.emit("log", 1, null, 5, 6);
socket.emit("list/all~", { items: ["a"], next: 0 }, (reply) => {
  if ("error" in reply) {
    reply.error.message.toUpperCase();
    return;
  }
  reply.items[0].tags.join();
});
socket.emit("sum", 1, 2, 3, (reply) => {
  if (typeof reply === "number") reply.toFixed();
});
socket.emit("bye", (failure) => failure?.error.message);
socket.emit("many", (first, ...others) => {
  if (typeof first === "object") first.error.message.toUpperCase();
});
new Server<ClientToServerEvents, ServerToClientEvents>().on("connection", (s) => {
  s.on("many", (ack) => ack(1, 2, 3));
  s.on("many", (ack) => ack({ error: { message: "no" } }));
  // @ts-expect-error: numbers
  s.on("many", (ack) => ack("one"));
});

// @ts-expect-error: no such event
socket.emit("internal", "x");
// @ts-expect-error: the server sends it, clients don't
socket.emit("moved", "x", 1);
// @ts-expect-error: no such level
socket.emit("log", 3);
// @ts-expect-error: a member is missing
socket.emit("list/all~", { items: [] }, () => {});

async function calls() {
  const reply = await socket.emitWithAck("list/all~", { items: [], next: 1 });
  if ("items" in reply) reply.items.length;
}
calls();

// The other end has the same interfaces.
const server = new Server<ClientToServerEvents, ServerToClientEvents>();
server.on("connection", (s) => {
  s.on("log", (level, ...rest) => rest.length + level);
  s.emit("moved", "x", 1);
  s.on("list/all~", (page, ack) => ack({ items: [], next: page.items.length }));
});
