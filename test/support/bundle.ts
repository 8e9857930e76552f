/** Bundles a program into one file that stands outside the project, so that nothing resolves into it by accident. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { webpack } from 'webpack';
import { ROOT } from './paths';

export type Bundler = 'esbuild' | 'webpack';

/** Every way to bundle that is tried. */
export const BUNDLERS: readonly { readonly bundler: Bundler; readonly minify: boolean; readonly name: string }[] = [
  { bundler: 'esbuild', minify: false, name: 'esbuild' },
  { bundler: 'esbuild', minify: true, name: 'esbuild, minified' },
  { bundler: 'webpack', minify: false, name: 'webpack' },
  { bundler: 'webpack', minify: true, name: 'webpack, minified' },
];

export interface BundleOptions {
  readonly minify: boolean;
  /** Modules that are left out of the bundle. */
  readonly external?: readonly string[];
}

export interface Bundles {
  readonly folder: string;
  /** @returns path of the file */
  make(bundler: Bundler, source: string, options: BundleOptions): Promise<string>;
  /** The same for a file, with what it requires beside it. */
  makeFrom(bundler: Bundler, entry: string, options: BundleOptions): Promise<string>;
  remove(): void;
}

const MODULES = join(ROOT, 'node_modules');
/** As an application would have it in node_modules. */
const ALIAS = { 'channel-exporter': join(ROOT, 'dist/src/index.js') };

export function openBundles(): Bundles {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'channel-exporter-bundle-')));
  let count = 0;
  const makeFrom: Bundles['makeFrom'] = async (bundler, entry, options) => {
    const name = `bundle-${++count}.js`;
    await MAKERS[bundler](entry, folder, name, options);
    return join(folder, name);
  };
  return {
    folder,
    async make(bundler, source, options) {
      const entry = join(folder, 'source.js');
      writeFileSync(entry, source);
      const file = await makeFrom(bundler, entry, options);
      rmSync(entry);
      return file;
    },
    makeFrom,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const MAKERS: Readonly<
  Record<Bundler, (entry: string, folder: string, file: string, options: BundleOptions) => Promise<void>>
> = {
  async esbuild(entry, folder, file, { minify, external = [] }) {
    await build({
      entryPoints: [entry],
      outfile: join(folder, file),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      minify,
      external: [...external],
      alias: ALIAS,
      nodePaths: [MODULES],
      logLevel: 'error',
    });
  },
  async webpack(entry, folder, file, { minify, external = [] }) {
    const compiler = webpack({
      mode: minify ? 'production' : 'development',
      devtool: false,
      target: 'node',
      entry,
      output: { path: folder, filename: file },
      // as esbuild leaves it: the program's own environment decides
      optimization: { nodeEnv: false },
      // __dirname is where the bundle stands
      node: { __dirname: false },
      externals: Object.fromEntries(external.map((each) => [each, `commonjs ${each}`])),
      resolve: { modules: ['node_modules', MODULES], alias: ALIAS },
      // Express looks for template engines by name, which a bundler cannot follow
      ignoreWarnings: [/.*/],
    });
    await new Promise<void>((resolve, reject) => {
      compiler?.run((error, stats) => {
        compiler.close(() => undefined);
        if (error) reject(error);
        else if (stats?.hasErrors()) reject(new Error(stats.toString({ all: false, errors: true })));
        else resolve();
      });
    });
  },
};
