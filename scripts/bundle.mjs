// Puts what is loaded together into one file each: the API, what reads bodies and partner files, what measures, and the
// Prometheus exporter. A hundred and fifty small files took longer to load than all that they do. Every module keeps its
// file, which hands on what a bundle has of it, so that whoever asks for a module, in a bundle or not, gets the same one.
//
// Of the types, those stay that an entry point leads to, as tsc wrote them; the licences of what is bundled are beside.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writePage } from './page.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, 'dist');
const requireBuilt = createRequire(join(DIST, 'package.json'));
const LICENCES = 'third-party-licences.txt';
const PLAIN = { SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: '0' };
// apart, because it may be switched off, and loads a module of Node's own that few use
const WITHOUT_HTTP2 = { ...PLAIN, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http2' };
const OFF = { OTEL_SDK_DISABLED: 'true' };
const API = 'src/index';
const INDEX = `require('./${API}.js')`;
/** Each has what its process loads and those before it do not. A process that is switched off has too few for one. */
const BUNDLES = [
  { file: 'bundles/api', env: OFF, script: INDEX },
  { file: 'bundles/reading', env: OFF, script: `${INDEX}.channelSpanHooks()` },
  { file: 'bundles/measuring', env: WITHOUT_HTTP2, script: '' },
  { file: 'bundles/http2', env: PLAIN, script: '' },
];
/** Loaded by few processes, and bundled alone, each with what it uses of other packages. */
const PROMETHEUS = 'src/exporter/prometheus';
const PUSHING = 'src/exporter/push/reader';

const switchedOff = loadedBy(OFF, '');
/** Each module to the bundle that has it. */
const bundleOf = new Map();
const packages = new Set();

for (const { file, env, script } of BUNDLES) {
  const modules = loadedBy(env, script).filter((name) => !switchedOff.includes(name) && !bundleOf.has(name));
  for (const name of modules) bundleOf.set(name, file);
}
for (const { file } of BUNDLES) {
  const modules = [...bundleOf.keys()].filter((name) => bundleOf.get(name) === file);
  await bundle(file, { stdin: entryOf(file, modules), plugins: [{ name: 'modules', setup: bundleModules(file) }] });
}
for (const alone of [PROMETHEUS, PUSHING]) await bundle(alone, { entryPoints: [`${alone}.ts`] });
// last: until here each process above loads every module from a file of its own
for (const [name, file] of bundleOf) writeFileSync(join(DIST, `${name}.js`), `'use strict';\n${handOn(name, file)}`);
writeFileSync(join(DIST, `${API}.js`), `'use strict';\n${handOnNames(API, bundleOf.get(API))}`);
writeFileSync(join(DIST, LICENCES), licences());
removeInternalTypes();
const pageBytes = await writePage();
// on stderr: npm pack --json builds too, and its output is JSON
console.error(
  `bundled ${bundleOf.size} modules, and of ${[...packages].sort().join(', ')}; the page has ${pageBytes} bytes`,
);

/** @returns modules of ours that a process loads with the preload and a script, such as `src/runtime/clock` */
function loadedBy(env, script) {
  const shown = `require('./register.js'); ${script}; process.stdout.write(JSON.stringify(Object.keys(require.cache)))`;
  const { PATH = '' } = process.env;
  const options = { cwd: DIST, env: { PATH, ...env }, encoding: 'utf8' };
  const files = JSON.parse(execFileSync(process.execPath, ['-e', shown], options));
  const own = files.filter((file) => file.startsWith(join(DIST, 'src')) && file.endsWith('.js'));
  return own.map((file) => pathFrom(DIST, file).replace(/^\.\/|\.js$/g, '')).sort();
}

/** A module that imports others in their order, and exports each as a whole under its name. */
function entryOf(file, names) {
  const imports = names.map((name, index) => `import * as _${index} from './${name}';`);
  const exported = names.map((name, index) => `_${index} as '${name}'`);
  const contents = `${imports.join('\n')}\nexport { ${exported.join(', ')} };`;
  return { contents, resolveDir: ROOT, sourcefile: `${file}.ts`, loader: 'ts' };
}

/** The text of a module that has a bundle's as its own: as values, since a bundle hands them out by getters, which cost. */
function handOn(name, file) {
  return `module.exports = { ...require('${pathFrom(dirname(name), file)}')['${name}'] };\n`;
}

/** The same within another bundle: as its own constants, which cost nothing at a call, where a getter for each does. */
function takeOver(name, file, from) {
  const names = Object.keys(requireBuilt(`./${name}.js`));
  return `export const { ${names.join(', ')} } = require('${pathFrom(from, file)}')['${name}'];\n`;
}

/** The same for ES modules, which look for the names in the text. */
function handOnNames(name, file) {
  const names = Object.keys(requireBuilt(`./${file}`)[name]);
  const lines = names.map((each) => `exports.${each} = all.${each};\n`);
  return `const all = require('${pathFrom(dirname(name), file)}')['${name}'];\n${lines.join('')}`;
}

async function bundle(name, { plugins = [], ...entry }) {
  const { metafile } = await build({
    ...entry,
    outfile: join(DIST, `${name}.js`),
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.6',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    // names stay, for stack traces; a third less text to read at each start
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    metafile: true,
    absWorkingDir: ROOT,
    plugins: [...plugins, { name: 'named requires', setup: nameRequires }],
  });
  for (const input of Object.keys(metafile.inputs)) {
    const [, found] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (found !== undefined) packages.add(found);
  }
}

/** Keeps out of a bundle what is in another one or in none, and leaves every require where it is. */
function bundleModules(file) {
  const place = dirname(file);
  return ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[^.]/ }, ({ kind }) => (kind === 'require-call' ? { external: true } : undefined));
    onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const name = nameOf(resolve(resolveDir, path));
      if (!name.startsWith('src/')) return undefined;
      const holder = bundleOf.get(name);
      if (kind === 'require-call' || holder === undefined) return { path: pathFrom(place, name), external: true };
      return holder === file ? undefined : { path: name, namespace: 'other bundle' };
    });
    onLoad({ filter: /.*/, namespace: 'other bundle' }, ({ path }) => ({
      contents: takeOver(path, bundleOf.get(path), place),
    }));
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const folder = pathFrom(ROOT, dirname(path));
      if (!folder.startsWith('./src')) return undefined;
      const contents = readFileSync(path, 'utf8').replaceAll(
        '__dirname',
        `(__dirname + '/${pathFrom(place, folder)}')`,
      );
      return { contents, loader: 'ts' };
    });
    // the path from one bundle to another is right as it is
    onResolve({ filter: /.*/, namespace: 'other bundle' }, ({ path }) => ({ path, external: true }));
  };
}

