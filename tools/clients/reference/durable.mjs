// A server on npm's socket.io whose memory survives it: each event "n" is
// written to a file before it is acknowledged.
//
//   node durable.mjs <port> <file>
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import http from "node:http";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const { Server } = require("socket.io");

const [port, file] = process.argv.slice(2);
const web = http.createServer();
new Server(web, { serveClient: false }).on("connection", (socket) => {
  socket.on("n", (n, ack) => {
    appendFileSync(file, `${n}\n`);
    ack(n);
  });
});
web.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${web.address().port}`));
