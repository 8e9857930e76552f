/** A real browser without a screen: Debian's Chromium, on the pages of this machine alone. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { installedBinary } from './debian-install';

/** Roles of nodes that say nothing. */
const SILENT = /^(none|generic|InlineTextBox)$/;
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
  /** What a screen reader is given of the page, in its order. */
  spoken(): Promise<readonly Spoken[]>;
}

/** A node of the accessibility tree; those that mean nothing by themselves are left out. */
export interface Spoken {
  /** As in ARIA, where it is one of ARIA's. */
  readonly role: string;
  readonly name: string;
  readonly description: string;
  /** Such as `level` and `focusable`. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly children: readonly Spoken[];
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
    async spoken() {
      const { nodes } = await devtools.send('Accessibility.getFullAXTree');
      const byId = new Map(nodes.map((node) => [node.nodeId, node]));
      const read = (id: string): readonly Spoken[] => {
        const node = byId.get(id);
        const children = (node?.childIds ?? []).flatMap(read);
        const role = String(node?.role?.value ?? 'none');
        if (node === undefined || node.ignored || SILENT.test(role)) return children;
        const properties = Object.fromEntries((node.properties ?? []).map(({ name, value }) => [name, value.value]));
        const [name, description] = [node.name, node.description].map((text) => String(text?.value ?? ''));
        return [{ role, name: name ?? '', description: description ?? '', properties, children }];
      };
      return nodes.filter(({ parentId }) => parentId === undefined).flatMap(({ nodeId }) => read(nodeId));
    },
  };
}
