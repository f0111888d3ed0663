"use strict";
// The operations of nodepeer's own test.
const { serve } = require("./peer");

serve({
  echo: (c) => c,
  fail: (c) => {
    throw new Error(`refused ${c.text}`);
  },
});
