/**
 * Message servers for tests: each is started on free ports with a folder of its own, and nothing is touched that was
 * running before.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedBinary } from './debian-install';
import { atEnd, endsWithUs } from './left-behind';
import { startStreamRelay } from './stream-relay';
import { freePort, until } from './waiting';

/** A server that a test has started. */
export interface Broker {
  readonly port: number;
  /** Ends it at once, as a crash does; its data stay for {@link start}. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface RabbitMq extends Broker {
  readonly url: string;
  /** Of the stream protocol; undefined where it was not asked for. */
  readonly streamPort: number | undefined;
  /** What the broker itself has counted since it was started, over all queues. */
  counters(): Promise<{ delivered: number; acknowledged: number; redelivered: number }>;
}

export interface Postgres extends Broker {
  /** Makes an empty database. */
  create(database: string): void;
}

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Run after the process has ended. */
  readonly after?: () => void;
  /** Whom it runs as; only root may say. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** By which it ends at once. Default: SIGKILL. */
  readonly endSignal?: NodeJS.Signals;
}

const START_LIMIT_MS = 60_000;
/** Where Debian has a folder for each version. */
const POSTGRES = '/usr/lib/postgresql';
const NOBODY = 65_534;

export async function startRedis(): Promise<Broker> {
  const command = await installedBinary('redis-server', '/usr/bin/redis-server');
  return startBroker((port, folder) => ({
    command,
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
  }));
}

/** A Kafka that lives in kcat's memory: topics come into being when they are used, and end with it. */
export async function startKafka(): Promise<Pick<Broker, 'port' | 'stop'>> {
  const command = await installedBinary('kcat', '/usr/bin/kcat');
  // it serves as long as its own producer waits for input
  const args = ['-P', '-t', 'kcat', '-b', 'none', '-X', 'test.mock.num.brokers=1', '-d', 'mock'];
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  endsWithUs(child);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    // it goes on telling what it does
    if (output.length < 10_000) output += text;
  });
  const address = () => /bootstrap\.servers=127\.0\.0\.1:(\d+)/.exec(output);
  await until(() => address() !== null, 'kcat says where its cluster listens');
  return {
    port: Number(address()?.[1]),
    async stop() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

export async function startMosquitto(): Promise<Broker> {
  const command = await installedBinary('mosquitto', '/usr/sbin/mosquitto');
  return startBroker((port, folder) => {
    const file = join(folder, 'mosquitto.conf');
    const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0'];
    if (process.getuid?.() === 0) lines.push('user root');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return { command, args: ['-c', file] };
  });
}

export async function startNats(): Promise<Broker> {
  const command = await installedBinary('nats-server', '/usr/sbin/nats-server');
  return startBroker((port, folder) => ({
    command,
    args: ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', folder],
  }));
}

export async function startRabbitMq({ hasStreams = false } = {}): Promise<RabbitMq> {
  const command = await installedBinary('rabbitmq-server', '/usr/lib/rabbitmq/bin/rabbitmq-server');
  // an epmd of its own: the one of the system may serve others
  const [epmd, dist, prometheus] = [await freePort(), await freePort(), await freePort()];
  const [streams, relay] = hasStreams ? [await freePort(), await freePort()] : [];
  const lines = [
    `prometheus.tcp.ip = 127.0.0.1`,
    `prometheus.tcp.port = ${prometheus}`,
    // a client connects anew to where the broker says that a stream lives
    ...(hasStreams
      ? [
          `stream.listeners.tcp.1 = 127.0.0.1:${streams}`,
          `stream.advertised_host = 127.0.0.1`,
          `stream.advertised_port = ${relay}`,
        ]
      : []),
  ];
  const plugins = ['rabbitmq_prometheus', ...(hasStreams ? ['rabbitmq_stream'] : [])];
  const broker = await startBroker((port, folder) => {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const env = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: folder,
      ERL_EPMD_PORT: `${epmd}`,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      // lets it be ended before it has noticed that its node is gone
      ERL_EPMD_RELAXED_COMMAND_CHECK: '1',
      RABBITMQ_NODENAME: `channel-exporter-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${dist}`,
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_CONF_ENV_FILE: file('rabbitmq-env.conf', ''),
      RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', `${lines.join('\n')}\n`),
      RABBITMQ_ADVANCED_CONFIG_FILE: file('advanced.config', '[].\n'),
      RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', `[${plugins.join(',')}].\n`),
      // its threads sleep when they have nothing to do: by default they look for work for a while, on the tests' cores
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    };
    const after = () => void spawnSync('epmd', ['-port', `${epmd}`, '-kill'], { env, stdio: 'ignore' });
    return { command, args: [], env, after };
  });
  const endRelay =
    streams === undefined || relay === undefined ? () => undefined : await startStreamRelay(relay, streams);
  return {
    ...broker,
    url: `amqp://127.0.0.1:${broker.port}`,
    streamPort: relay,
    async stop() {
      endRelay();
      await broker.stop();
    },
    async counters() {
      const text = await (await fetch(`http://127.0.0.1:${prometheus}/metrics`)).text();
      const sum = (name: string) =>
        [...text.matchAll(new RegExp(`^rabbitmq_global_messages_${name}_total\\{.*\\} (\\d+)$`, 'gm'))]
          .map((match) => Number(match[1]))
          .reduce((total, value) => total + value, 0);
      return {
        delivered: sum('delivered'),
        acknowledged: sum('acknowledged'),
        redelivered: sum('redelivered'),
      };
    },
  };
}

