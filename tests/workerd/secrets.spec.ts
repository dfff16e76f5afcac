/** Without real secrets no payment begins and no delivery is believed; production talks to the real provider alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stripe } from 'stripe';
import { csvOf } from './catalog.ts';
import { SECRETS, startShop } from './shop.ts';

const PRODUCTION = {
  ENVIRONMENT: 'production', STRIPE_API_BASE: 'https://api.stripe.com', MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>',
};

const UNUSABLE: Record<string, Record<string, string>> = {
  'no payment key': { STRIPE_SECRET_KEY: '' },
  'no endpoint secret': { STRIPE_WEBHOOK_SECRET: '' },
  'a test key in production': PRODUCTION,
  'a placeholder in production': { ...PRODUCTION, STRIPE_SECRET_KEY: 'sk_live_your_key', STRIPE_WEBHOOK_SECRET: 'whsec_your_secret' },
};

for (const [name, vars] of Object.entries(UNUSABLE)) test(`with ${name} the shop shows its goods and takes no payment`, async () => {
  const shop = await startShop({ vars });
  try {
    await shop.importCatalog(csvOf({ sku: 'LAMP' }));
    const buyer = shop.shopper();
    await buyer.add('LAMP');
    const { id } = await buyer.quote();
    const before = await shop.counts();
    const refused = await buyer.order(id);
    refused.refused(503, 'payments_not_configured');
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    const payload = JSON.stringify({ id: 'evt_1', type: 'x', livemode: false, data: { object: {} } });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
    (await shop.shopper().send('POST', '/webhooks/stripe', payload, { 'stripe-signature': signature })).refused(503, 'payments_not_configured');
    assert.equal((await shop.shopper().get('/readyz')).status, 503);
    assert.deepEqual(await shop.counts(), before);
    assert.equal(shop.sandbox.account.sessions.size, 0);
  } finally {
    await shop.close();
  }
});

test('production with a sandbox behind it answers nothing', async () => {
  const shop = await startShop({ vars: { ...PRODUCTION, STRIPE_API_BASE: 'http://127.0.0.1:8788' } });
  try {
    const answer = await shop.shopper().get('/api/v1/products');
    assert.equal(answer.status, 500);
    assert.ok(shop.log.some((line) => line.includes('production takes payments at Stripe alone')));
  } finally {
    await shop.close();
  }
});
