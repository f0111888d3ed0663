"use strict";
// Serves named operations to package nodepeer: one JSON object a line on
// standard input, {op, cases}, one a line on standard output, {results} or
// {error}. An operation is a function of one case and may return a promise; what
// it throws becomes {error} in the place of that case's result. The process ends
// with its input.

exports.serve = function serve(operations) {
  // Whatever a reference implementation prints must not get between the answers.
  const write = process.stdout.write.bind(process.stdout);
  console.log = console.error;

  const result = async (operation, c) => {
    try {
      return await operation(c);
    } catch (e) {
      return { error: String((e && e.message) || e) };
    }
  };

  const answer = async (line) => {
    const { op, cases } = JSON.parse(line);
    if (!Object.hasOwn(operations, op)) return { error: `no operation ${op}` };
    const results = [];
    for (const c of cases) results.push(await result(operations[op], c));
    return { results };
  };

  (async () => {
    let parts = [];
    for await (let chunk of process.stdin) {
      for (;;) {
        const end = chunk.indexOf(0x0a);
        if (end < 0) break;
        parts.push(chunk.subarray(0, end));
        const line = Buffer.concat(parts).toString("utf8");
        parts = [];
        chunk = chunk.subarray(end + 1);
        write(JSON.stringify(await answer(line)) + "\n");
      }
      if (chunk.length > 0) parts.push(chunk);
    }
  })();
};

// Nanoseconds that operation takes, in the fastest of some rounds of at least
// so many milliseconds; as many rounds before them warm up.
exports.time = function time(operation, rounds, milliseconds) {
  let n = 100;
  let least = Infinity;
  for (let round = -rounds; round < rounds; ) {
    const begin = performance.now();
    for (let i = 0; i < n; i++) operation();
    const elapsed = performance.now() - begin;
    if (elapsed < milliseconds) {
      n *= 2;
      continue;
    }
    round++;
    if (round > 0) least = Math.min(least, elapsed / n);
  }
  return least * 1e6;
};
