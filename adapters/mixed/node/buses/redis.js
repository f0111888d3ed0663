// Redis channels: options are {url, mode, prefix, specific}.
"use strict";

const { createClient } = require("redis");
const { createAdapter, createShardedAdapter } = require("@socket.io/redis-adapter");
const { Emitter } = require("@socket.io/redis-emitter");

async function open(url) {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

exports.create = async ({ url, mode, prefix, specific }) => {
  const pub = await open(url);
  const sub = await open(url);
  const adapter =
    mode === "classic"
      ? createAdapter(pub, sub, { key: prefix, publishOnSpecificResponseChannel: specific })
      : createShardedAdapter(pub, sub, { channelPrefix: prefix, subscriptionMode: mode });
  return {
    adapter,
    close: async () => {
      await pub.close();
      await sub.close();
    },
  };
};

// The official emitter speaks to classic servers.
exports.createEmitter = async ({ url, prefix }) => {
  return { emitter: new Emitter(await open(url), { key: prefix }) };
};
