// PostgreSQL: options are {url, prefix}.
"use strict";

const { Pool } = require("pg");
const { createAdapter } = require("@socket.io/postgres-adapter");

exports.create = async ({ url, prefix }) => {
  // One connection listens, which leaves one to send: over several, messages of one
  // server of the reference overtake each other, and the tests couldn't tell what is
  // lost from what is late.
  const pool = new Pool({ connectionString: url, max: 2 });
  pool.on("error", () => {});
  return {
    adapter: createAdapter(pool, { channelPrefix: prefix }),
    close: () => pool.end(),
  };
};
