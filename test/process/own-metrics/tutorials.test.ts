/** The programs of docs/own-metrics.md for those who come from the Python client do what the page says. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, nodeBinary } from '../../support/app';
import { ROOT } from '../../support/paths';
import { PRELOAD } from '../../support/service';
import { freePort } from '../../support/waiting';

const page = readFileSync(join(ROOT, 'docs/own-metrics.md'), 'utf8');
const [, section = ''] = /^## What tutorials of the Python client show$(.*?)^## /ms.exec(page) ?? [];
/** Each program with the lines of the scrape that follow it. */
const PROGRAMS = [...section.matchAll(/^```js\n(.*?)^```\n\n```text\n(.*?)^```/gms)].map(
  ([, program = '', lines = '']) => ({ program, lines: lines.trim().split('\n') }),
);

/** Ends a program once it has written what a scraper, and whoever asks for the text, would get. */
function readOut(urls: readonly string[]): string {
  return `
    setTimeout(async () => {
      const { metricsText } = require('channel-exporter');
      const texts = [await metricsText()];
      for (const url of ${JSON.stringify(urls)}) texts.push(await (await fetch(url)).text());
      console.log(JSON.stringify(texts));
      process.exit();
    }, 100);`;
}

describe('what tutorials of the Python client show', () => {
  it('has its twin on the page', () => assert.equal(PROGRAMS.length, 6));

  for (const { program, lines } of PROGRAMS) {
    it(`is there: ${lines[0]}`, async () => {
      const port = await freePort();
      const isOwnStart = program.includes('start({');
      const scrape = `http://127.0.0.1:${port}/metrics`;
      const mounted = program.includes('listen(3000)') ? [scrape, `http://127.0.0.1:${port}/`] : [];
      const urls = isOwnStart ? [scrape] : mounted;
      const code = program.replace('listen(3000)', `listen(${port})`).replace('port: 8000', `port: ${port}`);
      const flags = isOwnStart ? [] : PRELOAD;
      const { stdout } = await promisify(execFile)(nodeBinary(), [...flags, '-e', code + readOut(urls)], {
        cwd: ROOT,
        env: environment(isOwnStart ? { CHANNEL_EXPORTER_PORT: undefined, SYSCODE: undefined } : {}),
      });
      const texts = JSON.parse(stdout) as string[];
      assert.equal(texts.length, 1 + urls.length);
      for (const text of texts) {
        for (const line of lines) assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
      }
    });
  }

  it('is a rejection with the reason while no exporter runs', async () => {
    const code = "require('channel-exporter').metricsText().catch(({ message }) => console.log(message))";
    const { stdout } = await promisify(execFile)(nodeBinary(), ['-e', code], { cwd: ROOT, env: environment() });
    assert.equal(stdout, 'no exporter runs in this process\n');
  });
});
