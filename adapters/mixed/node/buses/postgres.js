// PostgreSQL: options are {url, prefix, max}; max is the size of the pool.
"use strict";

const { Pool } = require("pg");
const { createAdapter } = require("@socket.io/postgres-adapter");

exports.create = async ({ url, prefix, max = 10 }) => {
  const pool = new Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return {
    adapter: createAdapter(pool, { channelPrefix: prefix }),
    close: () => pool.end(),
  };
};
