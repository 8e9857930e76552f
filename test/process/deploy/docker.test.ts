/**
 * The Dockerfiles of ops/deploy/docker, step by step in folders that stand for images: what is installed, copied and
 * loaded is where they say. A machine that runs tests seldom has Docker.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { runApp, SYSCODE } from '../../support/app';
import { openWorkshop, type Workshop } from '../../support/packed';
import { FIXTURES, ROOT } from '../../support/paths';

const run = promisify(execFile);
const FOLDER = join(ROOT, 'ops/deploy/docker');
const COMMAND_LIMIT_MS = 180_000;

/** An image: its files, and how it starts. */
interface Image {
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
  user?: string;
  command?: readonly string[];
}

/** Instructions of a Dockerfile, without comments. */
function instructionsOf(file: string): { readonly name: string; readonly rest: string }[] {
  const text = readFileSync(join(FOLDER, file), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.split(' ', 1)[0] as string, rest: line.slice(line.indexOf(' ') + 1) }));
}

/**
 * Builds the images of a Dockerfile.
 * @param folder where they get a folder each
 * @param args build arguments
 * @param given images from elsewhere, by their names
 * @returns the images by the names of their stages; the last also as `last`
 * @throws {Error} for an instruction that is not known here
 */
async function build(
  file: string,
  {
    folder,
    context,
    args = {},
    given = {},
  }: {
    folder: string;
    context: string;
    args?: Record<string, string>;
    given?: Record<string, Image>;
  },
): Promise<Record<string, Image>> {
  const images: Record<string, Image> = { ...given };
  let image: Image = { root: '', env: {}, workdir: '/' };
  const inside = (path: string) => join(image.root, path.startsWith('/') ? path : join(image.workdir, path));
  for (const { name, rest } of instructionsOf(file)) {
    const words = rest.split(' ');
    if (name === 'FROM') {
      const stage = words[2] ?? 'last';
      image = { root: join(folder, stage), env: {}, workdir: '/' };
      mkdirSync(image.root, { recursive: true });
      images[stage] = image;
      images.last = image;
    } else if (name === 'ARG') {
      const [key = '', value = ''] = rest.split('=');
      image.env[key] = args[key] ?? value;
    } else if (name === 'WORKDIR') {
      image.workdir = rest;
      mkdirSync(inside(rest), { recursive: true });
    } else if (name === 'RUN') {
      const env = { ...process.env, ...image.env };
      await run('sh', ['-c', rest], { cwd: inside('.'), env, timeout: COMMAND_LIMIT_MS });
    } else if (name === 'COPY') {
      const from = /^--from=(\S+)$/.exec(words[0] as string)?.[1];
      const source = from === undefined ? context : images[from]?.root;
      assert.ok(source !== undefined, `no image ${from}`);
      const paths = from === undefined ? words : words.slice(1);
      const target = paths.at(-1) as string;
      for (const path of paths.slice(0, -1)) {
        const isInto = target.endsWith('/') && path !== '.';
        cpSync(join(source, path), inside(isInto ? join(target, path) : target), { recursive: true });
      }
    } else if (name === 'ENV') {
      const [, key = '', value = ''] = /^(\w+)="(.*)"$/.exec(rest) ?? [];
      image.env[key] = value;
    } else if (name === 'USER') image.user = rest;
    else if (name === 'CMD') image.command = JSON.parse(rest) as string[];
    else if (name !== 'EXPOSE') throw new Error(`${file}: ${name} is not known here`);
  }
  return images;
}

describe('the images for Docker', () => {
  let workshop: Workshop;
  let packages: Record<string, Image>;
  before(async () => {
    workshop = await openWorkshop();
    const folder = join(workshop.folder, 'images');
    packages = await build('Dockerfile', { folder, context: FOLDER, args: { PACKAGE: workshop.tarball } });
  });
  after(() => workshop?.remove());

  it('hold the package and its dependencies, readable for every user, and nothing that has to be compiled', async () => {
    const modules = join((packages.package as Image).root, 'channel-exporter/node_modules');
    for (const path of ['channel-exporter/dist/register.js', '@opentelemetry/sdk-metrics/package.json']) {
      assert.equal(statSync(join(modules, path)).mode & 0o444, 0o444, path);
    }
    const { stdout } = await run('find', [
      modules,
      '-name',
      '*.node',
      '-o',
      '(',
      '-type',
      'f',
      '!',
      '-perm',
      '-a+r',
      ')',
    ]);
    assert.equal(stdout, '');
  });

  it('give a service the package that does not have it among its dependencies', async () => {
    const image = 'registry.example.com/channel-exporter:0.1.0';
    const { last } = await build('app.Dockerfile', {
      folder: join(workshop.folder, 'app-image'),
      context: join(FIXTURES, 'deploy/app'),
      given: { [image]: packages.package as Image },
    });
    const { root, env, user, command = [], workdir } = last as Image;
    assert.ok(!existsSync(join(root, workdir, 'node_modules/channel-exporter')));
    assert.deepEqual([user, command[0]], ['node', 'node']);
    const app = await runApp(command[1] as string, {
      cwd: join(root, workdir),
      nodeArgs: [],
      // the only absolute path is that of the preload
      env: { NODE_OPTIONS: env.NODE_OPTIONS?.replace('/opt/', `${root}/opt/`) },
    });
    try {
      await fetch(`http://127.0.0.1:${app.port}/`);
      const metrics = await app.metricsWhen(({ text }) => text.includes(`${SYSCODE}_inner_metrics_count{`));
      assert.match(metrics.text, /inner_metrics_count\{.*code="0"/);
    } finally {
      await app.stop();
    }
  });

  it('are used as docs/deployment.md shows', () => {
    const page = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
    const [, block = ''] = /^```dockerfile\n(.*?)^```$/ms.exec(page) ?? [];
    const lines = readFileSync(join(FOLDER, 'app.Dockerfile'), 'utf8').split('\n');
    const shown = block.trim().split('\n');
    assert.equal(shown.length, 2);
    for (const line of shown) assert.ok(lines.includes(line), line);
  });

  it('put the package where the pods of Kubernetes load it from', async () => {
    const { root, command = [] } = packages.init as Image;
    const text = readFileSync(join(ROOT, 'ops/deploy/kubernetes/injected.yaml'), 'utf8');
    // biome-ignore lint/suspicious/noExplicitAny: the manifest is checked against its schema elsewhere
    const pod = parseAllDocuments(text).map((document) => document.toJS() as any)[0].spec.template.spec;
    const [container] = pod.initContainers;
    assert.deepEqual(container.command, command);
    const volume = join(workshop.folder, 'volume');
    mkdirSync(volume);
    const mounted = container.volumeMounts[0].mountPath as string;
    const [program, ...args] = container.command as [string, ...string[]];
    await run(
      program,
      args.map((arg) => arg.replace(/^\/channel-exporter/, `${root}/channel-exporter`).replace(mounted, volume)),
    );
    const { value } = pod.containers[0].env.find(({ name }: { name: string }) => name === 'NODE_OPTIONS');
    const [, preload = ''] = /^--require (\S+)$/.exec(value) ?? [];
    assert.ok(statSync(preload.replace(mounted, volume)).isFile(), preload);
    const { stdout } = await run('du', ['-sm', volume]);
    assert.ok(Number.parseInt(stdout, 10) < Number.parseInt(pod.volumes[0].emptyDir.sizeLimit, 10), stdout);
  });
});
