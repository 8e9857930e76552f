/**
 * The manifests of ops/deploy/kubernetes, against the schemas of Kubernetes and of the Prometheus Operator.
 *
 * The schemas are those of the packages kubernetes-models: functions that ajv has compiled, for values; and types, for
 * keys that no schema knows, which an API server drops or refuses. They need a newer Node than this project, and are
 * installed for this test alone.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { nodeBinary } from '../../support/app';
import { ROOT } from '../../support/paths';

const run = promisify(execFile);
const FOLDER = join(ROOT, 'ops/deploy/kubernetes');
const MODELS = ['kubernetes-models@5.1.0', '@kubernetes-models/prometheus-operator@6.0.0'];
const INSTALL_LIMIT_MS = 180_000;
/** Where the model of each kind is; its class has the name of the kind. */
const MODULES: Readonly<Record<string, string>> = {
  'apps/v1': 'kubernetes-models/apps/v1',
  v1: 'kubernetes-models/v1',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const manifests = readdirSync(FOLDER).flatMap((file) =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => document.toJS() as Manifest),
);

/** A program that makes the model of a manifest, and has it validate itself. */
function programOf(manifest: Manifest): string {
  // the model has these by its class
  const { kind, apiVersion, ...rest } = manifest;
  const path = `${MODULES[apiVersion]}/${kind}`;
  return `import { ${kind} } from ${JSON.stringify(path)};\nnew ${kind}(${JSON.stringify(rest)}).validate();\n`;
}

describe('the manifests for Kubernetes', () => {
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chx-manifests-'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--no-package-lock'];
    await run('npm', ['install', ...flags, ...MODELS], { cwd: folder, timeout: INSTALL_LIMIT_MS });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns what schema and types say against some manifests, by their kinds */
  async function faultsOf(checked: readonly Manifest[]): Promise<Record<string, string>> {
    const faults: Record<string, string> = {};
    const files = checked.map((manifest, index) => {
      const file = `manifest${index}.ts`;
      writeFileSync(join(folder, file), programOf(manifest));
      return file;
    });
    const compilerOptions = {
      ...{ strict: true, module: 'nodenext', target: 'es2022', types: [], skipLibCheck: true },
      ...{ outDir: 'out', rootDir: '.', noEmitOnError: false },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const typed = await run(nodeBinary(), [tsc, '-p', folder], { cwd: folder }).catch((error) => error);
    for (const [index, { kind, metadata }] of checked.entries()) {
      const said = typed.stdout.split('\n').filter((line: string) => line.startsWith(`manifest${index}.ts`));
      const ran = await run(nodeBinary(), [join(folder, `out/manifest${index}.js`)]).catch((error) => error);
      const text = [...said, ...(ran.code ? [ran.stderr] : [])].join('\n');
      if (text !== '') faults[`${kind} ${metadata.name}`] = text;
    }
    return faults;
  }

  it('follow their schemas, and have no key that these do not know', async () => {
    assert.deepEqual(manifests.map(({ kind }) => kind).sort(), [
      'ConfigMap',
      'Deployment',
      'Deployment',
      'NetworkPolicy',
      'PodMonitor',
    ]);
    assert.deepEqual(await faultsOf(manifests), {});
  });

  it('would be refused with a key that is misspelled, or a value of another kind', async () => {
    const byKind = (kind: string) => JSON.stringify(manifests.find((manifest) => manifest.kind === kind));
    const misspelled = byKind('Deployment').replace('readOnlyRootFilesystem', 'readOnlyRootFileSystem');
    const wrong = byKind('PodMonitor').replace('"honorLabels":true', '"honorLabels":"yes"');
    const faults = await faultsOf([JSON.parse(misspelled), JSON.parse(wrong)]);
    assert.match(faults['Deployment orders'] ?? '', /readOnlyRootFileSystem/);
    assert.match(faults['PodMonitor channel-exporter'] ?? '', /honorLabels/);
  });

  it('agree on ports, labels and the paths of what is mounted', () => {
    const monitor = JSON.stringify(manifests.find(({ kind }) => kind === 'PodMonitor'));
    assert.match(monitor, /"port":"metrics"/);
    for (const manifest of manifests.filter(({ kind }) => kind === 'Deployment')) {
      // biome-ignore lint/suspicious/noExplicitAny: its shape is checked above
      const { selector, template } = (manifest as any).spec;
      const [container] = template.spec.containers;
      const ports = container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [
        name,
        containerPort,
      ]);
      assert.deepEqual(ports.at(-1), ['metrics', Number(template.metadata.annotations['prometheus.io/port'])]);
      assert.match(template.metadata.labels.syscode, /^[A-Z]\d{9}$/);
      assert.equal(template.metadata.labels.app, selector.matchLabels.app);
      const volumes = template.spec.volumes.map(({ name }: { name: string }) => name);
      for (const { name } of container.volumeMounts) assert.ok(volumes.includes(name), name);
    }
  });
});
