/** Every relative link of the documentation leads somewhere, in the repository and in the package that users install. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/paths';

interface Page {
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

/** What is installed, built, measured or Git's own. */
const GENERATED = new Set(['node_modules', 'dist', 'build', 'results', '.git']);

/** Files of the repository, relative to it. */
function repositoryFiles(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !GENERATED.has(name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? repositoryFiles(path) : [path];
    });
}

/** Files of the tarball; nothing is written, and no script builds again. */
function packedFiles(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--silent', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
  return packed.files.map(({ path }) => path);
}

const isPage = (file: string) => file.endsWith('.md');

function readPage(file: string): Page {
  // code may hold what looks like a link or a heading
  const text = readFileSync(join(ROOT, file), 'utf8').replace(/^(```+)[^\n]*\n.*?^\1$/gms, '');
  const links = [...text.replace(/`[^`\n]*`/g, 'code').matchAll(/\]\(\s*([^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)];
  return {
    links: links.map(([, inline, reference]) => (inline ?? reference) as string),
    anchors: anchorsOf([...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading]) => heading as string)),
  };
}

/** The anchors that GitHub gives to headings: lower case, punctuation dropped, spaces as dashes, repeated ones numbered. */
function anchorsOf(headings: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const heading of headings) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim();
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    let free = anchor;
    for (let number = 1; anchors.has(free); number++) free = `${anchor}-${number}`;
    anchors.add(free);
  }
  return anchors;
}

/** @returns links that lead nowhere, as `page: link` */
function deadLinks(files: readonly string[]): string[] {
  const present = new Set(files);
  const folders = new Set(files.flatMap(foldersOf));
  const pages = new Map(files.filter(isPage).map((file) => [file, readPage(file)]));
  const leadsSomewhere = (page: string, link: string) => {
    const [path = '', anchor] = decodeURI(link).split('#');
    const target = path === '' ? page : posix.join(posix.dirname(page), path).replace(/\/$/, '');
    if (anchor === undefined) return present.has(target) || folders.has(target);
    return pages.get(target)?.anchors.has(anchor) ?? false;
  };
  return Array.from(pages, ([page, { links }]) =>
    links
      .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link) && !leadsSomewhere(page, link))
      .map((link) => `${page}: ${link}`),
  ).flat();
}

function foldersOf(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

describe('the links of the documentation', () => {
  it('lead to files and headings that the repository has', () => {
    const files = repositoryFiles();
    assert.ok(files.filter(isPage).length > 20, 'the pages are found');
    assert.deepEqual(deadLinks(files), []);
  });

  it('lead to files and headings that the package has', () => {
    const files = packedFiles();
    const { links } = readPage('README.md');
    assert.ok(files.includes('README.md') && links.length > 20, 'the README and its links are found');
    assert.deepEqual(deadLinks(files), []);
  });

  it('take anchors as GitHub makes them', () => {
    const headings = [
      'What it costs',
      '`<SYSCODE>_inner_metrics`: requests',
      'Limits',
      'Limits',
      '安装',
      'meter(name)',
    ];
    assert.deepEqual(
      [...anchorsOf(headings)],
      ['what-it-costs', 'syscode_inner_metrics-requests', 'limits', 'limits-1', '安装', 'metername'],
    );
  });
});
