// PostgreSQL: options are {url, prefix}.
"use strict";

const { Pool } = require("pg");
const { createAdapter } = require("@socket.io/postgres-adapter");

exports.create = async ({ url, prefix }) => {
  const pool = new Pool({ connectionString: url });
  pool.on("error", () => {});
  return {
    adapter: createAdapter(pool, { channelPrefix: prefix }),
    close: async () => {
      // The adapter gives its connection back a moment after io.close, and still says goodbye.
      await pool.end();
    },
  };
};
