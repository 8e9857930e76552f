/**
 * The application's Views: which are for instruments of ours and what they may change, and whether the SDK takes the
 * others.
 */
import type { ViewOptions } from '@opentelemetry/sdk-metrics';
import { nearest, type Problem, problem } from '../errors';
import { families, type ViewSettings } from '../views';
import type { ApplicationViews, FamilyChange } from '../views/application-views';
import { boundariesFault, MAX_BOUNDARIES } from '../views/boundaries';
import { INSTRUMENTS, type InstrumentName, METER_NAME } from '../views/metric-names';
import { sampleNames } from '../views/prometheus-names';
import { AggregationType } from '../views/sdk-constants';
import { MAX_SERIES } from './defaults';
import type { Parsed } from './parsed';

/** Why a View cannot be used. */
interface Fault {
  readonly wrong: string;
  readonly remedy: string;
}

/** A View whose options have the types that they are declared with. */
type Checked = ViewOptions & { readonly aggregation?: Aggregation };
interface Aggregation {
  readonly type: number;
  readonly options?: { readonly boundaries?: readonly number[] };
}

const TEXTS = ['name', 'description', 'instrumentName', 'instrumentType', 'instrumentUnit'] as const;
const METER_TEXTS = ['meterName', 'meterVersion', 'meterSchemaUrl'] as const;
const OPTIONS = [...TEXTS, ...METER_TEXTS, 'aggregation', 'aggregationCardinalityLimit', 'attributesProcessors'];
const OUR_INSTRUMENTS: readonly string[] = Object.values(INSTRUMENTS);
const AGGREGATIONS = Object.keys(AggregationType) as (keyof typeof AggregationType)[];
/** As PrometheusSerializer leaves a name alone; colons are for recording rules. */
const FAMILY_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const EXPECTED =
  "Views of OpenTelemetry's SDK; for one instrument of this package with its instrumentName and any of name, description, aggregationCardinalityLimit and, as aggregation, EXPLICIT_BUCKET_HISTOGRAM with boundaries or DROP";

/** @param raw a list of the SDK's ViewOptions, or its JSON text; aggregations by number or name */
export function parseViews(raw: unknown, from: string): Parsed<ApplicationViews> {
  const views = typeof raw === 'string' ? parsedJson(raw) : raw;
  if (!Array.isArray(views)) {
    const remedy = 'Write for instance [{"instrumentName":"channel.inner.duration","name":"http_server_ms"}].';
    return faulty(`${from} is not a list of Views`, raw, remedy);
  }
  const ours: FamilyChange[] = [];
  const others: ViewOptions[] = [];
  for (const [index, view] of views.entries()) {
    const checked = checkedView(view);
    const fault = 'wrong' in checked ? checked : sortIn(checked, ours, others);
    if (fault !== undefined) return faulty(`View ${index + 1} of ${from}: ${fault.wrong}`, view, fault.remedy);
  }
  return { value: Object.freeze({ ours, others }) };
}

/**
 * @param settings with the application's Views
 * @returns names that two families would have on the scrape
 */
