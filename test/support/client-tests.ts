/** What the tests of fetch, undici and node:http2 have in common: a client in two programs, and its table of cases. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ClientApp } from './client-app';
import { assertCase, type Case, callMixed, exchanges } from './client-cases';
import { NODE_LINES, nodeOfLine } from './node-versions';
import { type Partner, startPartner } from './odd-partner';

const MIXED_CALLS = 2_000;

export interface ClientUnderTest {
  readonly node: string;
  /** For use within tests. */
  partner(): Partner;
  /** The program with the exporter, for use within tests. */
  measured(): ClientApp;
  /** Tests that a case brings the application what it brings without the exporter, and makes exactly its series grow. */
  itRecords(each: Case, way: Way): void;
  /** The same within a test. */
  assertRecords(each: Case, way: Way): Promise<void>;
  /** Tests that a crowd of calls is counted to the unit. */
  itCountsMixed(apis: readonly string[], to?: 'http1' | 'http2'): void;
}

/** How the program makes a call. */
type Way = { readonly api: string; readonly through?: string };

/**
 * Describes one client on one Node.
 * @param client as test/fixtures/apps/http-client.js names it
 * @param node path of the binary
 * @param describeTests called at once, to describe the tests
 */
export function describeClient(
  title: string,
  { client, node }: { client: string; node: string },
  describeTests: (client: ClientUnderTest) => void,
): void {
  describe(title, () => {
    let partner: Partner;
    let plain: ClientApp | undefined;
    let measured: ClientApp | undefined;
    before(async () => {
      partner = await startPartner();
      const options = { node, client, proxy: partner.proxy };
      [plain, measured] = await Promise.all([
        ClientApp.start(options),
        ClientApp.start({ ...options, partners: partner.file }),
      ]);
    });
    after(async () => {
      await Promise.all([plain?.stop(), measured?.stop()]);
      await partner?.close();
    });

    const apps = () => ({ plain: plain as ClientApp, measured: measured as ClientApp });
    const assertRecords = (each: Case, way: Way) => assertCase(apps(), partner, each, way);
    describeTests({
      node,
      partner: () => partner,
      measured: () => apps().measured,
      itRecords(each, way) {
        if (each.only !== undefined && !each.only.includes(way.api)) return;
        const by = way.through === undefined ? '' : ` through ${way.through}`;
        const over = way.through !== undefined && each.to === 'https' ? ' over TLS' : '';
        it(`${way.api}${by}${over} records ${each.title} once`, () => assertRecords(each, way));
      },
      assertRecords,
      itCountsMixed(apis, to) {
        it('two thousand mixed calls, fifty at a time, are counted to the unit', async () => {
          const earlier = exchanges(await apps().measured.metrics());
          const made = await callMixed(apps().measured, partner, apis, MIXED_CALLS, to);
          const later = await apps().measured.metricsWhen((metrics) => exchanges(metrics) >= earlier + made);
          assert.equal(exchanges(later) - earlier, made);
        });
      },
    });
  });
}

/** Describes a client that is part of Node, on every release line. */
export function describeOnLines(title: string, client: string, describeTests: (it: ClientUnderTest) => void): void {
  for (const line of NODE_LINES) {
    const node = nodeOfLine(line);
    if (node !== undefined) describeClient(`${title} of Node ${line}`, { client, node }, describeTests);
  }
}
