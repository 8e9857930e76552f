/**
 * `npm run test:applications`: real applications, bare and under `node -r channel-exporter/register`. They have to answer
 * the same, and to be counted as somebody who runs them would want it. `-- verdaccio next` runs those alone.
 *
 * What cannot be installed fails. Installations are kept in node_modules/.cache/channel-exporter/applications.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Application } from './application';
import { type Compared, compare } from './comparison';
import { gateway } from './gateway';
import { next } from './next';
import { nodeRed } from './node-red';
import { strapi } from './strapi';
import { verdaccio } from './verdaccio';

const APPLICATIONS: readonly Application[] = [verdaccio, ...gateway, next, nodeRed, strapi];
/** Of all processes together, at rest and at the highest: the exporter's own memory, and what the collector leaves. */
const MORE_LIMIT_BYTES = 64 * 1024 * 1024;

const wanted = process.argv.slice(2);
const chosen = APPLICATIONS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part.toLowerCase())),
);
if (chosen.length === 0) throw new Error(`no application is called ${wanted.join(', ')}`);

for (const application of chosen) {
  describe(application.name, () => {
    let compared: Compared;
    before(async () => {
      compared = await compare(application);
      for (const line of reportOf(application.name, compared)) console.log(line);
    });

    it('answers as without the exporter', () => {
      const { bare, measured } = compared;
      assert.ok(bare.answers.length > 0);
      for (const [i, answer] of bare.answers.entries()) assert.deepEqual(measured.answers[i], answer);
      assert.equal(measured.answers.length, bare.answers.length);
    });

    it('is counted by its routes, each request once', () => {
      assert.deepEqual(compared.counted, application.series);
      assert.deepEqual(compared.countedLoad, { [application.load.series]: application.load.requests });
    });

    if (application.check !== undefined)
      it('has what else its test looks for', () => {
        if (compared.measured.fault !== undefined) throw compared.measured.fault;
      });

    it('ends as without the exporter, and is told nothing', () => {
      assert.equal(compared.measured.end, compared.bare.end);
      assert.deepEqual(compared.measured.warnings, []);
    });

    it('takes little more memory', () => {
      const { bare, measured } = compared;
      assert.ok(measured.residentBytes - bare.residentBytes < MORE_LIMIT_BYTES, 'at rest');
      assert.ok(measured.peakBytes - bare.peakBytes < MORE_LIMIT_BYTES, 'at the highest');
      assert.ok(measured.peakBytes < (application.peakLimitBytes ?? Number.POSITIVE_INFINITY), 'bounded');
    });
  });
}

function reportOf(name: string, { bare, measured }: Compared): string[] {
  const pair = (of: (seen: Compared['bare']) => number) => `${mib(of(bare))} bare, ${mib(of(measured))} measured`;
  return [
    `${name}: ${bare.answers.length} answers compared; ended by SIGTERM: ${bare.end}`,
    `${name}: resident after the load ${pair(({ residentBytes }) => residentBytes)}`,
    `${name}: peak of its process ${pair(({ peakBytes }) => peakBytes)}`,
    ...measured.report.map((line) => `${name}: ${line}`),
  ];
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