export function viewClashes(settings: ViewSettings): Problem[] {
  const owners = new Map<string, string>();
  return families(settings, () => false).flatMap(({ name, kind, instrument = name, isDropped }): Problem[] => {
    const names = isDropped ? [] : sampleNames(name, kind);
    const taken = names.find((each) => owners.has(each));
    for (const each of names) if (!owners.has(each)) owners.set(each, instrument);
    if (taken === undefined) return [];
    const wrong = `views give ${instrument} a name that ${owners.get(taken)} has`;
    return [invalid(wrong, name, `Give one of them another name: ${taken} would stand twice on the scrape.`)];
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkedView(view: unknown): Checked | Fault {
  if (typeof view !== 'object' || view === null || Array.isArray(view)) {
    return { wrong: 'it is no object', remedy: 'Write each View as an object.' };
  }
  const options = view as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    const near = nearest(unknown, OPTIONS);
    return { wrong: `a View has no ${unknown}`, remedy: near === undefined ? 'Remove it.' : `Did you mean ${near}?` };
  }
  const notText = [...TEXTS, ...METER_TEXTS].find((key) => !['string', 'undefined'].includes(typeof options[key]));
  if (notText !== undefined) return { wrong: `its ${notText} is no text`, remedy: 'Give a text, or leave it out.' };
  const { aggregationCardinalityLimit: limit, aggregation, ...rest } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && (limit as number) >= 1 && (limit as number) <= MAX_SERIES)) {
    return { wrong: 'its aggregationCardinalityLimit is no number of series', remedy: `Give 1 to ${MAX_SERIES}.` };
  }
  const known = aggregation === undefined ? undefined : checkedAggregation(aggregation);
  if (known !== undefined && 'wrong' in known) return known;
  const given = { ...(limit === undefined ? {} : { aggregationCardinalityLimit: limit }) };
  return { ...rest, ...given, ...(known === undefined ? {} : { aggregation: known }) } as Checked;
}

function checkedAggregation(aggregation: unknown): Aggregation | Fault {
  const { type, options } = Object(aggregation) as { type?: unknown; options?: Aggregation['options'] };
  const known = AGGREGATIONS.find((name) => name === type || AggregationType[name] === type);
  if (known === undefined) {
    return { wrong: 'its aggregation has no type of the SDK', remedy: `The types are ${AGGREGATIONS.join(', ')}.` };
  }
  const boundaries = Object(options).boundaries;
  if (boundaries !== undefined) {
    const isNumbers = Array.isArray(boundaries) && boundaries.every((each) => typeof each === 'number');
    const wrong = isNumbers ? boundariesFault(boundaries) : 'they are no list of numbers';
    if (wrong !== undefined) {
      const remedy = `Give 1 to ${MAX_BOUNDARIES} ascending finite numbers; +Inf is added by itself.`;
      return { wrong: `its boundaries cannot be used: ${wrong}`, remedy };
    }
  }
  return { type: AggregationType[known], ...(options === undefined ? {} : { options }) };
}

/** Adds a View to those that it belongs to. @returns why it cannot be used */
function sortIn(view: Checked, ours: FamilyChange[], others: ViewOptions[]): Fault | undefined {
  const { instrumentName = '' } = view;
  if (instrumentName.split('*').length > 2) {
    return { wrong: 'its instrumentName has a second *', remedy: "Use one: OpenTelemetry's SDK misreads a second." };
  }
  const matched = matchedInstruments(view);
  const [first] = matched;
  if (first === undefined) {
    const fault = misspelledFault(view) ?? sdkFault(view);
    if (fault === undefined) others.push(view);
    return fault;
  }
  if (first.instrument !== instrumentName) {
    const wrong = `it matches ${matched.length} instruments of this package besides the application's, such as ${first.instrument}`;
    return { wrong, remedy: 'Add the meterName of the meter that it is for.' };
  }
  const change = changeOf(view, first.instrument, first.kind);
  if ('wrong' in change) return change;
  ours.push(change);
  return undefined;
}

type Instrument = { readonly instrument: InstrumentName; readonly kind: string };

/** As the SDK's ViewRegistry matches the instruments of our meter, which has no version, and they no unit. */
function matchedInstruments(view: Checked): Instrument[] {
  const { instrumentName = '*', instrumentType, instrumentUnit = '', meterName = METER_NAME, meterVersion = '' } = view;
  if (meterName !== METER_NAME || instrumentUnit !== '' || meterVersion !== '') return [];
  const isNamed = namePattern(instrumentName);
  const isType = (kind: string) => instrumentType === undefined || kind.toUpperCase() === instrumentType;
  return instruments().filter(({ instrument, kind }) => isNamed(instrument) && isType(kind));
}

