/**
 * A shopper: one Chromium context on a phone or a desktop, with or without JavaScript, who uses the
 * pages as people do, by their visible texts. Every console error, script error, dialog and
 * violation of the Content-Security-Policy is recorded, and `leave` fails on those that the test
 * did not announce.
 */
import assert from 'node:assert/strict';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { findChromium } from '../../tools/chromium.mjs';

const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

export type Kind = { javaScript?: boolean; viewport?: { width: number; height: number }; currency?: string };
export type Address = Record<'Email' | 'Full name' | 'Address' | 'City' | 'State or region' | 'Postal code' | 'Country', string>;

export const ADDRESS: Address = {
  'Email': 'ann@shopper.test',
  'Full name': 'Ann Shopper',
  'Address': '1 Main Street',
  'City': 'New York',
  'State or region': 'NY',
  'Postal code': '10001',
  'Country': 'United States',
};

/** Fields by name, because their labels depend on the country. */
export const FIELDS: Record<keyof Address, string> = {
  'Email': 'email', 'Full name': 'name', 'Address': 'line1', 'City': 'city', 'State or region': 'region', 'Postal code': 'postal_code', 'Country': 'country',
};

export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium() ?? undefined;
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS });
}

export class Shopper {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly url: string;
  readonly #query: string;
  readonly #faults: string[] = [];
  readonly #expected: RegExp[] = [];

  /** Returns a new shopper without cookies, on the home page of the shop at `url`. */
  static async arrive(browser: Browser, url: string, { javaScript = true, viewport = DESKTOP, currency }: Kind = {}): Promise<Shopper> {
    const context = await browser.newContext({ viewport, javaScriptEnabled: javaScript, locale: 'en-US', reducedMotion: 'reduce' });
    context.setDefaultTimeout(30_000);
    return new Shopper(context, await context.newPage(), url, currency ? `?currency=${currency}` : '');
  }

  private constructor(context: BrowserContext, page: Page, url: string, query: string) {
    this.context = context;
    this.page = page;
    this.url = url;
    this.#query = query;
    this.#watch(page);
    context.on('page', (opened) => this.#watch(opened));
  }

  /**
   * Announces an error that is part of the test, such as the console message about a page with
   * status 404.
   */
  expects(...faults: RegExp[]): void {
    this.#expected.push(...faults);
  }

  /** Closes the context, and fails if there were errors that were not announced. */
  async leave(): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.#faults.filter((fault) => !this.#expected.some((expected) => expected.test(fault))), []);
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(this.url + path + (path.includes('?') ? this.#query.replace('?', '&') : this.#query));
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { level: 1, name });
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole('link', { name });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  field(name: string): Locator {
    return this.page.getByLabel(name);
  }

  /**
   * Adds units of a product to the cart and waits for the cart: beside the page, or as a page if
   * there is no JavaScript.
   */
  async add(handle: string, quantity = 1): Promise<void> {
    await this.visit(`/products/${handle}`);
    await this.field('Quantity').fill(`${quantity}`);
    await this.button('Add to cart').click();
    await this.heading('Your cart').waitFor();
  }

  /** Changes the quantity of the only line by typing it and pressing Enter. */
  async setQuantity(quantity: number): Promise<void> {
    const field = this.page.locator('.lines').getByLabel('Quantity');
    await field.fill(`${quantity}`);
    await field.press('Enter');
    await this.page.locator(`.lines input[name=quantity][value="${quantity}"]`).waitFor();
  }

  async fill(address: Partial<Address>): Promise<void> {
    for (const [label, value] of Object.entries(address)) {
      const field = this.page.locator(`#${FIELDS[label as keyof Address]}`);
      if (label === 'Country') await field.selectOption({ label: value });
      else await field.fill(value);
    }
  }

  /** Goes from the cart to the review of the order. */
  async review(address: Address = ADDRESS): Promise<void> {
    await this.link('Check out').click();
    await this.fill(address);
    await this.button('Continue to review').click();
    await this.heading('Review your order').waitFor();
  }

  /** Goes from the review to the payment page. */
  async placeOrder(): Promise<void> {
    await this.button('Place order').click();
    await this.heading(/^Pay /).waitFor();
  }

  /** Pays, and waits on the status page until it shows the new status by itself. */
  async pay(confirmed = 'Confirmed'): Promise<void> {
    await this.button('Pay').first().click();
    await this.status(confirmed).waitFor();
  }

  status(word: string): Locator {
    return this.page.locator('.status', { hasText: word });
  }

  /** Returns the amount beside a label in the totals. */
  async total(term: string): Promise<string> {
    return amountIn(await this.page.locator(`.totals dt:text-is("${term}") + dd`).innerText());
  }

  #watch(page: Page): void {
    page.on('console', (message) => {
      if (message.type() === 'error' || /content.security.policy/i.test(message.text())) this.#faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.#faults.push(`script: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.#faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }
}

/**
 * Returns the digits of the only amount in a text, so that pages with different number formats can
 * be compared.
 */
export function amountIn(text: string): string {
  const found = text.match(/\d[\d,]*(\.\d+)?/g) ?? [];
  assert.equal(found.length, 1, `one amount in “${text}”`);
  return found[0]!.replaceAll(',', '');
}
