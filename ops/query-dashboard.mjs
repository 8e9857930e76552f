/**
 * Asks a Prometheus every query of a dashboard, without Grafana, and shows what each panel would have now:
 *
 *     node ops/query-dashboard.mjs service http://localhost:9090 [name=value …]
 *
 * A variable of the dashboard that has no value here takes all; a value is a pattern, as in the panels. __rate_interval is
 * five minutes, the window of the rules. Nothing is needed but this file and the folder dashboards beside it.
 * Exit code: 0 where a query has rows, 1 where one is refused or all are empty, 2 wrong usage.
 */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('dashboards/', import.meta.url);
const USAGE = 'usage: node query-dashboard.mjs DASHBOARD [ADDRESS OF PROMETHEUS] [NAME=VALUE …]';
const DEFAULT_ADDRESS = 'http://localhost:9090';
/** Of all answers together. */
const ANSWERS_LIMIT_MS = 30_000;
const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;
/** Series that are shown of a query, and characters of what they are called. */
const SHOWN = 3;
const MAX_CHARACTERS = 60;
/** Control characters, line ends, and marks that turn the direction of a text: label values come from strangers. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
const words = process.argv.slice(2);
const given = words.filter((word) => /^\w+=/.test(word)).map((word) => word.split(/=(.*)/s, 2));
const [name, address = DEFAULT_ADDRESS, ...rest] = words.filter((word) => !/^\w+=/.test(word));
if (!names.includes(name)) endUsage(`DASHBOARD is one of ${names.join(', ')}`);
if (!URL.canParse(address) || rest.length > 0) endUsage(`not understood: ${rest[0] ?? address}`);

const { panels, templating } = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
const variables = templating.list.filter(({ type }) => type === 'query').map((variable) => variable.name);
const values = { __rate_interval: '5m', ...Object.fromEntries(variables.map((variable) => [variable, '.*'])) };
for (const [variable, value] of given) {
  if (!Object.hasOwn(values, variable)) endUsage(`${variable} is none of ${Object.keys(values).join(', ')}`);
  values[variable] = value;
}

const deadline = AbortSignal.timeout(ANSWERS_LIMIT_MS);
let withRows = 0;
for (const { title, targets = [] } of panels) {
  for (const { expr, legendFormat } of targets) {
    try {
      const rows = await ask(interpolate(expr));
      if (rows.length > 0) withRows++;
      console.log(`${title.padEnd(32)}${shown(rows, legendFormat)}`);
    } catch (error) {
      console.log(`${title.padEnd(32)}FAILED: ${printable(error.cause?.message || error.message, 1_000)}`);
      process.exitCode = 1;
    }
  }
}
if (withRows === 0) process.exitCode = 1;

/** As Grafana puts a single value into a string of a query. */
function interpolate(query) {
  return query.replace(/\$([A-Za-z_]\w*)/g, (_all, variable) =>
    values[variable].replace(/\\/g, '\\\\').replace(/"/g, '\\"'),
  );
}

/** @returns {Promise<{metric: Record<string, string>, value: [number, string]}[]>} rows of an instant query */
async function ask(query) {
  const url = new URL(`${address.replace(/\/$/, '')}/api/v1/query`);
  url.searchParams.set('query', query);
  const response = await fetch(url, { redirect: 'error', signal: deadline });
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > ANSWER_LIMIT_BYTES) throw new Error(`the answer has more than ${ANSWER_LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (!text.startsWith('{')) throw new Error(`status ${response.status}, and no answer of Prometheus`);
  const { data, error } = JSON.parse(text);
  if (!Array.isArray(data?.result)) throw new Error(error ?? `status ${response.status}, and no rows`);
  return data.result;
}

/** The greatest rows by their legends, as one line. */
function shown(rows, legendFormat) {
  if (rows.length === 0) return '-';
  const sorted = rows
    .map(({ metric, value }) => ({ legend: legendOf(metric, legendFormat), value: Number(value[1]) }))
    .sort((a, b) => b.value - a.value);
  const more = sorted.length > SHOWN ? `, and ${sorted.length - SHOWN} more` : '';
  return (
    sorted
      .slice(0, SHOWN)
      .map(({ legend, value }) => `${legend} = ${Number(value.toPrecision(3))}`)
      .join(', ') + more
  );
}

/** What a row is called in the panel; in a table, its labels. */
function legendOf(metric, legendFormat) {
  const legend =
    legendFormat === ''
      ? Object.entries(metric)
          .map(([label, value]) => `${label}="${value}"`)
          .join(' ')
      : legendFormat.replace(/\{\{(\w+)\}\}/g, (_all, label) => metric[label] ?? '').trim();
  return legend === '' ? '""' : printable(legend, MAX_CHARACTERS);
}

function printable(text, limit) {
  const clean = String(text).slice(0, limit).replace(UNPRINTABLE, '\ufffd');
  return text.length > limit ? `${clean}…` : clean;
}

function endUsage(problem) {
  console.error(`${printable(problem, 1_000)}\n${USAGE}`);
  process.exit(2);
}
