// PostgreSQL: options are {url, prefix, max}; max is the size of the pool.
"use strict";

const { Pool } = require("pg");
const { createAdapter } = require("@socket.io/postgres-adapter");
const { Emitter } = require("@socket.io/postgres-emitter");

exports.create = async ({ url, prefix, max = 10 }) => {
  const pool = new Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return {
    adapter: createAdapter(pool, { channelPrefix: prefix }),
    close: () => pool.end(),
  };
};

exports.createEmitter = async ({ url, prefix }) => {
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  return { emitter: new Emitter(pool, "/", { channelPrefix: prefix }) };
};
