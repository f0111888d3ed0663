"use strict";
// Serves named operations to package nodepeer: one JSON object a line on
// standard input, {op, cases}, one a line on standard output, {results} or
// {error}. An operation is a function of one case; what it throws becomes
// {error} in the place of that case's result. It ends with its input.

exports.serve = function serve(operations) {
  // Whatever a reference implementation prints must not get between the answers.
  const write = process.stdout.write.bind(process.stdout);
  console.log = console.error;

  const answer = (line) => {
    const { op, cases } = JSON.parse(line);
    if (!Object.hasOwn(operations, op)) return { error: `no operation ${op}` };
    return {
      results: cases.map((c) => {
        try {
          return operations[op](c);
        } catch (e) {
          return { error: String((e && e.message) || e) };
        }
      }),
    };
  };

  let parts = [];
  process.stdin.on("data", (chunk) => {
    for (;;) {
      const end = chunk.indexOf(0x0a);
      if (end < 0) break;
      parts.push(chunk.subarray(0, end));
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      chunk = chunk.subarray(end + 1);
      write(JSON.stringify(answer(line)) + "\n");
    }
    if (chunk.length > 0) parts.push(chunk);
  });
};
