// The reference server with the load events of tools/cmd/refserver, level 3.
"use strict";
const { createServer } = require("http");
const { Server } = require("socket.io");

const [host, port] = (process.argv[2] || "127.0.0.1:0").split(":");
const http = createServer();
const io = new Server(http, { serveClient: false });

io.on("connection", (socket) => {
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("ack", (...args) => args.pop()(...args));
  socket.on("join", (room, ack) => { socket.join(room); ack(socket.rooms.size); });
  socket.on("leave", (room, ack) => { socket.leave(room); ack(socket.rooms.size); });
  socket.on("bcast", (room, payload) => io.to(room).emit("msg", payload));
});

http.listen(Number(port), host, () => {
  console.log("listening on", host + ":" + http.address().port);
});
process.on("SIGTERM", () => process.exit(0));
