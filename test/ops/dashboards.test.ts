/** What Grafana needs of the dashboards in ops/: what their queries answer is asked in process/ops/queries. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { interpolate, labelValues } from '../support/grafana';
import { readDashboards } from '../support/operations';
import { ROOT } from '../support/paths';

const COLUMNS = 24;
/** Identifiers of Grafana's units that are in use. */
const UNITS = ['short', 'reqps', 'cps', 'ms', 's', 'percentunit', 'bytes'];

describe('a dashboard', () => {
  const dashboards = readDashboards();

  it('is there for each question', () => {
    const uids = dashboards.map(({ uid }) => uid);
    assert.deepEqual(
      uids,
      ['consumers', 'fleet', 'partners', 'runtime', 'service'].map((name) => `channel-exporter-${name}`),
    );
  });

  it('is what the script writes', () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/dashboards.mjs'), '--check'], { stdio: 'pipe' });
  });

  for (const { file, schemaVersion, title, panels, templating } of dashboards) {
    it(`${file} is of the current model, and takes its data source from a variable`, () => {
      assert.ok(schemaVersion >= 39 && title !== '');
      const text = JSON.stringify(panels) + JSON.stringify(templating);
      const uids = Array.from(text.matchAll(/"uid":"([^"]*)"/g), ([, uid]) => uid);
      assert.deepEqual([...new Set(uids)], ['$' + '{datasource}']);
      assert.equal(templating.list[0]?.type, 'datasource');
    });

    it(`${file} has panels with title, unit, description and queries, none over another`, () => {
      const taken = new Set<string>();
      for (const panel of panels) {
        const { x, y, w, h } = panel.gridPos;
        assert.ok(x >= 0 && x + w <= COLUMNS, panel.title);
        for (let column = x; column < x + w; column++) {
          for (let line = y; line < y + h; line++) {
            assert.ok(!taken.has(`${column} ${line}`), `${panel.title} is over another panel`);
            taken.add(`${column} ${line}`);
          }
        }
        assert.match(panel.title, /^\w/);
        if (panel.type === 'row') continue;
        assert.match(panel.description ?? '', /\w.*\.$/s, panel.title);
        assert.ok(UNITS.includes(panel.fieldConfig?.defaults.unit ?? ''), panel.title);
        assert.ok((panel.targets ?? []).length > 0, panel.title);
      }
    });

    it(`${file} uses no variable that it lacks, and every one that it has`, () => {
      const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
      const names = templating.list.map(({ name }) => name);
      const values = Object.fromEntries([...names, '__rate_interval'].map((name) => [name, `<${name}>`]));
      const all = queries.map((query) => interpolate(query, values)).join('\n');
      const definitions = templating.list.flatMap(({ definition }) => definition ?? []);
      const chained = definitions.map((each) => interpolate(labelValues(each).series, values)).join('\n');
      for (const name of names.slice(1)) assert.ok((all + chained).includes(`<${name}>`), name);
    });
  }
});

describe('a variable', () => {
  it('is put into a query as Grafana does', () => {
    const query = 'x{a=~"$a", b=~"$' + '{b}"}[$__rate_interval] label_replace("$1")';
    const values = { a: ['/api/:id', '1.5'], b: 'a"b', __rate_interval: '1m' };
    assert.equal(interpolate(query, values), 'x{a=~"(/api/:id|1\\\\.5)", b=~"a\\"b"}[1m] label_replace("$1")');
    assert.throws(() => interpolate('$none', values), /no value of \$none/);
  });
});
