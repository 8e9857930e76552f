/**
 * One scrape: collects, then writes the form that was asked for. Simultaneous scrapes share one collection, and those
 * that ask for the same form share its bytes.
 *
 * Our families are complete or the scrape fails: all of them are written before an answer begins. The families of
 * another library are complete or missing: the application's collectors must not end the monitoring of the service.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { TimeSlice } from '../runtime/time-slice';
import { type Beginnings, isUnseen, type Scraper, type Unseen } from './beginnings';
import { gzipped } from './http/gzip';
import type { TotalsReader } from './reader';
import { Chunks } from './text/chunks';
import { CONTENT_TYPES, type Format, type Style, writeMetrics } from './text/exposition';
import { LabelTexts } from './text/label-texts';
import { isOpenMetrics } from './text/openmetrics';

/** What a scraper asks for. */
export interface Form {
  readonly format: Format;
  readonly isCompressed: boolean;
  /** Whether families follow that are for people. */
  readonly hasDetails?: boolean;
  /** Of one that will come again; absent for whoever else asks. */
  readonly scraper?: Scraper | undefined;
}

/** A form in which some series are written as zero. */
interface Shown extends Form {
  readonly unseen?: Unseen | undefined;
}

/** The answer; shared by all scrapers that ask for the same form at the same time. */
export interface Body {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
  /** Call when the scraper has taken all of it. */
  readonly taken?: () => void;
}

/** The same for all, with the mark of its collection. */
interface Written extends Body {
  readonly mark: number;
}

/** @returns the complete scrape; rejects when it could not be collected completely */
export type Scrape = (form: Form) => Promise<Body>;

/** There is nothing to scrape here at the moment; the message says why. */
export class ScrapeUnavailable extends Error {
  override readonly name = 'ScrapeUnavailable';
}

/** Families of another library. */
export interface ForeignFamilies {
  /** Collects them; does not reject. */
  collect(): Promise<ForeignText>;
}

/**
 * @param own families that are on the scrape already
 * @returns the text of the collected families, without those whose names are taken
 */
export type ForeignText = (own: readonly MetricData[]) => string;

interface Collected {
  readonly metrics: readonly MetricData[];
  readonly foreignText: string;
  /** Formats that it can be written in. */
  readonly formats: readonly Format[];
  readonly mark: number;
}

/** A collection and its bodies, shared until every body that was asked for is made. */
interface SharedCollection {
  readonly collected: Promise<Collected>;
  readonly asked: Map<string, Promise<Written>>;
  readonly made: Map<string, Written>;
  /** The body that was asked for last; bodies are made one after the other. */
  last: Promise<unknown>;
}

export interface ScrapeOptions {
  /** Families of another library, which follow ours. */
  readonly foreign?: ForeignFamilies | undefined;
  /** Absent where every series is true at once to everybody. */
  readonly beginnings?: Beginnings | undefined;
  /** Whether OpenMetrics says when each series began. */
  readonly created?: boolean;
  /** Families for who asks for details, as of the last collection. */
  readonly details?: () => readonly MetricData[];
}

export function createScrape(reader: TotalsReader, options: ScrapeOptions = {}): Scrape {
  const { foreign, beginnings, created, details = () => [] } = options;
  const labels = new LabelTexts();
  let current: SharedCollection | undefined;

  const collect = async (): Promise<Collected> => {
    // first, so that a failure is counted in the same scrape
    const foreignText = await foreign?.collect();
    const { resourceMetrics, errors } = await reader.collect();
    // an incomplete scrape would look like counters that decreased
    if (errors.length > 0) throw errors[0];
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const mark = reader.mark();
    labels.keepOnly(metrics.map(({ descriptor }) => descriptor.name));
    return {
      metrics,
      foreignText: foreignText?.(metrics) ?? '',
      // the text of another library is not converted
      formats: foreign === undefined && isOpenMetrics(metrics) ? ['text', 'openmetrics'] : ['text'],
      mark,
    };
  };
  const begin = (): SharedCollection => {
    const collected = collect();
    return { collected, asked: new Map(), made: new Map(), last: collected };
  };
  const make = async ({ collected, made }: SharedCollection, wanted: Shown): Promise<Written> => {
    const families = await collected;
    const format = families.formats.includes(wanted.format) ? wanted.format : 'text';
    const form = { ...wanted, format, unseen: unseenIn(families.metrics, wanted.unseen) };
    const body =
      made.get(keyOf(form)) ?? (await bodyOf(families, form, made.get(keyOf({ ...form, isCompressed: false }))));
    made.set(keyOf(form), body);
    return body;
  };
  const bodyOf = async (
    families: Collected,
    { format, isCompressed, unseen, hasDetails }: Shown,
    plain: Written | undefined,
  ): Promise<Written> => {
    const { mark } = families;
    const all = hasDetails ? { ...families, metrics: [...families.metrics, ...details()] } : families;
    const headers = { 'Content-Type': CONTENT_TYPES[format] };
    const chunks = new Chunks();
    const written = () => chunksOf(all, { format, unseen, created }, labels, chunks);
    if (!isCompressed) return { headers, chunks: await toArray(written()), mark };
    const compressed = await (plain === undefined
      ? gzipped(written(), (chunk) => chunks.recycle(chunk))
      : gzipped(inSlices(plain.chunks)));
    return { headers: { ...headers, 'Content-Encoding': 'gzip' }, chunks: compressed, mark };
  };

  const write = (form: Shown): Promise<Written> => {
    current ??= begin();
    const shared = current;
    const key = keyOf(form);
    let body = shared.asked.get(key);
    if (body === undefined) {
      body = shared.last.then(() => make(shared, form));
      shared.asked.set(key, body);
      const last = body.catch(() => undefined);
      shared.last = last;
      void last.then(() => {
        if (shared.last === last) current = undefined;
      });
    }
    return body;
  };

  return async ({ scraper, ...form }) => {
    // what a scraper has seen of another hub's totals comes with them
    if (scraper !== undefined) await reader.begun?.();
    const visit = scraper === undefined ? undefined : beginnings?.visit(scraper);
    if (visit === undefined) return write(form);
    const { mark, ...body } = await write({ ...form, unseen: visit.unseen });
    return { ...body, taken: () => visit.taken(mark) };
  };
}

function keyOf({ format, isCompressed, unseen, hasDetails = false }: Shown): string {
  return `${format} ${isCompressed} ${hasDetails} ${unseen?.fromMark} ${unseen?.begunMs}`;
}

/** @returns undefined where nothing is unseen: that scrape is the same as anybody's */
function unseenIn(metrics: readonly MetricData[], unseen: Unseen | undefined): Unseen | undefined {
  if (unseen === undefined) return undefined;
  const isAny = metrics.some(({ dataPoints }) => dataPoints.some((point) => isUnseen(point, unseen)));
  return isAny ? unseen : undefined;
}

async function* chunksOf(
  { metrics, foreignText }: Collected,
  style: Style,
  labels: LabelTexts,
  chunks: Chunks,
): AsyncGenerator<Buffer> {
  const slice = new TimeSlice();
  for (const _series of writeMetrics(metrics, style, labels, chunks)) {
    if (chunks.hasFull) yield* chunks.takeFull();
    if (slice.isOver()) await slice.wait();
  }
  chunks.add(foreignText);
  yield* chunks.takeAll();
}

async function* inSlices(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  const slice = new TimeSlice();
  for (const chunk of chunks) {
    yield chunk;
    if (slice.isOver()) await slice.wait();
  }
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
