/** Every query in ops/ and docs/queries.md is answered by a real Prometheus that scrapes a fleet of Node and Python. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import { interpolate, labelValues, type Values } from '../../support/grafana';
import {
  type Dashboard,
  type Observed,
  PROMETHEUS,
  type PythonService,
  RULE_FILES,
  type Rule,
  readDashboards,
  readRules,
  servePython,
  startObserved,
  targetOf,
} from '../../support/operations';
import { ROOT } from '../../support/paths';
import { Prometheus, type QueryResult } from '../../support/prometheus';

const NODE = 'A123010101';
const PYTHON = 'B000000001';
const BOTH = [NODE, PYTHON];
/** Until rates of everything and the rules that build on them have values. */
const VALUES_LIMIT_MS = 60_000;
/** What panels and rules are written in, beside names and labels. */
const WORDS =
  /^(sum|count|group|max|min|topk|by|on|and|or|unless|offset|group_left|rate|increase|changes|time|label_replace|histogram_quantile|(avg|min|max|count)_over_time)$/;
/**
 * Alerts ask for what a healthy fleet lacks, and the codes of a day ago for what a new one lacks. Each of them is shown with
 * rows in faults.test.ts, and below.
 */
const mayBeEmpty = ({ alert, record = '' }: Rule) => alert !== undefined || record.endsWith(':seen1d');

const readPage = (page: string) => readFileSync(join(ROOT, page), 'utf8');
const queriesOf = ({ panels }: Dashboard) =>
  panels.flatMap(({ title, description = '', targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr, isNodeAlone: description.includes('Node alone.') })),
  );
const documented = Array.from(
  readPage('docs/queries.md').matchAll(/```promql\n(.*?)```/gs),
  ([, text]) => text as string,
);

function checkFinite(query: string, rows: readonly QueryResult[]): void {
  for (const { labels, value } of rows) {
    assert.ok(Number.isFinite(value), `${value} of ${JSON.stringify(labels)} in ${query}`);
  }
}

/** Names of metrics and rules in a query: what is no word, label, text, number or window. */
function namesIn(query: string): string[] {
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\b(by|on|group_left)\s*\([^)]*\)/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]|\boffset \w+/g, ' ');
  return (bare.match(/[A-Za-z_][\w:]*/g) ?? []).filter((word) => !WORDS.test(word));
}

