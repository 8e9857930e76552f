// Writes ops/dashboards/*.json from the definitions in scripts/dashboards/: node scripts/dashboards.mjs [--check]
//
// Grafana's classic model, which it has imported and provisioned in every version since 10. Written by a script because a
// panel is 60 lines of JSON, of which five are its own. --check writes nothing and fails where a file is not what would be
// written (test/ops/dashboards.test.ts).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import consumers from './dashboards/consumers.mjs';
import fleet from './dashboards/fleet.mjs';
import partners from './dashboards/partners.mjs';
import runtime from './dashboards/runtime.mjs';
import service from './dashboards/service.mjs';

const FOLDER = fileURLToPath(new URL('../ops/dashboards', import.meta.url));
/** Of Grafana 11.6 and 12; older ones ignore what they do not know, newer ones migrate. */
const SCHEMA_VERSION = 41;
const COLUMNS = 24;
const DATASOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };
const TAG = 'channel-exporter';
const DATASOURCE_VARIABLE = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
  includeAll: false,
  multi: false,
  options: [],
  refresh: 1,
  regex: '',
  skipUrlSync: false,
};

const files = new Map(
  [fleet, service, partners, consumers, runtime].map((each) => [
    `${each.name}.json`,
    `${JSON.stringify(dashboard(each), undefined, 1)}\n`,
  ]),
);

if (process.argv.includes('--check')) {
  const others = readdirSync(FOLDER).filter((file) => !files.has(file));
  const wrong = [...files].filter(([file, text]) => read(file) !== text).map(([file]) => file);
  if (others.length + wrong.length > 0) {
    console.error(`ops/dashboards: not as written by node scripts/dashboards.mjs: ${[...wrong, ...others].join(', ')}`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of files) writeFileSync(join(FOLDER, file), text);
}

function read(file) {
  try {
    return readFileSync(join(FOLDER, file), 'utf8');
  } catch {
    return undefined;
  }
}

/** @param definition a default export of scripts/dashboards/: rows of panels, in reading order */
function dashboard({ name, title, description, variables, rows }) {
  return {
    uid: `channel-exporter-${name}`,
    title: `Channel / ${title}`,
    description,
    tags: [TAG],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'Channel',
        tags: [TAG],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: { list: [DATASOURCE_VARIABLE, ...variables.map(variable)] },
    panels: layOut(rows),
  };
}

/** A variable whose values come from Prometheus. */
function variable({ name, label, query, isMulti = true }) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { qryType: 1, query, refId: 'variable' },
    current: {},
    hide: 0,
    includeAll: isMulti,
    multi: isMulti,
    options: [],
    refresh: 2,
    regex: '',
    skipUrlSync: false,
    sort: 1,
  };
}

/** Gives rows and panels their places from left to right and from top to bottom, and numbers. */
function layOut(rows) {
  const panels = [];
  let y = 0;
  const place = (panel) => panels.push({ id: panels.length + 1, ...panel });
  for (const { title, panels: inRow } of rows) {
    place({ type: 'row', title, collapsed: false, gridPos: { h: 1, w: COLUMNS, x: 0, y }, panels: [] });
    y++;
    let x = 0;
    let height = 0;
    for (const { width = 12, tall = 8, ...definition } of inRow) {
      if (x + width > COLUMNS) {
        y += height;
        x = 0;
        height = 0;
      }
      place({ ...panel(definition), gridPos: { h: tall, w: width, x, y } });
      x += width;
      height = Math.max(height, tall);
    }
    y += height;
  }
  return panels;
}

/**
 * @param definition queries: pairs of an expression and its legend; type: `timeseries`, `stat` or `table`; unit: an
 *   identifier of Grafana's; max: of the axis
 */
function panel({ title, description, unit, queries, type = 'timeseries', max }) {
  const isNow = type !== 'timeseries';
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      legendFormat,
      instant: isNow,
      range: !isNow,
      ...(type === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: { unit, min: 0, ...(max !== undefined && { max }), custom: customOf(type) },
      overrides: [],
    },
    options: optionsOf(type),
  };
}

function customOf(type) {
  return type === 'timeseries' ? { drawStyle: 'line', fillOpacity: 10, lineWidth: 1, showPoints: 'never' } : {};
}

function optionsOf(type) {
  if (type === 'stat')
    return { colorMode: 'value', reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } };
  if (type === 'table') return { showHeader: true };
  return {
    legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
    tooltip: { mode: 'multi', sort: 'desc' },
  };
}
