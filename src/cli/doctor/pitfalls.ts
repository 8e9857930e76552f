/** Mistakes that lose measurements without a word, as far as a folder and an environment show them. */
import { offSwitch } from '../../config/off-switch';
import { sourcesOffBy } from '../../config/source-names';
import { metricsExporters } from '../../config/standard-variables';
import { effectiveSources } from '../../instrumentations';
import { VERSION } from '../../version';
import { lineOf } from '../check/findings';
import { type Facts, isElsewhere } from './facts';
import type { OtherProcess } from './processes';
import { UNOBSERVED } from './supported';

/** What was found of one pitfall. */
export interface Found {
  /** Whether measurements are lost, or may be. */
  readonly isLoss: boolean;
  readonly text: string;
  /** How to mend it; empty where the text says so. */
  readonly mend: string;
}

export interface Pitfall {
  readonly name: string;
  /** How it is found. */
  readonly how: string;
  look(facts: Facts): readonly Found[];
}

const LEAST_NODE = [20, 6] as const;

const loss = (text: string, mend = ''): Found => ({ isLoss: true, text, mend });
const note = (text: string, mend = ''): Found => ({ isLoss: false, text, mend });

export const PITFALLS: readonly Pitfall[] = [
  {
    name: 'node-too-old',
    how: 'the version of the Node that runs the doctor',
    look({ nodeVersion }) {
      const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
      const [least, leastMinor] = LEAST_NODE;
      if (major > least || (major === least && minor >= leastMinor)) return [];
      return [loss(`Node ${nodeVersion} is too old`, `Use Node ${LEAST_NODE.join('.')} or newer.`)];
    },
  },
  {
    name: 'settings-refused',
    how: 'as `check` finds problems',
    look: ({ settings }) => settings.problems.map((problem) => loss(lineOf(problem))),
  },
  {
    name: 'variable-without-effect',
    how: 'as `check` finds misspelled variables and words in them, of ours and of OpenTelemetry',
    look: ({ settings }) =>
      settings.warnings
        .filter(({ code }) => code === 'CHX_VARIABLE_UNKNOWN' || code === 'CHX_VARIABLE_VALUE')
        .map((warning) => loss(lineOf(warning))),
  },
  {
    name: 'partner-spelling',
    how: 'as `check` finds paths in braces or with a slash at the end; a host without its port only in a run',
    look: ({ settings }) =>
      settings.warnings.filter(({ code }) => code === 'CHX_PARTNER_PATH').map((warning) => loss(lineOf(warning))),
  },
  {
    name: 'other-boundaries',
    how: 'boundaries in the settings that are not the default ones',
    look: ({ settings, env }) =>
      settings.warnings
        .filter(({ code, text }) => code === undefined && !text.startsWith(`${offSwitch(env)};`))
        .map(({ text }) => note(text)),
  },
  {
    name: 'switched-off',
    how: 'the variables that turn everything off',
    look({ env }) {
      const off = offSwitch(env);
      return off === undefined ? [] : [loss(`${off}: nothing is measured`, 'Unset it where the service runs.')];
    },
  },
  {
    name: 'preload-without-register',
    how: 'NODE_OPTIONS, the command, scripts of package.json, Dockerfile, Procfile and PM2 files',
    look: ({ code }) =>
      code.withoutRegister.map(({ where, text }) =>
        loss(`${where}: ${text} loads the API alone, and nothing is measured`, 'Write -r channel-exporter/register.'),
      ),
  },
  {
    name: 'no-preload-seen',
    how: 'the same places, and calls of start() in the code of the folder',
    look({ code }) {
      if (code.preloads.length + code.withoutRegister.length > 0) return [];
      const mend = 'Add -r channel-exporter/register to the command, or set NODE_OPTIONS where the service runs.';
      return [note('neither a preload of channel-exporter/register nor a call of start() was found', mend)];
    },
  },
  {
    name: 'start-with-text',
    how: "start('A123010101') in a file that loads the package",
    look: ({ code }) =>
      code.startsWithText.map(({ where, text }) =>
        loss(`${where}: ${text} is given a text in place of an object, and throws`, "Write start({ syscode: '…' })."),
      ),
  },
  {
    name: 'source-switched-off',
    how: 'a source that is off by a variable, while a package that it observes is a dependency',
    look({ packages, env }) {
      const offBy = sourcesOffBy(env);
      const effective = effectiveSources((name) => offBy(name) === undefined).map(({ name }) => name);
      return packages.observed
        .filter(({ row, isDirect }) => isDirect && !effective.includes(row.source))
        .map(({ name, row }) => {
          const source = offBy(row.source) === undefined ? 'http' : row.source;
          const variable = offBy(source);
          return loss(
            `${name} is installed, and not observed: ${source} is off by ${variable}`,
            `Take ${source} out of it.`,
          );
        });
    },
  },
  {
    name: 'version-not-observed',
    how: 'versions in node_modules, beside those that are supported',
    look: ({ packages }) =>
      packages.observed
        .filter(({ isSupported }) => !isSupported)
        .map(({ name, version, range, isDirect }) => {
          const text = `${name} ${version} is not observed, versions ${range} are`;
          return isDirect
            ? loss(text, `Install one of these versions of ${name}.`)
            : note(text, 'Another package uses it.');
        }),
  },
  {
    name: 'package-not-observed',
    how: 'dependencies that are known to have no source',
    look: ({ packages }) =>
      packages.unobserved.map(({ name, version }) => note(`${name} ${version} is not observed`, UNOBSERVED[name])),
  },
  {
    name: 'bundled-client',
    how: "marks of a bundler and texts of the client in the command's file, or in that of the start script",
    look: ({ bundles }) =>
      bundles.flatMap(({ file, clients, handsIn }) =>
        clients.map((client) => {
          const text = `${file} is a bundle with ${client} inside, where it is not seen`;
          if (client === 'hapi') return loss(text, 'Leave it out of the bundle (docs/bundles.md).');
          if (handsIn) return note(`${text}, unless it is handed in`, `Check that observe() is given ${client}.`);
          return loss(text, 'Leave it out of the bundle, or hand it in by observe() (docs/bundles.md).');
        }),
      ),
  },
  {
    name: 'registry-not-served',
    how: 'prom-client or @prometheus-io/client as a dependency, while CHANNEL_EXPORTER_PROM_CLIENT is off',
    look: ({ packages, settings }) =>
      settings.config?.promClient !== false
        ? []
        : packages.registries
            .filter(({ isDirect }) => isDirect)
            .map(({ name }) => {
              const mend = 'Set CHANNEL_EXPORTER_PROM_CLIENT=on, unless another port serves it.';
              return note(`what the application registers in ${name} is not on this scrape`, mend);
            }),
  },
  {
    name: 'otlp-exporter-missing',
    how: 'otlp among the exporters of metrics, without its package in node_modules',
    look({ env, packages }) {
      if (!metricsExporters(env).includes('otlp') || packages.otlpExporter !== undefined) return [];
      const mend = 'npm install @opentelemetry/exporter-metrics-otlp-proto';
      return [loss('CHX_EXPORTER_MISSING: nothing is pushed by OTLP: its exporter is not installed', mend)];
    },
  },
  {
    name: 'syscode-in-two-applications',
    how: 'processes of Node with the same SYSCODE whose folder is another application (Linux), and the exporter on the port',
    look: ({ sameSyscode, port, settings, folder }) => {
      const syscode = settings.config?.syscode ?? '';
      const others = [...sameSyscode];
      const { holder, application } = port ?? {};
      if (holder !== undefined && application === syscode && isElsewhere(holder, folder)) {
        if (others.every(({ pid }) => pid !== holder.pid)) others.push(holder);
      }
      const folders = [...new Set(others.map((other) => other.folder))];
      return folders.map((each) => {
        const [first, ...more] = others.filter((other) => other.folder === each) as [OtherProcess, ...OtherProcess[]];
        const program = `${described(first)}${more.length === 0 ? '' : ` and ${more.length} more there`}`;
        const text = `${syscode} is the system code of another program too, ${program}: one scrape adds up both`;
        return loss(text, 'Give each service its own SYSCODE and port, if they are two.');
      });
    },
  },
  {
    name: 'port-taken',
    how: 'listening on the port for a moment; who has it as Linux shows it, and what answers /metrics there',
    look({ port, settings, folder }) {
      if (port === undefined || port.isFree) return [];
      const { holder, application, error } = port;
      const syscode = settings.config?.syscode;
      const who = holder === undefined ? '' : `, by ${described(holder)}`;
      if (error !== 'EADDRINUSE')
        return [loss(`port ${port.port} cannot be had: ${error}`, 'Set CHANNEL_EXPORTER_PORT.')];
      if (application === undefined) {
        return [
          loss(
            `port ${port.port} is taken by something that is no exporter${who}`,
            'Set CHANNEL_EXPORTER_PORT to a free one.',
          ),
        ];
      }
      if (application !== syscode) {
        const mend = 'Set CHANNEL_EXPORTER_PORT: each service of a host has its own port.';
        return [loss(`port ${port.port} is taken by the exporter of ${application}${who}`, mend)];
      }
      const isOther = holder !== undefined && isElsewhere(holder, folder);
      return isOther ? [] : [note(`port ${port.port} is served by a running exporter of ${syscode}${who}`, '')];
    },
  },
  {
    name: 'two-copies',
    how: 'the version of the package in node_modules, beside that of the command',
    look({ packages: { own } }) {
      if (own === undefined || own.version === VERSION) return [];
      return [note(`the application has channel-exporter ${own.version}, this command is ${VERSION}`)];
    },
  },
];

/** What cannot be found from here. */
export const OUT_OF_REACH: readonly string[] = [
  'labels that relabelling in Prometheus drops: it keeps one series of those that fall together, and their sums are wrong (docs/limits.md)',
  'flags and variables that are set where the service is deployed',
];

function described({ pid, folder, command }: OtherProcess): string {
  return `pid ${pid}${folder === undefined ? '' : ` in ${folder}`}${command === '' ? '' : ` (${command})`}`;
}
