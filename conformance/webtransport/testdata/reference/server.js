// The reference server with WebTransport. Node has no HTTP/3, and engine.io takes
// any object that looks like a session of the browsers' WebTransport: here the
// session and its one stream are a TCP connection to a bridge, which speaks
// HTTP/3 (bridge_test.go). Its first byte tells that the stream was opened.
"use strict";

const http = require("http");
const net = require("net");
const { Server } = require("engine.io");

const engine = new Server({
  pingInterval: 1500,
  pingTimeout: 700,
  upgradeTimeout: 2000,
  maxHttpBufferSize: 1e6,
  transports: ["polling", "websocket", "webtransport"],
});
engine.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data));
});

const httpServer = http.createServer((req, res) => engine.handleRequest(req, res));

function sessionOver(connection) {
  let streams, bytes;
  let opened = false;
  const incomingBidirectionalStreams = new ReadableStream({
    start: (controller) => (streams = controller),
  });
  const readable = new ReadableStream({
    start: (controller) => (bytes = controller),
    cancel: () => {},
  });
  const writable = new WritableStream({
    write: (chunk) => void connection.write(chunk),
  });
  connection.on("data", (chunk) => {
    if (!opened) {
      opened = true;
      streams.enqueue({ readable, writable });
      chunk = chunk.subarray(1);
    }
    if (chunk.length > 0) {
      try {
        bytes.enqueue(new Uint8Array(chunk));
      } catch (e) {
        // the server reads no more
      }
    }
  });
  const closed = new Promise((resolve) => connection.on("close", resolve));
  closed.then(() => {
    for (const controller of [streams, bytes]) {
      try {
        controller.close();
      } catch (e) {
        // it was closed or cancelled already
      }
    }
  });
  connection.on("error", () => {});
  return { incomingBidirectionalStreams, closed, close: () => connection.end() };
}

const bridge = net.createServer((connection) => {
  engine.onWebTransportSession(sessionOver(connection)).catch(() => connection.destroy());
});

httpServer.listen(0, "127.0.0.1", () => {
  bridge.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ http: httpServer.address().port, bridge: bridge.address().port }));
  });
});
