/** The table of what is supported names tests that exist, marks those that are left out of `npm test`, and leaves nothing out. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SUPPORTED } from '../../src/cli/doctor/supported';
import { ROOT } from '../support/paths';

const page = readFileSync(join(ROOT, 'docs/supported.md'), 'utf8');
const weights = JSON.parse(readFileSync(join(ROOT, 'scripts/test-weights.json'), 'utf8')) as Record<
  string,
  readonly unknown[]
>;
/** Paths of tests, and whether they are marked as left out. */
const named = Array.from(page.matchAll(/`((?:process|instrumentations|applications)\/[\w/-]+)`( \*)?/g), (match) => ({
  test: match[1] as string,
  isMarked: match[2] !== undefined,
}));

describe('docs/supported.md', () => {
  for (const { test, isMarked } of named) {
    it(`names ${test} as it is`, () => {
      const file = test.startsWith('applications/') ? `test/${test}.ts` : `test/${test}.test.ts`;
      assert.ok(existsSync(join(ROOT, file)), file);
      assert.equal(
        isMarked,
        weights[test]?.includes('full') ?? false,
        'marked with * where it is left out of npm test',
      );
    });
  }

  for (const { name } of SUPPORTED) {
    it(`has ${name}`, () => {
      const known: Readonly<Record<string, string>> = {
        express: 'Express',
        fastify: 'Fastify',
        koa: 'Koa',
        '@nestjs/core': 'NestJS',
        '@hapi/hapi': 'Hapi',
        next: 'Next.js',
        hono: 'Hono',
        '@adonisjs/core': 'AdonisJS',
        '@sveltejs/kit': 'SvelteKit',
        '@react-router/express': 'React Router',
        '@react-router/node': 'React Router',
        '@react-router/serve': 'React Router',
      };
      assert.ok(page.includes(known[name] ?? name), `docs/supported.md does not name ${known[name] ?? name}`);
    });
  }

  it('leaves out no test of a framework or a client', () => {
    const tests = Object.keys(weights).filter((test) =>
      /^(process\/frameworks|instrumentations\/consumers)\//.test(test),
    );
    const other = /frameworks\/(express-restart)$|mqtt\/filter$/;
    const missing = tests.filter((test) => !other.test(test) && !named.some((each) => each.test === test));
    assert.deepEqual(missing, []);
  });
});