/** @returns the module that a path without suffix stands for */
function nameOf(path) {
  const name = pathFrom(ROOT, path).replace(/^\.\//, '');
  return existsSync(join(DIST, `${name}.js`)) || !existsSync(join(DIST, name, 'index.js')) ? name : `${name}/index`;
}

/** A path as require() takes it. */
function pathFrom(folder, path) {
  const found = relative(folder, path).replaceAll('\\', '/');
  return found.startsWith('.') ? found : `./${found}`;
}

/**
 * Packages that the exporter, written as CommonJS, requires as a whole are taken as modules, with the names that it uses:
 * of 400 kB of names of attributes it uses two.
 */
function nameRequires({ onResolve, onLoad }) {
  const exporter = /node_modules\/@opentelemetry\/exporter-prometheus\//;
  onResolve({ filter: /^@opentelemetry\// }, ({ path, importer, kind }) =>
    kind === 'require-call' && exporter.test(importer)
      ? // two files use other names of one package
        { path: `${path} in ${importer}`, namespace: 'named', pluginData: { name: path, importer } }
      : undefined,
  );
  onLoad({ filter: /.*/, namespace: 'named' }, ({ pluginData: { name, importer } }) => {
    const text = readFileSync(importer, 'utf8');
    const [, variable] = new RegExp(`const (\\w+) = require\\("${name}"\\)`).exec(text) ?? [];
    const names = new Set(Array.from(text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, 'g')), ([, used]) => used));
    return { contents: `export { ${[...names].join(', ')} } from '${name}';`, resolveDir: dirname(importer) };
  });
}

/** Nine in ten are of modules that nobody can import. */
function removeInternalTypes() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const found = new Set(
    Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(ROOT, types)])),
  );
  // a set goes on to what is added meanwhile
  for (const file of found) {
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(/(?:from |import\(|import )'(\.[^']*)'/g)) {
      const module = resolve(dirname(file), path);
      found.add([`${module}.d.ts`, join(module, 'index.d.ts')].find(existsSync));
    }
  }
  const all = readdirSync(DIST, { recursive: true }).map((name) => join(DIST, name));
  for (const file of all) if (file.endsWith('.d.ts') && !found.has(file)) rmSync(file);
}

function licences() {
  const texts = [...packages].sort().map((name) => {
    const folder = join(ROOT, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`;
  });
  return `Parts of these packages are in bundles/ and in ${PROMETHEUS}.js and ${PUSHING}.js.\n\n${texts.join('\n\n')}`;
}
