/** The command as a whole: help, versions, mistakes on its command line, pipes, and the preload beside it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BIN, runCommand } from '../../support/command';
import { ROOT } from '../../support/paths';
import { environment, nodeBinary } from '../../support/program';
import { PRELOAD_PATH } from '../../support/service';

const COMMANDS = ['check', 'doctor', 'scrape'];
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

describe('the command', () => {
  it('can be executed, and package.json names it', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: Record<string, string> };
    assert.equal(join(ROOT, bin['channel-exporter'] ?? ''), BIN);
    assert.equal(statSync(BIN).mode & 0o111, 0o111);
  });

  it('has a help that names every subcommand', async () => {
    const { code, stdout } = await runCommand(['--help']);
    assert.equal(code, 0);
    for (const name of COMMANDS) assert.match(stdout, new RegExp(`^  ${name} +\\w`, 'm'));
  });

  for (const name of COMMANDS) {
    it(`has a help of ${name} with every option that its page names`, async () => {
      const { code, stdout } = await runCommand([name, '--help']);
      assert.equal(code, 0);
      const options = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, option]) => option);
      for (const file of ['cli.md', 'zh-CN/cli.md']) {
        const page = readFileSync(join(ROOT, 'docs', file), 'utf8');
        const section = page.split(/^## /m).find((each) => each.startsWith(`\`${name}\``)) ?? '';
        const inPage = [...section.matchAll(/^\| `--([\w-]+)/gm)].map(([, option]) => option);
        assert.deepEqual([...inPage, 'help'].sort(), options.sort(), file);
      }
    });
  }

  it('has the version of the package', async () => {
    assert.deepEqual(await runCommand(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  for (const { name, args, says } of [
    { name: 'no subcommand', args: [], says: /^Usage: / },
    { name: 'a subcommand that is misspelled', args: ['docter'], says: /no command "docter"\. Did you mean doctor\?/ },
    { name: 'a subcommand that is none', args: ['xyzzy'], says: /The commands are check, doctor, scrape\./ },
    {
      name: 'an option that is misspelled',
      args: ['check', '--prnt'],
      says: /no option --prnt\. Did you mean --print\?/,
    },
    { name: 'an option without its value', args: ['check', '--partners'], says: /--partners/ },
    { name: 'an argument too many', args: ['scrape', '1', '2'], says: /no argument "2"/ },
    { name: 'a command without --', args: ['doctor', 'node'], says: /A command stands after --\./ },
    { name: 'a number that is none', args: ['doctor', '--seconds', '1e3', '--', 'x'], says: /1 to 3600; got "1e3"/ },
    { name: 'seconds without a command', args: ['doctor', '--seconds', '3'], says: /for a command/ },
    { name: 'a password in an address', args: ['scrape', 'http://a:b@127.0.0.1:1'], says: /--user-from/ },
    {
      name: 'a variable without a password',
      args: ['scrape', '--user-from', 'NOT_SET'],
      says: /holds no name:password/,
    },
    {
      name: 'a file of variables that is not there',
      args: ['check', '--env-from', '/no'],
      says: /--env-from cannot be read/,
    },
    { name: 'a folder that is none', args: ['doctor', '--folder', '/no'], says: /--folder is no folder/ },
  ]) {
    it(`refuses ${name} with exit code 2`, async () => {
      const { code, stdout, stderr } = await runCommand(args);
      assert.match(stderr, says);
      assert.deepEqual([code, stdout], [2, '']);
    });
  }

  it('ends quietly when nobody reads on', async () => {
    const args = [BIN, 'check', '--print', '--json'];
    const child = spawn(nodeBinary(), args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (text) => (stderr += text));
    const [code] = await once(child, 'close');
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('is no service itself when the preload is in NODE_OPTIONS', async () => {
    const env = { NODE_OPTIONS: `-r ${PRELOAD_PATH}`, SYSCODE: undefined };
    assert.deepEqual(await runCommand(['--version'], { env }), { code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
