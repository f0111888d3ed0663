// Redis Streams: options are {url, stream, count, channels, sharded, sessions}.
"use strict";

const { createClient } = require("redis");
const { createAdapter } = require("@socket.io/redis-streams-adapter");

exports.create = async ({ url, stream, count, channels, sharded, sessions }) => {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  return {
    adapter: createAdapter(client, {
      streamName: stream,
      streamCount: count,
      channelPrefix: channels,
      useShardedPubSub: sharded,
      sessionKeyPrefix: sessions,
      blockTimeInMs: 200,
    }),
    close: () => client.close(),
  };
};
