// Prints the features that a server announces, sorted, as JSON.
import { Context, ask, require } from "./scenario.mjs";

const t = new Context({ url: process.argv[2], io: require("socket.io-client").io, mode: "websocket" });
const [features] = await ask(await t.connect(), "features");
console.log(JSON.stringify(features.sort()));
t.close();
process.exit(0);
