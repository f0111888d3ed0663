// Runs the scenarios with one version of the official client against one
// server and prints a line of JSON for each verdict:
//
//   {"name": "events: …", "ok": true, "ms": 3}
//   {"name": "events: …", "ok": false, "error": "…"}
//   {"name": "events: …", "missing": "recovery"}    the server does not announce what it needs
//
//   node run.mjs --url http://127.0.0.1:3000 --client socket.io-client --major 4 --mode upgrade [--control] [--only text]
import { parseArgs } from "node:util";
import { Context, ask, require, scenarios, within } from "./scenario.mjs";
import "./connection.mjs";
import "./events.mjs";
import "./binary.mjs";
import "./acks.mjs";
import "./rooms.mjs";
import "./namespaces.mjs";
import "./disconnect.mjs";
import "./reconnection.mjs";
import "./upgrade.mjs";
import "./probes.mjs";
import "./recovery.mjs";
import "./msgpack.mjs";
import "./wire.mjs";
import "./engine.mjs";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string" },
    client: { type: "string", default: "socket.io-client" },
    major: { type: "string", default: "4" },
    mode: { type: "string", default: "upgrade" },
    control: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const LIMIT = 60_000; // milliseconds a scenario

const client = require(flags.client);
const io = client.io ?? client;
// Version 2 speaks revision 3 of Engine.IO, which servers answer where asked to.
const legacy = Number(flags.major) < 3;
const setting = { url: flags.url, io, mode: flags.mode, path: legacy ? "/sio-v3/" : "/socket.io/" };

async function features() {
  const t = new Context({ url: flags.url, io: require("socket.io-client").io, mode: "websocket" });
  try {
    const [list] = await ask(await t.connect(), "features");
    return list;
  } finally {
    t.close();
  }
}

function print(verdict) {
  process.stdout.write(JSON.stringify(verdict) + "\n");
}

process.on("unhandledRejection", (error) => print({ name: "runner: unhandled rejection", ok: false, error: String(error?.stack ?? error) }));

const announced = await features();
for (const { name, clients, modes, needs, beyond, run } of scenarios) {
  if (!clients.includes(Number(flags.major)) || !modes.includes(flags.mode)) continue;
  if (beyond && flags.control || !name.includes(flags.only)) continue;
  const needed = [needs, legacy && "eio3"].filter((feature) => feature && !announced.includes(feature));
  if (needed.length > 0) { print({ name, missing: needed.join(" and ") }); continue; }
  const t = new Context(setting);
  const start = performance.now();
  try {
    await within(run(t), "end of the scenario", LIMIT);
    print({ name, ok: true, ms: Math.round(performance.now() - start) });
  } catch (error) {
    print({ name, ok: false, error: String(error?.stack ?? error) });
  } finally {
    t.close();
  }
}
process.exit(0);
