// Connects a few sockets, says so, and prints for each the reason of its
// disconnect, and what became of a call that was under way:
//
//   node leave.mjs --url http://127.0.0.1:3000 --mode upgrade
import { parseArgs } from "node:util";
import { Context, once, require, settle } from "./scenario.mjs";

const { values: flags } = parseArgs({ options: { url: { type: "string" }, mode: { type: "string" } } });
const t = new Context({ ...flags, io: require("socket.io-client").io });
const main = await t.connect();
const custom = await t.beside(main, "/custom");
const alone = await t.connect();
const reasons = Promise.all([main, custom, alone].map((socket) => once(socket, "disconnect")));
const call = alone.timeout(60_000).emitWithAck("nobody listens").then(() => "answered", (error) => error.message);
await settle(main, custom, alone); // no request is being sent any more
console.log("ready");
const result = { reasons: (await reasons).map(([reason]) => reason), call: await call };
console.log(JSON.stringify(result));
process.exit(0);
