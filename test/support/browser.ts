/** A real browser without a screen: Debian's Chromium, on the pages of this machine alone. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { installedBinary } from './debian-install';

const CHROMIUM = { packageName: 'chromium', path: '/usr/bin/chromium' };

/** A page, with what a test asks of it. */
export interface Tab {
  readonly page: Page;
  /** Addresses that were asked for. */
  readonly requests: readonly string[];
  /** Errors, and what the policy of the page has refused. */
  readonly faults: readonly string[];
  /** Runs an expression in the page, past its policy; gives its value or that of its promise. */
  run(expression: string): Promise<unknown>;
}

/** @returns a browser to be closed; rejects where there is none and none may be installed */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await installedBinary(CHROMIUM.packageName, CHROMIUM.path);
  // root has no sandbox, and is root in the containers of a CI
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export async function openTab(browser: Browser, url: string, options: BrowserContextOptions): Promise<Tab> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const requests: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  const devtools = await context.newCDPSession(page);
  await page.goto(url);
  return {
    page,
    requests,
    faults,
    async run(expression) {
      const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails !== undefined) {
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      }
      return result.value;
    },
  };
}
