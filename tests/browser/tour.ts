/**
 * A tour of every page of the shop in every state that looks different; the caller acts at each
 * stop.
 */
import { ADDRESS, type Shopper } from './shopper.ts';

/** Yields the name of the current page. Nothing on it changes until the next page is requested. */
export async function* tour(shopper: Shopper): AsyncGenerator<string> {
  yield* browse(shopper);
  yield* order(shopper);
}

async function* browse(shopper: Shopper): AsyncGenerator<string> {
  const pages = {
    'home': '/',
    'list': '/products',
    'list-last': '/products?page=3',
    'category': '/collections/electronics--phones',
    'product': '/products/iphone-17-pro-max',
    'product-single': '/products/ohmstead-gift-card',
    'product-sold-out': '/products/oddbit-pocket',
    'search': '/products?q=headphones',
    'search-nothing': '/products?q=nothing+of+this+name',
    'policy': '/policies/returns',
    'lookup': '/orders',
    'lookup-sent': '/orders?sent',
    'design': '/_design',
    'home-german': '/de',
    'product-german': '/de/products/iphone-17-pro-max?currency=EUR',
    'cart-empty': '/cart',
    'offline': '/offline',
    'not-found': '/products/nothing-of-this-name',
    'error': '/products?currency=XXX',
  };
  shopper.expects(/status of 4(04|22)/);
  for (const [name, path] of Object.entries(pages)) {
    await shopper.visit(path);
    yield name;
  }
  await shopper.visit('/products/iphone-17');
  await shopper.page.locator('.delivery summary').click();
  yield 'product-delivery';
}

async function* order(shopper: Shopper): AsyncGenerator<string> {
  await shopper.add('iphone-17-pro-max', 2);
  await shopper.add('murmur-over');
  yield 'drawer';
  await shopper.visit('/cart');
  yield 'cart';
  await shopper.link('Check out').click();
  yield 'checkout';
  shopper.expects(/status of 422/);
  await shopper.fill({ ...ADDRESS, 'Postal code': 'nowhere' });
  await shopper.button('Continue to review').click();
  await shopper.page.locator('[aria-invalid]').waitFor();
  yield 'checkout-fault';
  await shopper.field('Same as delivery address').uncheck();
  yield 'checkout-billing';
  await shopper.field('Same as delivery address').check();
  await shopper.fill(ADDRESS);
  await shopper.button('Continue to review').click();
  await shopper.heading('Review your order').waitFor();
  yield 'review';
  await shopper.placeOrder();
  yield 'payment';
  await shopper.link('Back to shop').click();
  await shopper.status('Waiting for your payment').waitFor();
  yield 'order-waiting';
  await shopper.visit('/cart');
  yield 'cart-in-checkout';
  await shopper.link('View order').click();
  await shopper.link('Pay now').click();
  await shopper.heading(/^Pay /).waitFor();
  await shopper.pay();
  yield 'order-confirmed';
  await shopper.link('Invoice').click();
  await shopper.heading(/^Invoice /).waitFor();
  yield 'invoice';
}
