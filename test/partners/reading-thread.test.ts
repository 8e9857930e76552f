import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DirectoryDraft, PartnerDirectory, type PartnerHost } from '../../src/partners/directory';
import { batchesOf } from '../../src/partners/reading-thread';

/** What one batch may hold at most: a batch is full at 500, and a part of a host has at most as many. */
const LARGEST = 1_001;

function host(name: string, aliases: number, paths: number): PartnerHost {
  const names = [name, ...Array.from({ length: aliases }, (_, n) => `${n}.${name}`)];
  return {
    names: names.map((hostname) => ({ hostname, port: undefined })),
    partner: name,
    paths: Array.from({ length: paths }, (_, n) => [n % 2 === 0 ? `/${n}` : `/${n}/:id`, String(n)]),
  };
}

it('hosts of any size come in small batches, which add up to the same directory', () => {
  const hosts = [host('small.test', 0, 0), host('paths.test', 0, 1_700), host('names.test', 1_300, 3)];
  hosts.push(...Array.from({ length: 900 }, (_, n) => host(`h${n}.test`, 1, 2)));
  const batches = [...batchesOf(hosts)];
  const sizes = batches.map((batch) => batch.reduce((sum, { names, paths }) => sum + names.length + paths.length, 0));
  assert.ok(Math.max(...sizes) <= LARGEST, `a batch holds ${Math.max(...sizes)}`);

  const draft = new DirectoryDraft();
  for (const part of batches.flat()) draft.add(part);
  const directory = new PartnerDirectory([]);
  directory.use(draft);
  for (const { names, partner, paths } of hosts) {
    for (const { hostname } of names) assert.equal(directory.find('http:', hostname, 80)?.code, partner);
    const found = directory.find('http:', names.at(-1)?.hostname ?? '', 80);
    for (const [path, code] of paths) assert.equal(found?.actionCode(path.replace(':id', 'x')), code);
  }
});
