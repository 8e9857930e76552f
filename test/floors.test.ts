/** The sources keep to the floor plan of scripts/floors.mjs, and docs/architecture.md shows it as it is. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from './support/paths';

interface File {
  readonly file: string;
  readonly imports: readonly string[];
}

interface Architecture {
  readImports(root?: string, entries?: readonly string[]): Promise<{ files: File[]; violations: string[] }>;
  drawing(files: readonly File[]): string;
  withDrawing(page: string, text: string): string;
}

/** Sources that are against the plan, each with the rule that refuses it. */
const REFUSED: readonly { name: string; sources: Readonly<Record<string, string>>; rule: RegExp }[] = [
  {
    name: 'an import from a higher floor',
    sources: { 'src/views/index.ts': "import '../compose';", 'src/compose.ts': 'export {};' },
    rule: /^src\/views\/ imports from the floors below: src\/views\/index\.ts -> src\/compose\.ts$/,
  },
  {
    name: 'a type from a higher floor',
    sources: {
      'src/metrics/recorder.ts': "import type { Hub } from '../processes/hub';\nexport type X = Hub;",
      'src/processes/hub.ts': 'export interface Hub {}',
    },
    rule: /^src\/metrics\/ imports from the floors below/,
  },
  {
    name: 'an import within a function',
    sources: {
      'src/runtime/clock.ts': "export const late = () => require('../errors');",
      'src/errors.ts': 'export {};',
    },
    rule: /^src\/runtime\/ imports from the floors below/,
  },
  {
    name: 'an import from another room of the same floor',
    sources: { 'src/exporter/scrape.ts': "import '../processes/hub';", 'src/processes/hub.ts': 'export {};' },
    rule: /^src\/exporter\/ imports from the floors below/,
  },
  {
    name: 'a circle of types within a folder',
    sources: {
      'src/views/a.ts': "import type { B } from './b';\nexport type A = B | 1;",
      'src/views/b.ts': "import type { A } from './a';\nexport type B = A | 2;",
    },
    rule: /^no circle/,
  },
  {
    name: 'a framework that knows more of inbound than its routes',
    sources: {
      'src/instrumentations/frameworks/koa.ts': "import '../inbound/http1';",
      'src/instrumentations/inbound/http1.ts': 'export {};',
    },
    rule: /frameworks\/ knows routes\.ts alone/,
  },
  {
    name: 'a patch that knows us',
    sources: {
      'src/instrumentations/patching/patch.ts': "import '../../errors';",
      'src/errors.ts': 'export {};',
    },
    rule: /^src\/instrumentations\/patching\/ imports from the floors below/,
  },
  {
    name: 'a file that is in no room',
    sources: { 'src/utils.ts': 'export {};' },
    rule: /^src\/utils\.ts is in no room$/,
  },
];

describe('the floor plan', () => {
  let architecture: Architecture;

  before(async () => {
    architecture = await import(pathToFileURL(join(ROOT, 'scripts/architecture.mjs')).href);
  });

  it('is kept by every import, and drawn in docs/architecture.md', async () => {
    const { files, violations } = await architecture.readImports();
    assert.deepEqual(violations, []);
    assert.ok(files.some(({ file }) => file === 'src/compose.ts'));
    const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
    const current = architecture.withDrawing(page, architecture.drawing(files));
    assert.equal(page, current, 'the drawing is out of date: run npm run docs:architecture');
  });

  for (const { name, sources, rule } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const root = mkdtempSync(join(tmpdir(), 'floors-'));
      try {
        for (const [file, text] of Object.entries(sources)) {
          mkdirSync(dirname(join(root, file)), { recursive: true });
          writeFileSync(join(root, file), `${text}\n`);
        }
        const { violations } = await architecture.readImports(root, ['src']);
        assert.ok(
          violations.some((violation) => rule.test(violation)),
          violations.join('\n') || 'nothing is refused',
        );
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    });
  }
});
