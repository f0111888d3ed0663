import { equal, once, require, scenario, within } from "./scenario.mjs";

// What the official client can't show, because JavaScript has read the numbers
// by then: the text on the wire, seen with engine.io-client, which adds and takes
// away the leading 4 of a message.
const { Socket } = require("engine.io-client");

async function raw(t, path = "/socket.io/") {
  const engine = new Socket(t.url, { path, transports: t.transports });
  t.defer(() => engine.close());
  await once(engine, "open");
  if (t.mode === "upgrade") await once(engine, "upgrade");
  const lines = [];
  engine.on("message", (data) => lines.push(data));
  const reply = (prefix) => within(new Promise((resolve) => {
    const look = () => {
      const found = lines.find((line) => typeof line === "string" && line.startsWith(prefix));
      found === undefined ? engine.once("message", () => setImmediate(look)) : resolve(found);
    };
    look();
  }), prefix);
  engine.send("0");
  await reply("0");
  return { engine, reply, lines };
}

const clients = [4];

scenario("wire: the answer to CONNECT", { clients }, async (t) => {
  const { reply } = await raw(t);
  equal(/^0\{"sid":"[\w-]{20}"\}$/.test(await reply("0")), true);
});

scenario("wire: the digits of 64-bit integers survive", { clients, beyond: true }, async (t) => {
  const { engine, reply } = await raw(t);
  const args = "9223372036854775807,-9223372036854775808,18446744073709551615,[12345678901234567890123456789,0.1000000000000000055511151231257827,1.0,-0,1E5]";
  engine.send(`2["message",${args}]`);
  equal(await reply('2["message-back"'), `2["message-back",${args}]`);
  engine.send(`27["message-with-ack",${args}]`);
  equal(await reply("37"), `37[${args}]`);
});

scenario("wire: escapes and spaces are relayed as they came", { clients, beyond: true }, async (t) => {
  const { engine, reply } = await raw(t);
  engine.send('2["message", {"a" : "\\u00e9\\/\\ud83d", "b":[ ] , "a":2}]');
  equal(await reply('2["message-back"'), '2["message-back",{"a" : "\\u00e9\\/\\ud83d", "b":[ ] , "a":2}]');
});

scenario("wire: binary is renumbered in order of appearance", { clients }, async (t) => {
  const { engine, reply, lines } = await raw(t);
  engine.send('52-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]');
  engine.send(Buffer.from([1]));
  engine.send(Buffer.from([2]));
  equal(await reply("52-"), '52-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  while (lines.length < lines.findIndex((line) => String(line).startsWith("52-")) + 3) await once(engine, "message");
  equal(lines.slice(-2), [Buffer.from([2]), Buffer.from([1])]);
});

scenario("wire: acknowledgement ids keep their digits", { clients }, async (t) => {
  const { engine, reply } = await raw(t);
  engine.send('29007199254740991["message-with-ack","x"]');
  equal(await reply("3"), '39007199254740991["x"]');
});
