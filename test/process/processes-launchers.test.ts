/** A launcher under NODE_OPTIONS stays out: what it starts has the port, and says the one line. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeBinary } from '../support/app';
import { ROOT } from '../support/paths';
import { countOf, openWorld, PRELOAD_PATH, PROGRAMS, send, stateOf } from '../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 10;
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name);

describe('a service that is started under NODE_OPTIONS', () => {
  const STARTS: readonly { readonly name: string; readonly command: string; readonly args: readonly string[] }[] = [
    { name: 'node', command: nodeBinary(), args: ['service.js'] },
    { name: 'npm start', command: 'npm', args: ['start'] },
    { name: 'npx', command: 'npx', args: ['--no-install', '-c', 'node service.js'] },
    { name: 'yarn start', command: bin('yarn'), args: ['start'] },
    { name: 'pnpm start', command: bin('pnpm'), args: ['start'] },
    { name: 'tsx', command: bin('tsx'), args: ['service.js'] },
    { name: 'tsx watch', command: bin('tsx'), args: ['watch', 'service.js'] },
    { name: 'nodemon', command: bin('nodemon'), args: ['service.js'] },
    { name: 'npm start over nodemon', command: 'npm', args: ['run', 'watch'] },
    { name: 'node --watch', command: nodeBinary(), args: ['--watch', 'service.js'] },
  ];
  for (const { name, command, args } of STARTS) {
    it(`by ${name} is measured, and nothing else is`, async () => {
      const world = await openWorld();
      try {
        const cwd = join(world.folder, 'app');
        mkdirSync(cwd);
        cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
        const scripts = { start: 'node service.js', watch: `"${bin('nodemon')}" service.js` };
        writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', scripts }));
        const env = { NODE_OPTIONS: `-r ${PRELOAD_PATH}`, HOME: world.folder, CI: '1' };
        const service = world.start({ command, args, cwd, env });
        const [ready] = await service.ready(1);
        assert.ok(ready);
        await send(ready.port, REQUESTS);
        const metrics = await world.counted(REQUESTS);
        assert.equal(countOf(metrics), REQUESTS);
        const states = ['hub', 'member', 'gone'].map((state) => stateOf(metrics, PROCESSES, { state }));
        assert.deepEqual(states, [1, 0, 0]);
        assert.equal(service.said('/metrics;').length, 1, service.output());
        assert.equal(service.said('').length, 1, service.output());
      } finally {
        await world.end();
      }
    });
  }
});
