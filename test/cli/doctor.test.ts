/** What the doctor knows of packages is what the documentation says and what the packages are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TEXTS } from '../../src/cli/doctor/bundle';
import type { Facts } from '../../src/cli/doctor/facts';
import { LogLines } from '../../src/cli/doctor/log-lines';
import { PITFALLS } from '../../src/cli/doctor/pitfalls';
import { RUN_PITFALLS } from '../../src/cli/doctor/run-pitfalls';
import { isSupported, rangeText, SUPPORTED, type SupportedPackage } from '../../src/cli/doctor/supported';
import { SOURCES } from '../../src/instrumentations';
import { ROOT } from '../support/paths';

const page = (name: string) => readFileSync(join(ROOT, 'docs', name), 'utf8');
const rowOf = (name: string) => SUPPORTED.find((row) => row.name === name) as SupportedPackage;

describe('the packages that the doctor knows', () => {
  const rows = [
    ...page('frameworks.md').split('\n'),
    ...page('consumers.md').split('\n'),
    ...page('../README.md').split('\n'),
  ];
  /** What the pages call them. */
  const CALLED: Readonly<Record<string, string>> = {
    express: 'Express,',
    router: '`router`',
    fastify: 'Fastify ',
    koa: 'Koa with',
    '@koa/router': '@koa/router',
    'koa-router': 'koa-router',
    '@nestjs/core': 'NestJS ',
    '@hapi/hapi': 'Hapi ',
    next: 'Next.js ',
    hono: 'Hono ',
    h3: 'h3, Nitro',
    bull: '| bull ',
    cron: '| cron ',
    '@adonisjs/core': 'AdonisJS ',
    '@sveltejs/kit': 'SvelteKit ',
  };
  for (const row of SUPPORTED) {
    it(`${row.name} ${rangeText(row)} stands in the documentation`, () => {
      const name = CALLED[row.name] ?? row.name;
      const line = rows.find((each) => each.startsWith('|') && each.includes(name));
      assert.ok(line, name);
      const majors = [row.from[0], row.below === Number.POSITIVE_INFINITY ? row.from[0] : row.below - 1];
      for (const major of majors) assert.match(line, new RegExp(`\\b${major}\\b`));
    });
    it(`${row.name} has a source`, () => assert.ok(SOURCES.some(({ name }) => name === row.source)));
  }

  for (const [name, version, isRight] of [
    ['express', '3.99.0', false],
    ['express', '4.0.0', true],
    ['express', '6.0.0-beta.1', false],
    ['amqplib', '0.9.1', false],
    ['amqplib', '0.10.0', true],
    ['mqtt', '5.0.5', false],
    ['mqtt', '5.10.1', true],
    ['koa-router', '99.0.0', true],
    ['express', 'nonsense', false],
  ] as const) {
    it(`${name} ${version} is ${isRight ? '' : 'not '}observed`, () =>
      assert.equal(isSupported(rowOf(name), version), isRight));
  }

  for (const [source, text] of Object.entries(TEXTS)) {
    it(`a bundle with ${source} is told by a text of its package`, () => {
      const name = source === 'hapi' ? '@hapi/hapi' : source;
      const folder = join(ROOT, 'node_modules', name);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      assert.ok(files.some((file) => file.endsWith('.js') && readFileSync(join(folder, file), 'utf8').includes(text)));
      assert.ok(SOURCES.some((row) => row.name === source));
    });
  }
});

describe('the pitfalls', () => {
  it('have names of their own, and all of them are in the documentation', () => {
    const names = [...PITFALLS, ...RUN_PITFALLS].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const file of ['cli.md', 'zh-CN/cli.md']) {
      const inPage = [...page(file).matchAll(/^\| `([a-z][a-z-]+)` \|/gm)].map(([, name]) => name);
      assert.deepEqual(inPage, names, file);
    }
  });

  it('have one for a Node that is too old', () => {
    const look = (nodeVersion: string) => PITFALLS[0]?.look({ nodeVersion } as Facts).length;
    assert.deepEqual(['18.20.0', '20.5.1', '20.6.0', '26.0.0'].map(look), [1, 1, 0, 0]);
  });
});

describe('the lines of a program', () => {
  it('are ours or its own, however they come', () => {
    const others: string[] = [];
    const log = new LogLines((bytes) => others.push(bytes.toString()));
    const text =
      'mine\nchannel-exporter: nothing is measured:\nCHX_PORT_INVALID: x\nCHX_HOST_INVALID: y\nCHX is mine\nchannel-exporter: z';
    for (const character of text) log.add(Buffer.from(character));
    log.end();
    assert.deepEqual(log.lines, ['nothing is measured:', 'CHX_PORT_INVALID: x', 'CHX_HOST_INVALID: y', 'z']);
    assert.equal(others.join(''), 'mine\nCHX is mine\n');
  });

  it('have a bound, in number and in length', () => {
    const log = new LogLines(() => undefined);
    for (let at = 0; at < 2_000; at++) log.add(Buffer.from(`channel-exporter: ${'x'.repeat(20_000)}\n`));
    log.add(Buffer.from('y'.repeat(100_000)));
    assert.equal(log.lines.length, 1_000);
    assert.equal(log.lines[0]?.length, 8 * 1024);
  });
});
