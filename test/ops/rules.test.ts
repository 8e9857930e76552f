/** The rules in ops/ as promtool sees them, and what each must carry. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findDebianProgram, reportNotRun } from '../support/debian';
import { ownFolder, PROMETHEUS, RULE_FILES, RULES, readRules, scaledRules } from '../support/operations';
import { FIXTURES, ROOT } from '../support/paths';

const SEVERITIES = ['critical', 'warning', 'info'];

/** Runs promtool, or reports that it could not. */
async function promtool(t: TestContext, args: readonly string[]): Promise<void> {
  const found = await findDebianProgram(PROMETHEUS);
  if ('missing' in found) return reportNotRun(t, found.missing);
  const { status, stdout, stderr } = spawnSync(join(dirname(found.path), 'promtool'), args, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

describe('the rules', () => {
  const alerts = readRules().filter(({ alert }) => alert !== undefined);

  it('are what promtool accepts', (t) => promtool(t, ['check', 'rules', ...RULE_FILES]));

  it('do what their unit tests say', (t) => {
    const tests = readdirSync(RULES).filter((file) => file.endsWith('.test.yaml'));
    assert.ok(tests.length > 0);
    return promtool(t, ['test', 'rules', ...tests.map((file) => join(RULES, file))]);
  });

  it('each have a unit test', () => {
    const tests = readdirSync(RULES)
      .filter((file) => file.endsWith('.test.yaml'))
      .map((file) => readFileSync(join(RULES, file), 'utf8'))
      .join('\n');
    const untested = alerts.filter(({ alert }) => !new RegExp(`alertname: ${alert}\\n`).test(tests));
    assert.deepEqual(untested, []);
  });

  it('are scaled for tests without another change', () => {
    const folder = ownFolder();
    try {
      const texts = scaledRules(folder.path).map((file) => readFileSync(file, 'utf8'));
      const originals = RULE_FILES.map((file) => readFileSync(file, 'utf8'));
      assert.ok(texts.join().includes('[5000ms]') && texts.join().includes('offset 30000ms'));
      const bare = (text: string) => text.replace(/(\[|offset |for: |interval: )\w+/g, '$1');
      assert.deepEqual(texts.map(bare), originals.map(bare));
    } finally {
      folder.remove();
    }
  });

  for (const { alert = '', labels = {}, annotations = {} } of alerts) {
    it(`${alert} has a severity, texts and a section of docs/alerts.md`, () => {
      assert.ok(SEVERITIES.includes(labels.severity ?? ''), labels.severity);
      for (const name of ['summary', 'description']) assert.match(annotations[name] ?? '', /\w.*\.\s*$|\}\s*$/s, name);
      const [page, anchor = ''] = (annotations.runbook_url ?? '').split('#');
      const text = readFileSync(join(ROOT, page ?? ''), 'utf8');
      assert.match(text, new RegExp(`^## ${alert}$`, 'm'));
      assert.equal(anchor, alert.toLowerCase());
    });
  }

  it('have one section each, and no section is left of one that is gone', () => {
    const sections = Array.from(readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8').matchAll(/^## (Channel\w+)$/gm));
    assert.deepEqual(
      sections.map(([, name]) => name),
      alerts.map(({ alert }) => alert),
    );
  });
});

describe('the query for a nightly job that did not run', () => {
  const [query, inChinese] = ['docs/alerts.md', 'docs/zh-CN/alerts.md'].map((page) => {
    const found = /```promql\n(group by[\s\S]*?)```/.exec(readFileSync(join(ROOT, page), 'utf8'));
    return found?.[1] ?? '';
  });

  it('is the same in both languages', () => assert.equal(inChinese, query));

  it('finds the jobs that failed, ceased or belong to a process that is gone, and no other', async (t) => {
    const folder = ownFolder();
    try {
      const rules = { groups: [{ name: 'nightly', rules: [{ alert: 'Nightly', expr: query }] }] };
      // JSON is YAML
      writeFileSync(join(folder.path, 'nightly.yaml'), JSON.stringify(rules));
      const test = join(folder.path, 'nightly.test.yaml');
      copyFileSync(join(FIXTURES, 'ops/nightly.test.yaml'), test);
      await promtool(t, ['test', 'rules', test]);
    } finally {
      folder.remove();
    }
  });
});
