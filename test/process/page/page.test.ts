/** The page for people, of a cluster of two with hostile traffic, in a real browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { ENGLISH } from '../../../src/page/words';
import { CHINESE } from '../../../src/page/words-zh';
import { INNER, PARTNER, SYSCODE } from '../../support/app';
import { openBrowser, openTab, type Tab } from '../../support/browser';
import { reportNotRun } from '../../support/debian';
import { IS_FULL } from '../../support/effort';
import { ALICE, openEndpoint, portOf, TLS } from '../../support/endpoint';
import type { Metrics } from '../../support/metrics';
import { flat, outline, readingFaults } from '../../support/reading';
import { ask, openWorld, PRELOAD, PROGRAMS, until, type World } from '../../support/service';

const HOSTILE = '<img src=x onerror=alert(1)>';
const SCRIPT = `"><script>alert(2)</script>`;
const AXE = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
/** What axe finds, as a text; nothing is left out. */
const FINDINGS = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
  ({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')))`;
const WIDE = 1280;
const PHONE = 360;
const LOOKS = [
  { colorScheme: 'light', width: WIDE },
  { colorScheme: 'dark', width: PHONE },
  { colorScheme: 'dark', width: WIDE },
  { colorScheme: 'light', width: PHONE },
] as const;
/** A run of axe takes long: in short, each look is had in one of the languages. */
const LANGUAGES = [
  { locale: 'en-US', tag: 'en', words: ENGLISH, looks: IS_FULL ? LOOKS : LOOKS.slice(0, 2) },
  { locale: 'zh-CN', tag: 'zh-CN', words: CHINESE, looks: IS_FULL ? LOOKS : LOOKS.slice(2) },
];
/** The page asks at once when it is looked at again. */
const LOOK = `document.dispatchEvent(new Event('visibilitychange'))`;
const DRAWN_LIMIT_MS = 15_000;

let world: World;
let partner: Server;
let appPort: number;
let browser: Browser | undefined;
let missing = '';

const pageUrl = () => `http://127.0.0.1:${world.port}/`;

/** Sends traffic to both workers. @returns how many requests */
async function traffic(): Promise<number> {
  const paths = [
    ...['0', '0', '0', 'E1'].map((code) => `/api/orders?${code}`),
    ...['0', HOSTILE, SCRIPT, 'C1', 'C2'].map((code) => `/api/hostile?${encodeURIComponent(code)}`),
    `/${encodeURIComponent(HOSTILE)}`,
    ...['/slow', '/slow', '/pay/v1/pay', '/pay/v1/pay', '/pay/broken', '/elsewhere', '/work?0', '/work?0', '/work?1'],
  ];
  for (const path of paths) await ask(appPort, path);
  return paths.length;
}

function countOf(metrics: Metrics, family: string): number {
  return metrics.counts(family).reduce((sum, { count }) => sum + count, 0);
}

before(async () => {
  const opening = openBrowser().catch((error: Error) => {
    missing = `${error.message}: ${error.cause ?? ''}`;
    return undefined;
  });
  partner = createServer((request, response) => {
    if (request.url === '/broken') request.socket.destroy();
    else response.end('{"code":"00"}');
  });
  await once(partner.listen(0, '127.0.0.1'), 'listening');
  const partnerHost = `127.0.0.1:${(partner.address() as AddressInfo).port}`;
  const hosts = {
    [partnerHost]: { partner: '12', name: 'Pay & <b>Co</b>', success: ['00'], paths: { '/v1/pay': '1201' } },
  };
  world = await openWorld();
  const service = world.start({
    args: [...PRELOAD, `${PROGRAMS}/cluster.js`],
    env: {
      WORKERS: '2',
      SERVICE: './page.js',
      PARTNER_URL: `http://${partnerHost}`,
      CHANNEL_EXPORTER_PARTNERS: await write('partners.json', hosts),
      // the fourth code of a path overflows
      CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'code=3',
    },
  });
  const [first] = await service.ready(2);
  appPort = first?.port as number;
  const sent = await traffic();
  await world.scrapeWhen((metrics) => countOf(metrics, INNER) === sent && countOf(metrics, PARTNER) === 3);
  browser = await opening;
});

after(async () => {
  await browser?.close();
  await world?.end();
  partner?.close();
  partner?.closeAllConnections();
});

async function write(name: string, hosts: object): Promise<string> {
  const { writeFile } = await import('node:fs/promises');
  const file = `${world.folder}/${name}`;
  await writeFile(file, JSON.stringify({ hosts }));
  return file;
}

/** One family's table: the texts of its cells. */
async function cellsOf({ page }: Tab, section: string): Promise<string[][]> {
  const rows = await page.locator(`#${section} tbody tr`).all();
  return Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
}

/** Opens the page and waits until it has drawn the second scrape, from which it has rates. */
async function opened(options: Parameters<typeof openTab>[2]): Promise<Tab> {
  const tab = await openTab(browser as Browser, pageUrl(), options);
  await tab.page.locator('#inner tbody tr').first().waitFor({ timeout: DRAWN_LIMIT_MS });
  await tab.run(LOOK);
  await tab.page.locator('#inner tbody td:not(:text("…"))').first().waitFor({ timeout: DRAWN_LIMIT_MS });
  return tab;
}

/** Has the page ask, again and again, until something is there: it does not listen while it waits for an answer. */
async function looked({ run }: Tab, isThere: () => Promise<boolean>): Promise<void> {
  const seen = async () => {
    await run(LOOK);
    return isThere();
  };
  await until(seen, 'the page has not come to what was waited for', DRAWN_LIMIT_MS);
}

/** Waits until another scrape is drawn: each adds a point to the curves. */
async function drawnAgain(tab: Tab): Promise<void> {
  const curve = () => tab.run(`document.querySelector('#cards polyline').getAttribute('points')`);
  const before = await curve();
  await looked(tab, async () => (await curve()) !== before);
}

describe('the answer at /', () => {
  it('is one small file with a policy that names its script and style', async () => {
    const response = await fetch(pageUrl(), { headers: { 'accept-encoding': 'identity' } });
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.ok(Buffer.byteLength(html) <= 60_000, `${Buffer.byteLength(html)} bytes`);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; /);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(html.replace('http://www.w3.org/2000/svg', ''), /(src|href)="?(https?:)?\/\//);
    const compressed = await fetch(pageUrl(), { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(compressed.headers.get('content-encoding'), 'gzip');
    assert.equal(await compressed.text(), html);
  });

  it('has no body for HEAD, and is refused for other methods', async () => {
    const head = await fetch(pageUrl(), { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.ok(Number(head.headers.get('content-length')) > 1_000);
    const post = await fetch(pageUrl(), { method: 'POST' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await fetch(`${pageUrl()}index.html`)).status, 404);
  });

  it('is 404 with CHANNEL_EXPORTER_PAGE=off, and then there are no details', async () => {
    const other = await openWorld();
    try {
      const env = { CHANNEL_EXPORTER_PAGE: 'off' };
      await other.start({ args: [...PRELOAD, `${PROGRAMS}/service.js`], env }).ready(1);
      const { text } = await other.scrapeWhen(() => true);
      const page = await fetch(`http://127.0.0.1:${other.port}/`);
      assert.equal(page.status, 404);
      assert.equal(await page.text(), 'Nothing is here; the metrics are at /metrics.\n');
      const families = (each: string) => each.match(/^# TYPE .*$/gm);
      assert.deepEqual(families(await ask(other.port, '/metrics?details')), families(text));
    } finally {
      await other.end();
    }
  });

  it('costs a scrape that does not ask for details no line', async () => {
    const plain = await ask(world.port, '/metrics');
    const detailed = await ask(world.port, '/metrics?a=b&details');
    assert.doesNotMatch(plain, /channel_exporter_(observed|unknown_hosts|setting|since)/);
    const added = detailed
      .split('\n')
      .filter((line) => /^channel_exporter_(observed|unknown|setting|since)/.test(line));
    assert.ok(added.length > 25 && added.length < 60, `${added.length} lines`);
    const observed = added.filter((line) => /source="express"/.test(line));
    assert.match(observed.join(), /\} 2$/, 'both workers have found Express');
    assert.match(added.join('\n'), /channel_exporter_unknown_hosts_total\{.*host="localhost"\} [12]$/m);
  });
});

describe('the page in a browser', () => {
  const inBrowser = (name: string, run: () => Promise<void>) =>
    it(name, async (t) => (browser === undefined ? reportNotRun(t, missing) : run()));

  inBrowser('shows the whole service, with hostile labels as text, and asks nobody else', async () => {
    const tab = await opened({ locale: 'en-US' });
    const { page, requests, faults, run } = tab;
    assert.equal(await page.title(), `${SYSCODE} · metrics`);
    assert.match(await page.locator('header').innerText(), /Processes\s+3 share this scrape/);

    const inner = await cellsOf(tab, 'inner');
    const orders = inner.find(([path]) => path === '/api/:name') as string[];
    // four of /api/orders and five of /api/hostile: three codes of the path have room, the rest is other
    assert.equal(orders[3], '9');
    assert.match(orders[9] as string, /other ×/);
    const hostile = inner.find(([path]) => path === `/${HOSTILE}`) as string[];
    assert.deepEqual([hostile[3], hostile[4]], ['1', '0%'], 'a label is a text');
    const slow = inner.find(([path]) => path === '/slow') as string[];
    assert.match(slow.slice(6, 9).join(), /^≈ 1\d\d ms,≈ 1\d\d ms,≈ 1\d\d ms$/);
    assert.match(slow[5] as string, /^1\d\d ms$/);
    const [worst] = inner;
    assert.equal(worst?.[0], '/api/:name', 'what fails most stands first');

    const partners = await cellsOf(tab, 'partner');
    assert.deepEqual(
      partners.map(([name, , , count, failed]) => [name, count, failed]),
      [
        ['Pay & <b>Co</b> (12) / path without an action', '1', '100%'],
        ['Pay & <b>Co</b> (12) / 1201', '2', '0%'],
      ],
    );
    assert.match(partners[0]?.[9] as string, /no answer: reset ×1/);
    const [jobs] = await cellsOf(tab, 'consumer');
    assert.deepEqual([jobs?.[0], jobs?.[3], jobs?.[4]], ['jobs', '3', '33%']);

    assert.match(await page.locator('#observed').innerText(), /express \(2 processes\)[\s\S]*localhost/);
    assert.match(await page.locator('#limits').innerText(), /label code is full[\s\S]*LABEL_VALUES_LIMIT=code=…/);
    assert.match(await page.locator('#judged').innerText(), /Pay & <b>Co<\/b> \(12\): success is 00/);
    assert.equal(await page.locator('#processes tbody tr').count(), 3, 'the primary and its workers');
    await page.locator('summary').click();
    assert.match(await page.locator('#settings').innerText(), /LABEL_VALUES_LIMIT\s.*code=3.*\sset\s/);
    assert.equal(await run(`document.querySelectorAll('main img, main script, main b b').length`), 0);

    assert.deepEqual(
      [...new Set(requests)].filter((url) => !url.startsWith('data:')),
      [pageUrl(), `${pageUrl()}metrics?details`],
    );
    assert.deepEqual(faults, [], 'neither an error nor anything that the policy refuses');
    await assert.rejects(run(`document.body.innerHTML = '<b>x</b>'`), /TrustedHTML/, 'the policy is in force');
    await page.context().close();
  });

  inBrowser('marks a code that comes up while it is open', async () => {
    const tab = await opened({ locale: 'en-US' });
    assert.match(await tab.page.locator('#codes').innerText(), /No code has come up/);
    await ask(appPort, '/new-path');
    await ask(appPort, '/work?0');
    for (const code of ['N77', '0']) await ask(appPort, `/pay/v1/pay?${code}`);
    await world.scrapeWhen((metrics) => metrics.counts(INNER).some(({ labels }) => labels.path === '/new-path'));
    await tab.run(LOOK);
    await tab.page.locator('#codes td', { hasText: '/new-path' }).waitFor({ timeout: DRAWN_LIMIT_MS });
    assert.match(await tab.page.locator('#inner tr', { hasText: '/new-path' }).innerText(), /0 ×1\s*new/);
    assert.match(await tab.page.locator('#said').innerText(), /New codes: 0 \(\/new-path\)/);
    await tab.page.context().close();
  });

  inBrowser('sorts by keyboard, keeps the focus through scrapes, and stops when told to', async () => {
    const tab = await opened({ locale: 'en-US' });
    const { page, run } = tab;
    const heading = page.locator('#inner thead th', { hasText: 'Path' });
    await heading.locator('button').focus();
    await page.keyboard.press('Enter');
    assert.equal(await heading.getAttribute('aria-sort'), 'ascending');
    assert.equal(await page.locator('#inner th[aria-sort]').count(), 1);
    const paths = async () => page.locator('#inner tbody th').allInnerTexts();
    const ascending = await paths();
    assert.deepEqual(ascending, [...ascending].sort());
    assert.match(await page.locator('#said').innerText(), /Sorted by Path, lowest first/);
    await page.keyboard.press('Space');
    assert.equal(await heading.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await paths(), ascending.reverse());
    await drawnAgain(tab);
    assert.equal(await run('document.activeElement.textContent'), 'Path', 'the focus stays');

    await page.locator('#pause').click();
    assert.match(await page.locator('#state').innerText(), /^paused at /);
    assert.equal(await page.locator('#pause').innerText(), 'Resume');
    await page.locator('input[value=lately]').press('Space');
    assert.ok((await page.locator('#inner .empty').isVisible()) || (await paths()).length > 0);
    await page.context().close();
  });

  for (const { locale, tag, words, looks } of LANGUAGES) {
    let shared: Promise<Tab> | undefined;
    const sharedTab = () => {
      shared ??= opened({ locale }).then(async (tab) => {
        await tab.page.locator('summary').click();
        return tab;
      });
      return shared;
    };

    inBrowser(`can be read aloud in ${locale}`, async () => {
      const { page, run, spoken } = await sharedTab();
      assert.equal(await run('document.documentElement.lang'), tag);
      const nodes = await spoken();
      assert.deepEqual(readingFaults(nodes), []);
      const section = (name: string, ...inside: string[]) => [`region ${name}`, `heading 2 ${name}`, ...inside];
      const withTable = (name: string) => section(name, `table ${name}`);
      assert.deepEqual(outline(nodes), [
        'banner',
        `heading 1 ${SYSCODE}`,
        'status',
        'main',
        `region ${words.glance}`,
        ...[words.inner, words.partner, words.consumer].flatMap(withTable),
        ...section(words.newCodes),
        ...section(words.observed),
        ...[words.limits, words.processTitle].flatMap(withTable),
        ...section(words.judged),
        ...withTable(words.settings),
        'contentinfo',
      ]);
      const all = flat(nodes);
      const tables = all.filter(({ role }) => role === 'table');
      for (const [kind, table] of ['inner', 'partner', 'consumer'].map((kind, at) => [kind, tables[at]] as const)) {
        const sorted = page.locator(`#${kind} th[aria-sort]`);
        assert.deepEqual(
          [await sorted.innerText(), await sorted.getAttribute('aria-sort')],
          [words.errors, 'descending'],
        );
        assert.ok(table?.description.includes(words.descending), `the order in words: ${table?.description}`);
      }
      // a curve beside its rate is for the eye alone, one in a card has a text
      const curves = all.filter(({ role }) => role === 'image').map(({ name }) => name.replace(/[\d.]+.*$/, ''));
      assert.deepEqual(new Set(curves), new Set([words.curve.replace('{most}', '')]));
      const [orders] = tables.flatMap((table) => flat([table]).filter(({ name }) => name.startsWith('other ×')));
      assert.match(orders?.name ?? '', new RegExp(` ${words.failure}`), 'a failure is not a colour alone');
    });

    inBrowser(
      `has nothing that axe finds in ${locale}: ${looks.map((look) => Object.values(look)).join('; ')}`,
      async () => {
        const { page, run } = await sharedTab();
        await run(`${AXE};0`);
        for (const { colorScheme, width } of looks) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 740 });
          assert.deepEqual(await run(FINDINGS), [], `${colorScheme} on ${width} px`);
          assert.ok(
            Number(await run('document.documentElement.scrollWidth')) <= width,
            'nothing is wider than the screen',
          );
        }
        await page.context().close();
      },
    );
  }

  inBrowser('says aloud what is new, and nothing with each scrape', async () => {
    const tab = await opened({ locale: 'en-US' });
    const { page, run, spoken } = tab;
    const live = flat(await spoken()).filter(({ properties }) => properties.live !== undefined);
    assert.deepEqual([...new Set(live.map(({ properties }) => properties.live))], ['polite']);
    assert.equal(await page.locator('[aria-live], [role=status], [role=alert], [role=log], output').count(), 1);
    await run(`window.said = 0; new MutationObserver((all) => { said += all.length; }).observe(
      document.getElementById('said'), { childList: true, characterData: true, subtree: true }); 0`);
    await page.locator('#processes .scroll').focus();
    const first = await page.locator('#processes tbody th').first().elementHandle();
    for (let scrapes = 0; scrapes < 2; scrapes++) await drawnAgain(tab);
    assert.equal(await run('said'), 0);
    assert.equal(await run(`document.activeElement.closest('#processes') !== null`), true, 'the focus stays');
    assert.equal(await first?.evaluate((heading) => heading.isConnected), true, 'the place of the reader stays');
    await page.context().close();
  });

  inBrowser('works behind TLS and a password, with what the browser has been given once', async () => {
    const endpoint = await openEndpoint();
    try {
      const app = await endpoint.run(TLS + ALICE);
      const url = `https://localhost:${portOf(app)}/`;
      const stranger = await endpoint.scrape(app, { path: '/' });
      assert.deepEqual([stranger.status, stranger.body], [401, 'Unauthorized\n']);
      const httpCredentials = { username: 'alice', password: 'secret' };
      const tab = await openTab(browser as Browser, url, { locale: 'en-US', ignoreHTTPSErrors: true, httpCredentials });
      await tab.page.locator('#name', { hasText: SYSCODE }).waitFor({ timeout: DRAWN_LIMIT_MS });
      for (let scrapes = 0; scrapes < 2; scrapes++) await drawnAgain(tab);
      assert.equal(await tab.page.locator('#banner').isVisible(), false);
      assert.deepEqual(tab.faults, []);
      await tab.page.context().close();
    } finally {
      await endpoint.end();
    }
  });

  inBrowser('says when the service no longer answers', async () => {
    const tab = await opened({ locale: 'en-US' });
    const { page } = tab;
    const isLost = () => page.locator('#banner', { hasText: 'No answer since' }).isVisible();
    await page.route('**/metrics?details', (route) => route.abort());
    await looked(tab, isLost);
    assert.ok((await page.locator('#inner tbody tr').count()) > 0, 'the last values stay');
    await page.unroute('**/metrics?details');
    await looked(tab, async () => !(await isLost()));
    await page.context().close();
  });
});
