// Runs the blocks of code that come as JSON on the standard input, each on a server
// of npm's socket.io with a connected client that answers whatever asks for it. Then
// another client comes, which meets the handlers that the block has set.
import { createServer } from "node:http";
import { once } from "node:events";
import { json } from "node:stream/consumers";
import { Emitter } from "@socket.io/redis-emitter";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";

const AsyncFunction = (async () => {}).constructor;

// server returns a server on a free port, whatever port the code asks for.
function server() {
	const s = createServer();
	const listen = s.listen.bind(s);
	s.listen = () => listen(0, "127.0.0.1");
	return s;
}

async function client(server) {
	if (!server.listening) await once(server, "listening");
	const socket = connect(`http://127.0.0.1:${server.address().port}`, { forceNew: true, reconnection: false });
	socket.onAny((event, ...args) => {
		const ack = args.at(-1);
		if (typeof ack === "function") ack("yes");
	});
	return socket;
}

async function run(code) {
	const ours = server();
	const io = new Server(ours.listen());
	const [first, [socket]] = await Promise.all([client(ours), once(io, "connection")]);
	const given = { Emitter, Server, httpServer: server(), io, redisClient: { publish() {} }, socket };
	await new AsyncFunction(...Object.keys(given), `{${code}\n}`)(...Object.values(given));

	const { httpServer } = given;
	const asked = httpServer.address() ? httpServer : ours;
	if (asked.listening) {
		const second = await client(asked);
		await Promise.race([once(second, "connect"), once(second, "connect_error")]);
		second.close();
	}
	first.close();
	await io.close();
	if (httpServer.listening) await new Promise((resolve) => httpServer.close(resolve));
}

for (const { name, code } of await json(process.stdin)) {
	try {
		await run(code);
	} catch (error) {
		console.log(`${name}: ${error.stack}`);
		process.exitCode = 1;
	}
}
process.exit();
