/**
 * Findings sent by email and webhook: each once, whatever dies or fails on the way; when delivery
 * is given up, staff can see it.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import type { Json } from './client.ts';
import { startShop, type Shop } from './shop.ts';

type Sent = { path: string; headers: IncomingMessage['headers']; text: string };

const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const DAY = 24 * 3_600_000;

let shop: Shop;
let receiver: Server;
let fails = false;
const sent: Sent[] = [];

before(async () => {
  receiver = createServer(async (request, response) => {
    sent.push({ path: request.url ?? '', headers: request.headers, text: await text(request) });
    const failed = request.url === '/hook' ? 302 : 500;
    response.writeHead(fails ? failed : 200, { location: '/elsewhere' }).end('{}');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  shop = await startShop({
    vars: {
      MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>', MAIL_API_BASE: origin, FINDINGS_MAIL: 'staff@shop.test',
      FINDINGS_WEBHOOK_URL: `${origin}/hook`, FINDINGS_WEBHOOK_SECRET: `whsec_${KEY}`,
    },
  });
  await shop.scheduled(); // today's look at what fills up
});
after(async () => {
  await shop.close();
  receiver.close();
});

test('a finding is told by both channels, signed, and not again', async () => {
  await bury('one');
  await shop.scheduled();
  await shop.scheduled();
  const [hook, ...more] = to('/hook');
  assert.deepEqual([more.length, to('/emails').length], [0, 1]);
  const receiver = new Webhook(`whsec_${KEY}`);
  const headers = hook!.headers as Record<string, string>;
  const { type, data } = receiver.verify(hook!.text, headers) as { type: string; data: Json };
  assert.deepEqual([type, data.kind, data.subject, data.id], ['finding.created', 'dead_letter', 'one-dead', headers['webhook-id']]);
  assert.throws(() => receiver.verify(hook!.text.replace('one-dead', 'two-dead'), headers));
  assert.throws(() => new Webhook(`whsec_${KEY.replace('M', 'N')}`).verify(hook!.text, headers));
  const mail = JSON.parse(to('/emails')[0]!.text);
  assert.deepEqual(mail.to, ['staff@shop.test']);
  assert.match(mail.text, /dead_letter: one-dead/);
});

test('a mail waits for a quarter of an hour since the last, and gathers what was found', async () => {
  sent.length = 0;
  await bury('two');
  await bury('three');
  await shop.scheduled();
  assert.deepEqual([to('/emails').length, to('/hook').length], [0, 2]);
  await quarterLater();
  await shop.scheduled();
  const [mail, ...more] = to('/emails');
  assert.equal(more.length, 0);
  assert.match(mail!.text, /two-dead[^]*three-dead/);
});

test('who dies before noting what was sent sends it again under the same ids, and the same words', async () => {
  sent.length = 0;
  await quarterLater();
  await bury('four');
  await shop.rows("CREATE TRIGGER dies BEFORE UPDATE OF delivered_at ON finding_deliveries BEGIN SELECT RAISE(ABORT, 'dies'); END");
  await shop.scheduled();
  await shop.rows('DROP TRIGGER dies');
  await due();
  await shop.scheduled();
  await due();
  await shop.scheduled();
  const [firstMail, secondMail, ...mails] = to('/emails');
  assert.deepEqual([firstMail?.headers['idempotency-key'], firstMail?.text], [secondMail?.headers['idempotency-key'], secondMail?.text]);
  const [first, second, ...hooks] = to('/hook');
  assert.deepEqual([first?.headers['webhook-id'], first?.text], [second?.headers['webhook-id'], second?.text]);
  assert.deepEqual([mails.length, hooks.length], [0, 0]);
});

test('a receiver that fails is asked again, then given up and told; a redirect is not followed', async () => {
  sent.length = 0;
  await quarterLater();
  await bury('five');
  fails = true;
  await shop.scheduled();
  await shop.scheduled();
  assert.deepEqual(sent.map(({ path }) => path).sort(), ['/emails', '/hook']);
  const [row] = await shop.rows("SELECT attempts, last_error FROM finding_deliveries WHERE channel = 'webhook' AND due_at IS NOT NULL");
  assert.deepEqual(row, { attempts: 1, last_error: 'internal_error: webhook of findings: status 302' });
  assert.equal((await finding('five-dead'))['untold'], undefined);
  await due();
  await shop.rows('UPDATE finding_deliveries SET give_up_at = give_up_at - ? WHERE due_at IS NOT NULL', DAY);
  await shop.scheduled();
  await due();
  await shop.scheduled();
  assert.equal(to('/hook').length, 2);
  assert.deepEqual((await finding('five-dead'))['untold'].sort(), ['mail', 'webhook']);
});

test('what the sweep can not finish is told once it is stuck, and what it finished never', async () => {
  sent.length = 0;
  const found = (subject: string, error: string | null, times: number) => shop.rows(
    'INSERT INTO findings (kind, subject, error, found_at, day, times, last_at) VALUES (?, ?, ?, ?1, ?1 / 86400000, ?, ?1)'.replaceAll('?1', String(Date.now())),
    'undone_tasks', subject, error, times);
  await found('ord_stuck', 'provider: does not answer', 4);
  await found('ord_healed', null, 50);
  await shop.scheduled();
  assert.deepEqual(to('/hook'), []);
  fails = false;
  await shop.rows("UPDATE findings SET times = 5 WHERE subject = 'ord_stuck'");
  await shop.scheduled();
  await shop.scheduled();
  assert.deepEqual(to('/hook').map(({ text }) => JSON.parse(text).data.subject), ['ord_stuck']);
});

test('a database that has room is no finding, and dead letters are counted once a day', async () => {
  assert.deepEqual(await shop.rows("SELECT id FROM findings WHERE kind = 'storage'"), []);
  await shop.rows("UPDATE jobs SET due_at = 0 WHERE name = 'storage_watch'");
  await shop.scheduled();
  await shop.scheduled();
  const found = await shop.rows("SELECT error, times FROM findings WHERE subject = 'all queues' ORDER BY id DESC LIMIT 1");
  assert.deepEqual(found, [{ error: '5 dead letters are waiting: replay or discard them', times: 1 }]);
});

const to = (path: string): Sent[] => sent.filter((it) => it.path === path);

async function bury(queue: string): Promise<void> {
  const { explicitAcks } = await shop.consume(`${queue}-dead`, [{ id: queue, body: `evt_${queue}` }]);
  assert.deepEqual(explicitAcks, [queue]);
}

async function quarterLater(): Promise<void> {
  await shop.rows('UPDATE finding_deliveries SET digest = digest - 1000000 WHERE digest IS NOT NULL');
}

async function due(): Promise<void> {
  await shop.rows('UPDATE finding_deliveries SET due_at = 0 WHERE due_at IS NOT NULL');
}

async function finding(subject: string): Promise<Json> {
  const { data } = (await shop.staff.get('/api/v1/admin/findings?limit=100')).expect(200);
  return data.find((it: Json) => it['subject'] === subject);
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
