// How long acknowledged events take with npm's client: n of them, so many at a
// time. It prints nanoseconds.
//
//   node throughput.mjs <url> <n> <at a time>
import { createRequire } from "node:module";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, count, width] = process.argv.slice(2).map((arg, i) => (i === 0 ? arg : Number(arg)));
const socket = io(url, { transports: ["websocket"] });
await new Promise((resolve) => socket.once("connect", resolve));
let left = count;
const one = async () => {
  while (left-- > 0) await socket.emitWithAck("message-with-ack", "x".repeat(200));
};
const start = process.hrtime.bigint();
await Promise.all(Array.from({ length: width }, one));
console.log(String(process.hrtime.bigint() - start));
socket.disconnect();