function instruments(): Instrument[] {
  const any = { syscode: '', innerMetricsBuckets: [], partnerHttpMetricsBuckets: [], consumerMetricsBuckets: [] };
  const catalogue = families({ ...any, flaskMetrics: true }, () => false);
  return catalogue.flatMap(({ instrument, kind }) => (instrument === undefined ? [] : [{ instrument, kind }]));
}

/** @param pattern with one wildcard at most */
function namePattern(pattern: string): (name: string) => boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return (name) => name === start;
  return (name) => name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

function misspelledFault({ instrumentName = '', meterName }: Checked): Fault | undefined {
  const near = nearest(instrumentName, OUR_INSTRUMENTS);
  const isOurMeter = meterName === METER_NAME;
  if (!isOurMeter && (near === undefined || near === instrumentName || meterName !== undefined)) return undefined;
  const hint =
    near === undefined ? `They are ${OUR_INSTRUMENTS.join(', ')}.` : `Did you mean ${near}? Else add a meterName.`;
  return { wrong: `this package has no instrument ${instrumentName || 'of that kind'}`, remedy: hint };
}

/** What the SDK would throw when it is given the View. */
function sdkFault(view: ViewOptions): Fault | undefined {
  // loaded here alone: the settings of spans are read without the SDK
  const { MeterProvider } = require('../metrics/sdk') as typeof import('../metrics/sdk');
  try {
    new MeterProvider({ views: [view] });
    return undefined;
  } catch (error) {
    return { wrong: "OpenTelemetry's SDK refuses it", remedy: `It says: ${(error as Error).message}` };
  }
}

function changeOf(view: Checked, instrument: InstrumentName, kind: string): FamilyChange | Fault {
  const { name, description: help, aggregation, aggregationCardinalityLimit: seriesLimit } = view;
  if (view.attributesProcessors !== undefined) {
    return { wrong: `it has attributesProcessors for ${instrument}`, remedy: 'The labels of this package are fixed.' };
  }
  const nameFault = name === undefined ? undefined : familyNameFault(name, kind);
  if (nameFault !== undefined) return nameFault;
  const shape = aggregation === undefined ? {} : shapeOf(aggregation, instrument, kind);
  if ('wrong' in shape) return shape;
  const texts = { ...(name === undefined ? {} : { name }), ...(help === undefined ? {} : { help }) };
  return { instrument, ...texts, ...(seriesLimit === undefined ? {} : { seriesLimit }), ...shape };
}

function familyNameFault(name: string, kind: string): Fault | undefined {
  if (!FAMILY_NAME.test(name)) {
    const remedy = 'Use letters, digits and _, and begin with no digit.';
    return { wrong: `its name ${name} is none of a family in Prometheus`, remedy };
  }
  if (kind !== 'counter' || name.endsWith('_total')) return undefined;
  return { wrong: `its name ${name} is of a counter and does not end in _total`, remedy: `Name it ${name}_total.` };
}

function shapeOf({ type, options }: Aggregation, instrument: string, kind: string): Partial<FamilyChange> | Fault {
  if (type === AggregationType.DROP) return { isDropped: true };
  if (type !== AggregationType.EXPLICIT_BUCKET_HISTOGRAM || kind !== 'histogram') {
    const name = AGGREGATIONS.find((each) => AggregationType[each] === type);
    return { wrong: `the ${kind} ${instrument} cannot have the aggregation ${name}`, remedy: 'Remove it, or DROP.' };
  }
  const { boundaries } = options ?? {};
  if (boundaries !== undefined) return { boundaries: Object.freeze([...boundaries]), isDropped: false };
  return { wrong: 'its aggregation has no boundaries', remedy: 'Add options: { boundaries: [...] }.' };
}

function faulty(wrong: string, got: unknown, remedy: string): { problem: Problem } {
  return { problem: invalid(wrong, got, remedy) };
}

function invalid(wrong: string, got: unknown, remedy: string): Problem {
  return problem('CHX_VIEWS_INVALID', { wrong, got, expected: EXPECTED, remedy });
}
