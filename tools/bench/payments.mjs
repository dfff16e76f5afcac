//! Webhooks: verified and stored, each event new; beside a Worker that checks the same signature and answers.

import { createHmac } from "node:crypto";

const SECRET = "whsec_bench";

export const paymentScenarios = [
  {
    name: "webhook accepted",
    baseline: "webhook verifier",
    async setup() {
      return { run: Date.now().toString(36) };
    },
    request: delivery,
    baselineRequest: delivery,
  },
];

/** An event that concerns nobody, so that accepting it is all that is measured. */
function delivery({ run }, n) {
  const body = JSON.stringify({ id: `evt_${run}_${n}`, object: "event", type: "customer.updated", livemode: false, data: { object: { id: "cus_1", object: "customer" } } });
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", SECRET).update(`${at}.${body}`).digest("hex");
  return { method: "POST", path: "/webhooks/stripe", headers: { "content-type": "application/json", "stripe-signature": `t=${at},v1=${signature}` }, body };
}
