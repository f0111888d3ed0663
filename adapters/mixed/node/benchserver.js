// A server of the reference for the throughput comparison: node benchserver.js
// MODULE OPTIONS. It prints its address. "join" puts a client into the room that
// "blast" broadcasts to, so often as its argument says.
"use strict";

const { createServer } = require("http");
const { Server } = require("socket.io");

const [name, options] = process.argv.slice(2);

(async () => {
  const http = createServer();
  const { adapter } = await require("./buses/" + name).create(JSON.parse(options));
  const io = new Server(http, { adapter, perMessageDeflate: false });
  const payload = "x".repeat(100);
  io.on("connection", (socket) => {
    socket.on("join", () => socket.join("room"));
    socket.on("blast", (count) => {
      for (let i = 0; i < count; i++) io.to("room").emit("news", i, payload);
    });
  });
  http.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + http.address().port));
  process.stdin.on("end", () => process.exit(0)).resume();
})();