function labelsIn(query: string): string[] {
  const grouped = [...query.matchAll(/\b(?:by|on|group_left)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(/\s*,\s*/),
  );
  const matched = Array.from(query.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)\s*"/g), ([, name]) => name as string);
  return [...grouped, ...matched].filter((name) => name !== '' && name !== '__name__');
}

describe('ops/, asked of a real Prometheus', () => {
  let missing = '';
  let service: Observed | undefined;
  let python: PythonService | undefined;
  let prometheus: Prometheus | undefined;

  before(async () => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) {
      missing = found.missing;
      return;
    }
    service = await startObserved(NODE, 2);
    service.paths = [
      '/orders/7',
      '/orders/8?code=E1',
      '/call',
      '/call?path=/other',
      '/call?dead=1',
      '/consume',
      '/consume?result=1',
      '/none',
    ];
    python = await servePython(PYTHON);
    const targets = { ...Object.fromEntries([targetOf(service)]), [PYTHON]: python.address };
    prometheus = await Prometheus.start(found.path, targets, '1s', { rules: RULE_FILES });
    // the last rule of each chain, of both services
    await prometheus.when(
      'the rules have values',
      async () => {
        const topics = await prometheus?.query('application_topic:consumer_metrics_milliseconds:p99_5m');
        const codes = await prometheus?.query('application_partner:partner_http_metrics_business_errors:ratio5m');
        const errors = await prometheus?.query('sum(partner_http_errors_total) > 0');
        return topics?.length === 2 && codes?.length === 2 && errors?.length === 1;
      },
      VALUES_LIMIT_MS,
    );
  });
  after(async () => {
    await prometheus?.stop();
    await service?.end();
    await python?.close();
  });

  function check(title: string, work: (prometheus: Prometheus, test: TestContext) => Promise<void>): void {
    it(title, async (test) => {
      if (prometheus === undefined) reportNotRun(test, missing);
      else await work(prometheus, test);
    });
  }

  /** The values of a dashboard's variables for services, in the order in which Grafana asks for them. */
  async function valuesFor(dashboard: Dashboard, applications: readonly string[]): Promise<Values> {
    const values: Record<string, string | readonly string[]> = { __rate_interval: '15s', datasource: 'one' };
    for (const { name, type, definition = '' } of dashboard.templating.list) {
      if (type !== 'query') continue;
      const { label, series } = labelValues(interpolate(definition, values));
      const rows = await (prometheus as Prometheus).query(`count by (${label}) (${series})`);
      const all = rows.map(({ labels }) => labels[label] as string);
      assert.ok(all.length > 0, `${dashboard.file}: no value of ${name}`);
      values[name] = name === 'application' ? all.filter((each) => applications.includes(each)) : all;
      assert.notEqual(values[name].length, 0, name);
    }
    return values;
  }

  for (const dashboard of readDashboards()) {
    for (const applications of [BOTH, [NODE], [PYTHON]]) {
      check(`${dashboard.file} shows ${applications.join(' and ')}`, async (asked) => {
        const values = await valuesFor(dashboard, applications);
        for (const { title, expr, isNodeAlone } of queriesOf(dashboard)) {
          const query = interpolate(expr, values);
          const rows = await asked.query(query);
          checkFinite(query, rows);
          const isForNone = isNodeAlone && !applications.includes(NODE);
          assert.ok(rows.length > 0 || isForNone, `${title} is empty: ${query}`);
        }
      });
    }
  }

  check('every rule is evaluated, and those that record have finite values', async (asked) => {
    assert.deepEqual(await asked.faultyRules(), []);
    for (const rule of readRules()) {
      const rows = await asked.query(rule.expr);
      checkFinite(rule.expr, rows);
      if (mayBeEmpty(rule)) continue;
      assert.ok(rows.length > 0, `${rule.record} is empty`);
      const applications = rows.flatMap(({ labels }) => labels.application ?? []);
      const isFromNode = /success$|application:inner_metrics_business_errors/.test(rule.record ?? '');
      const expected = rule.record?.startsWith('partner_') ? [] : isFromNode ? [NODE] : BOTH;
      assert.deepEqual([...new Set(applications)].sort(), expected, rule.record);
    }
  });

  check('error ratios and durations are what was sent', async (asked) => {
    const one = async (query: string) => (await asked.query(query))[0]?.value ?? Number.NaN;
    const near = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual - expected) <= expected / 5, `${actual}, not ${expected}`);
    const of = (syscode: string, record: string) => one(`${record}{application="${syscode}"}`);
    // one of the kinds of requests answers with E1, and that to no route is not recorded
    near(await of(NODE, 'application:inner_metrics_business_errors:ratio5m'), 1 / 7);
    near(await of(NODE, 'application_topic:consumer_metrics_failed:ratio5m'), 1 / 2);
    near(await of(PYTHON, 'application_topic:consumer_metrics_failed:ratio5m'), 1 / 5);
    near(await of(PYTHON, 'application_partner:partner_http_metrics_business_errors:ratio5m'), 1 / 5);
    near(await of(PYTHON, 'application_partner:partner_http_metrics_failed:ratio5m'), 0);
    near(await of(PYTHON, 'application_topic:consumer_metrics_milliseconds:avg5m'), (84.25 + 133) / 5);
  });

  check('every query of docs/queries.md has finite rows', async (asked) => {
    assert.ok(documented.length > 10, `${documented.length} queries`);
    for (const query of documented) {
      const rows = await asked.query(query);
      checkFinite(query, rows);
      assert.ok(rows.length > 0, `no row: ${query}`);
    }
  });

  check('every name and label in ops/ is one of a scrape', async (asked) => {
    const dashboards = readDashboards();
    const values = { __rate_interval: '15s', application: BOTH, appid: [], partner: [], topic: [], instance: [] };
    const rules = readRules();
    const panelQueries = dashboards.flatMap(queriesOf).map(({ expr }) => interpolate(expr, values));
    const queries = [...panelQueries, ...rules.map(({ expr }) => expr), ...documented];
    const names = new Set(await asked.labels('__name__'));
    // of label_replace(), or what a table counts by
    const labels = new Set([...(await asked.labels()), 'kind']);

    const recorded = new Set(rules.map(({ record }) => record));
    for (const query of queries) {
      for (const name of namesIn(query)) assert.ok(names.has(name) || recorded.has(name), `${name} in ${query}`);
      for (const label of labelsIn(query)) assert.ok(labels.has(label), `the label ${label} in ${query}`);
      for (const [, pattern = ''] of query.matchAll(/__name__=~"([^"]*)"/g)) {
        // each alternative of its own
        for (const each of alternatives(pattern)) {
          const isThere = [...names].some((name) => new RegExp(`^(?:${each})$`).test(name));
          assert.ok(isThere, `${each} in ${query}`);
        }
      }
    }
    const legends = dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ targets = [] }) => targets.map(({ legendFormat }) => legendFormat)),
    );
    const shown = legends.flatMap((text) =>
      Array.from(text.matchAll(/\{\{(\w+)\}\}/g), ([, label]) => label as string),
    );
    const told = rules.flatMap(({ annotations = {} }) =>
      Object.values(annotations).flatMap((text) => Array.from(text.matchAll(/\$labels\.(\w+)/g), ([, name]) => name)),
    );
    for (const label of [...shown, ...told]) assert.ok(labels.has(label as string), label);
  });

  // last: it changes the fleet
  check('what a peer may not send is an alert', async (asked) => {
    const rules = readRules();
    const exprOf = (alert: string) => rules.find((rule) => rule.alert === alert)?.expr ?? '';
    assert.deepEqual(await asked.query(exprOf('ChannelMeasurementsLost')), []);
    const { world } = service as Observed;
    const folder = join(world.folder, `channel-exporter-${process.getuid?.()}`);
    const [name] = readdirSync(folder);
    connect({ path: join(folder, name as string) })
      .on('error', () => undefined)
      .end(Buffer.from([0, 0, 0, 2, 0x7b, 0x5d]));
    await asked.when('it is counted', async () => (await asked.query(exprOf('ChannelMeasurementsLost'))).length === 1);
  });

  it('the alert on boundaries is the query of docs/boundaries.md, which is tested with it', () => {
    const bare = (text = '') => text.replace(/\s+/g, '');
    const [, query] = /<!-- query: differ -->\n```promql\n(.*?)```/s.exec(readPage('docs/boundaries.md')) ?? [];
    const rule = readRules().find(({ alert }) => alert === 'ChannelBoundariesDiffer');
    assert.equal(bare(rule?.expr), bare(query));
  });
});

/** @returns the patterns that a pattern with one group of alternatives, or none, stands for */
function alternatives(pattern: string): string[] {
  const [, before = '', list, after = ''] = /^(.*?)\(([^()]*\|[^()]*)\)(.*)$/.exec(pattern) ?? [];
  const all = list === undefined ? [pattern] : list.split('|').map((each) => `${before}${each}${after}`);
  return all.flatMap((each) => each.split('|'));
}
