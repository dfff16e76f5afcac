/**
 * The hosted payment page: what is bought, and what the buyer can do about it. Plain HTML and
 * forms, no script; every value is escaped. After a POST comes a redirect, to the shop when the
 * session is complete and to the page itself otherwise. Source:
 * https://docs.stripe.com/payments/checkout/custom-success-page ({CHECKOUT_SESSION_ID} in
 * success_url)
 */
import type { Account, LineItem, Session } from './account.ts';
import { format } from './currencies.ts';
import { html, invalid, parseForm, redirect, StripeError, type Answer } from './http.ts';
import { declineSession, delaySession, paySession, settleSession } from './payments.ts';
import { getSession } from './sessions.ts';

export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#f4f5f8, #16181d); color: light-dark(#1b1f2a, #eceef3); }
main { max-width: 32rem; margin: 2rem auto; padding: 2rem; border-radius: 12px; background: light-dark(#fff, #20232b);
  box-shadow: 0 8px 30px rgb(0 0 0 / .12); }
.banner { margin: 0; padding: .5rem 1rem; background: #ffd75e; color: #3a2c00; text-align: center; font-weight: 600; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid light-dark(#e3e5ea, #3a3f4b); }
th:last-child, td:last-child { text-align: end; white-space: nowrap; }
tfoot td, tfoot th { border: 0; font-size: 1.125rem; font-weight: 700; }
form { display: grid; gap: .75rem; margin-top: 1.5rem; }
button { padding: .75rem; border: 1px solid light-dark(#888f9e, #6b7280); border-radius: 8px; background: transparent;
  color: inherit; font: inherit; cursor: pointer; }
button.primary { border-color: #4338ca; background: #4338ca; color: #fff; font-weight: 600; }
a { color: light-dark(#4338ca, #a5b4fc); }
.alert { padding: .75rem 1rem; border-radius: 8px; background: #fde2e1; color: #7a1210; }
@media (max-width: 36rem) { main { margin: 0; border-radius: 0; } }
`;

const ACTIONS = ['pay', 'decline', 'delay', 'succeed', 'fail'] as const;
type Action = (typeof ACTIONS)[number];

export function showPage(account: Account, id: string): Answer {
  try {
    const session = getSession(account, id);
    return html(200, document('Pay', body(account, session)));
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return html(404, document('Not found', '<h1>Not found</h1><p>There is no such payment page.</p>'));
  }
}

export function actOnPage(account: Account, id: string, form: string): Answer {
  const action = parseForm(form)['action'];
  if (!ACTIONS.includes(action as Action)) throw invalid('Invalid action', 'action');
  const page = redirect(`/c/pay/${id}`);
  try {
    return act(account, id, action as Action) ?? page;
  } catch (error) {
    if (error instanceof StripeError && error.status === 400) return page;
    throw error;
  }
}

export function successUrl(session: Session): string {
  return session.success_url.replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

function act(account: Account, id: string, action: Action): Answer | undefined {
  switch (action) {
    case 'pay': return redirect(successUrl(paySession(account, id)));
    case 'delay': return redirect(successUrl(delaySession(account, id)));
    case 'decline': return void declineSession(account, id);
    case 'succeed':
    case 'fail': return void settleSession(account, id, action);
  }
}

function body(account: Account, session: Session): string {
  const intent = session.payment_intent ? account.intents.get(session.payment_intent) : undefined;
  if (session.status === 'expired') return ended('This payment page has expired', 'Nothing was charged.', session.cancel_url);
  if (session.status === 'open') return open(session, account.lineItems.get(session.id) ?? [], intent?.last_payment_error?.['message']);
  if (intent?.status === 'processing') return waiting(session);
  const failed = session.payment_status === 'unpaid';
  return failed
    ? ended('The payment failed', 'The delayed payment did not arrive. Nothing was charged.', successUrl(session))
    : ended('Payment complete', `You paid ${format(session.currency, session.amount_total)}.`, successUrl(session));
}

function open(session: Session, lines: LineItem[], declined: unknown): string {
  const total = format(session.currency, session.amount_total);
  const free = session.amount_total === 0;
  return `
<h1>Pay ${escape(total)}</h1>
${declined ? `<p class="alert" role="alert">${escape(String(declined))} You can try again.</p>` : ''}
<table>
<thead><tr><th scope="col">Item</th><th scope="col">Amount</th></tr></thead>
<tbody>${lines.map(row).join('')}</tbody>
<tfoot><tr><th scope="row">Total</th><td>${escape(total)}</td></tr></tfoot>
</table>
${session.customer_email ? `<p>Receipt to ${escape(session.customer_email)}</p>` : ''}
<form method="post">
<button class="primary" name="action" value="pay">${free ? 'Complete order' : 'Pay'}</button>
${free ? '' : '<button name="action" value="delay">Pay later by bank debit</button><button name="action" value="decline">Decline the card</button>'}
</form>
${session.cancel_url ? `<p><a href="${escape(session.cancel_url)}">Back to shop</a></p>` : ''}`;
}

function row(line: LineItem): string {
  const quantity = line.quantity > 1 ? ` × ${line.quantity}` : '';
  return `<tr><td>${escape(line.description)}${quantity}</td><td>${escape(format(line.currency, line.amount_total))}</td></tr>`;
}

function waiting(session: Session): string {
  return `
<h1>Payment on its way</h1>
<p>${escape(format(session.currency, session.amount_total))} by bank debit has not arrived yet. Decide here how it ends.</p>
<form method="post">
<button class="primary" name="action" value="succeed">Let the payment succeed</button>
<button name="action" value="fail">Let the payment fail</button>
</form>
<p><a href="${escape(successUrl(session))}">Back to shop</a></p>`;
}

function ended(title: string, text: string, back: string | null): string {
  return `<h1>${escape(title)}</h1><p>${escape(text)}</p>${back ? `<p><a href="${escape(back)}">Back to shop</a></p>` : ''}`;
}

function document(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · payment sandbox</title><link rel="stylesheet" href="/c/style.css"><link rel="icon" href="data:,"></head>
<body><header class="banner">Test mode: no money moves</header><main>${main}</main></body>
</html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
