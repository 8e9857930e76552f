/** The same, as a run shows them. */
import type { Facts } from './facts';
import type { Found, Pitfall } from './pitfalls';

/** Codes of lines that report no lost measurement. */
const HARMLESS = [
  'CHX_ALREADY_STARTED',
  'CHX_GLOBAL_REFUSED',
  'CHX_LABEL_OVERFLOW',
  'CHX_PEER_PAUSED',
  'CHX_PUSH_FAILED',
  'CHX_SERIES_OVERFLOW',
  'CHX_SOCKET_DIRECTORY',
];
/** A program that has not listened or measured has its port opened after ten seconds. */
const OPENS_AFTER_SECONDS = 10;

type Run = NonNullable<Facts['run']>;
type Look = (run: Run, facts: Facts) => readonly Found[];

const loss = (text: string, mend = ''): Found => ({ isLoss: true, text, mend });
const note = (text: string, mend = ''): Found => ({ isLoss: false, text, mend });

const rows: readonly { name: string; how: string; look: Look }[] = [
  {
    name: 'command-failed',
    how: 'the command cannot be started, or ends before its time',
    look({ failed, ended }) {
      if (failed !== undefined) return [loss(`the command cannot be started: ${failed}`)];
      if (ended === undefined) return [];
      const how = ended.signal === null ? `with code ${ended.code}` : `by ${ended.signal}`;
      const text = `the command ended after ${ended.afterSeconds.toFixed(1)} s ${how}`;
      return [ended.code === 0 ? note(text) : loss(text)];
    },
  },
  {
    name: 'nothing-served',
    how: 'no scrape was answered while it ran',
    look({ observed, seconds, failed, lines }) {
      if (observed.hasScrape || failed !== undefined || lines.some((line) => line.startsWith('nothing is measured')))
        return [];
      const text = `nothing was served: the program has neither listened nor measured in ${seconds} s`;
      const mend =
        seconds > OPENS_AFTER_SECONDS
          ? 'Its command may not pass NODE_OPTIONS on, or start no program of Node.'
          : `The port of a program without a server opens after ${OPENS_AFTER_SECONDS} s: run it with --seconds 15.`;
      return [loss(text, mend)];
    },
  },
  {
    name: 'logged-in-the-run',
    how: 'lines with a code that the exporter wrote',
    look: ({ observed }, { settings }) => {
      const known = [...settings.problems, ...settings.warnings].map(({ code, text }) => `${code}: ${text}`);
      return observed.warnings
        .filter((line) => !known.includes(line))
        .map((line) => (HARMLESS.some((code) => line.startsWith(code)) ? note(line) : loss(line)));
    },
  },
  {
    name: 'installed-and-not-observed',
    how: 'dependencies with a source that has found nothing in the run',
    look: ({ observed, seconds }, { packages }) =>
      !observed.hasScrape
        ? []
        : packages.observed
            .filter(
              ({ isDirect, isSupported, row }) => isDirect && isSupported && !observed.sources.includes(row.source),
            )
            .map(({ name, row }) => {
              const mend = 'It may be part of a bundle (docs/bundles.md), or not be used.';
              return note(`${name} is installed, and ${row.source} has found nothing of it in ${seconds} s`, mend);
            }),
  },
  {
    name: 'no-request-seen',
    how: 'no inbound request was counted, or only such as are not recorded',
    look({ observed: { hasScrape, requests, unrecorded } }) {
      if (!hasScrape || requests.length > 0) return [];
      const others = unrecorded.map(({ name, count }) => `${name} ${count}`).join(', ');
      const mend = 'Send some while the doctor runs the command.';
      return [note(`no request was recorded${others === '' ? '' : `; not recorded: ${others}`}`, mend)];
    },
  },
  {
    name: 'matched-route-not-recorded',
    how: 'requests of status 404 whose route matched',
    look: ({ observed: { unrecorded } }) =>
      unrecorded
        .filter(({ name }) => name === 'not_found')
        .map(({ count }) => {
          const text = `requests that matched a route and ended with status 404 are not recorded: ${count}`;
          return note(
            text,
            'Where 404 is an answer of the service, count it by channel_exporter_unrecorded_requests_total.',
          );
        }),
  },
  {
    name: 'partner-not-met',
    how: 'calls to hosts, ports and paths without a partner entry, and entries without a call',
    look({ observed: { unknownCalls, unmatched } }) {
      const entries = unmatched.map(({ name, count }) => `${name} ${count}`).join(', ');
      return [
        ...unknownCalls.map((line) => note(line, 'Add them to the partner file, if they are a partner.')),
        ...(entries === '' ? [] : [note(`no call has met some entries of the partner file: ${entries}`)]),
      ];
    },
  },
];

export const RUN_PITFALLS: readonly Pitfall[] = rows.map(({ name, how, look }) => ({
  name,
  how,
  look: (facts) => (facts.run === undefined ? [] : look(facts.run, facts)),
}));
