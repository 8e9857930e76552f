/**
 * Applications whose framework is too big to lie among the project's own packages: they are installed and built in a
 * temporary folder. Where one cannot be installed its tests say so, and fail in CI.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, it, type TestContext } from 'node:test';
import { type AppOptions, INNER, runApp } from './app';
import { reportNotRun } from './debian';
import { nodeOfLine, ownLine } from './node-versions';
import { FIXTURES, ROOT } from './paths';
import { freePort } from './waiting';

const LIMIT_MS = 240_000;
const USER_AGENT = 'table';

/** What an application is made of. */
export interface Recipe {
  /** Folder of test/fixtures/frameworks. */
  readonly fixture: string;
  /** Exact versions. */
  readonly packages: Readonly<Record<string, string>>;
  /** Whether its build takes the packages in, as far as the framework does: then they are devDependencies. */
  readonly isBundled?: true;
  /** The release line of Node that the framework needs; default: the one under test. */
  readonly line?: number | undefined;
  /** Files of this version alone, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Arguments of node that build it. */
  readonly build?: readonly string[];
}

/** One request, and what is counted of it; without a path: nothing. */
export interface Row {
  /** Method and path. */
  readonly request: string;
  readonly status: number;
  readonly path?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The answer's JSON. */
  readonly answer?: unknown;
}

/** A built application, from the first test of its file on. */
export class BuiltApplication {
  readonly folder = mkdtempSync(join(tmpdir(), 'channel-exporter-application-'));
  private node: string | undefined;
  /** Why there is nothing to start. */
  private missing: string | undefined;

  constructor(private readonly recipe: Recipe) {
    before(() => this.make());
    after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** A test that needs the application. */
  it(title: string, work: () => Promise<void>): void {
    it(title, async (test: TestContext) => {
      if (this.missing === undefined) await work();
      else reportNotRun(test, this.missing);
    });
  }

  /**
   * Starts it with the preload and asks each row; all that is counted has to be what the rows say.
   * @param options a program with `ready` gets its port by PORT
   */
  async answers(script: string, rows: readonly Row[], options: AppOptions = {}): Promise<void> {
    const port = options.ready === undefined ? undefined : String(await freePort());
    const app = await runApp(script, {
      ...(this.node === undefined ? {} : { node: this.node }),
      nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
      cwd: this.folder,
      ...options,
      env: { HOST: '127.0.0.1', PORT: port, NODE_ENV: 'production', ...options.env },
    });
    try {
      for (const { request, status, headers, body = null, answer } of rows) {
        const [method = '', path] = request.split(' ');
        const response = await fetch(`http://127.0.0.1:${app.port}${path}`, {
          method,
          headers: { 'user-agent': USER_AGENT, ...headers },
          body,
          redirect: 'manual',
        });
        const text = await response.text();
        assert.equal(response.status, status, `${request}: ${text.slice(0, 500)}\n${app.stderr()}`);
        if (answer !== undefined) assert.deepEqual(JSON.parse(text), answer, request);
      }
      const expected = rows.flatMap(({ path, status, code = '-1' }) =>
        path === undefined ? [] : [[USER_AGENT, path, status, code].join(' ')],
      );
      const metrics = await app.metricsWhen(
        (now) => now.counts(INNER).reduce((sum, { count }) => sum + count, 0) >= expected.length,
      );
      const counted = metrics
        .counts(INNER)
        .flatMap(({ labels, count }) =>
          Array<string>(count).fill([labels.f_code, labels.path, labels.http_status, labels.code].join(' ')),
        );
      assert.deepEqual(counted.sort(), expected.sort());
      assert.doesNotMatch(app.stderr(), /CHX_/);
    } finally {
      await app.stop();
    }
  }

  private make(): void {
    const { fixture, packages, isBundled, line, files = {}, build } = this.recipe;
    this.node = nodeOfLine(line ?? ownLine);
    if (this.node === undefined) {
      this.missing = `Node ${line} could not be installed`;
      return;
    }
    cpSync(join(FIXTURES, 'frameworks', fixture), this.folder, { recursive: true });
    const kind = isBundled ? 'devDependencies' : 'dependencies';
    const manifest = { private: true, type: 'module', [kind]: packages };
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(manifest));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps'];
    const { status, stderr } = this.run('npm', install);
    if (status !== 0) {
      this.missing = `${fixture} could not be installed: ${stderr}`;
      return;
    }
    if (build === undefined) return;
    const built = this.run(this.node, build);
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
  }

  private run(command: string, args: readonly string[]) {
    const path = `${dirname(this.node ?? '')}${delimiter}${process.env.PATH}`;
    return spawnSync(command, args, {
      cwd: this.folder,
      encoding: 'utf8',
      // npm may tell a build tool's own packages from an application's by it
      env: { ...process.env, PATH: path, NODE_ENV: 'development' },
      timeout: LIMIT_MS,
    });
  }
}