/** Its user `postgres` needs no password. */
export async function startPostgres(): Promise<Postgres> {
  await installedBinary('postgresql', '/usr/bin/psql');
  const folders = readdirSync(POSTGRES).map((version) => join(POSTGRES, version, 'bin'));
  const programs = folders.find((each) => existsSync(join(each, 'initdb')));
  if (programs === undefined) throw new Error(`no version of PostgreSQL in ${POSTGRES} has an initdb`);
  // it refuses to run as root
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
  const broker = await startBroker((port, folder) => {
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    const env = { PATH: process.env.PATH, LC_ALL: 'C' };
    const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(programs, 'initdb'), args, { cwd: folder, env, stdio: 'ignore', ...user });
    return {
      command: join(programs, 'postgres'),
      args: ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-F'],
      env,
      // by SIGKILL it would leave its shared memory to the system
      endSignal: 'SIGQUIT',
      ...(user && { user }),
    };
  });
  const there = ['-h', '127.0.0.1', '-p', `${broker.port}`];
  const isReady = () => spawnSync(join(programs, 'pg_isready'), there).status === 0;
  await until(isReady, 'PostgreSQL answers');
  const create = (database: string) =>
    void execFileSync(join(programs, 'createdb'), [...there, '-U', 'postgres', database]);
  return { ...broker, create };
}

async function startBroker(launch: (port: number, folder: string) => Launch): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-broker-'));
  const port = await freePort();
  const { command, args, env, after, user, endSignal = 'SIGKILL' } = launch(port, folder);
  let child: ChildProcess | undefined;

  // a test that is cancelled ends without its own clean-up
  const stopped = atEnd(() => {
    if (child?.pid !== undefined) {
      process.kill(-child.pid, endSignal);
      after?.();
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const start = async () => {
    let output = '';
    // a group of its own, because a start script has children
    const started = spawn(command, args, {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (text) => {
        output += text;
      });
    const isOver = () => started.exitCode !== null || started.signalCode !== null;
    await until(async () => isOver() || (await answers(port)), `${command} listens`, START_LIMIT_MS).catch((cause) => {
      throw new Error(`${command} did not start:\n${output}`, { cause });
    });
    if (isOver()) throw new Error(`${command} ended at once:\n${output}`);
  };
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.pid === undefined) return;
    const closed = once(running, 'close');
    process.kill(-running.pid, endSignal);
    await closed;
    after?.();
  };
  await start();
  return {
    port,
    kill,
    start,
    async stop() {
      await kill();
      stopped();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
