/**
 * One scrape: collects, then writes the form that was asked for. Simultaneous scrapes share one collection, and those
 * that ask for the same form share its bytes.
 *
 * Our families are complete or the scrape fails: all of them are written before an answer begins. The families of
 * another library are complete or missing: the application's collectors must not end the monitoring of the service.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { TimeSlice } from '../runtime/time-slice';
import { gzipped } from './http/gzip';
import type { TotalsReader } from './reader';
import { Chunks } from './text/chunks';
import { CONTENT_TYPES, type Format, writeMetrics } from './text/exposition';
import { LabelTexts } from './text/label-texts';
import { isOpenMetrics } from './text/openmetrics';

/** What a scraper asks for. */
export interface Form {
  readonly format: Format;
  readonly isCompressed: boolean;
}

/** The answer; shared by all scrapers that ask for the same form at the same time. */
export interface Body {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
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
}

/** A collection and its bodies, shared until every body that was asked for is made. */
interface SharedCollection {
  readonly collected: Promise<Collected>;
  readonly asked: Map<string, Promise<Body>>;
  readonly made: Map<string, Body>;
  /** The body that was asked for last; bodies are made one after the other. */
  last: Promise<unknown>;
}

export function createScrape(reader: TotalsReader, foreign?: ForeignFamilies): Scrape {
  const labels = new LabelTexts();
  let current: SharedCollection | undefined;

  const collect = async (): Promise<Collected> => {
    // first, so that a failure is counted in the same scrape
    const foreignText = await foreign?.collect();
    const { resourceMetrics, errors } = await reader.collect();
    // an incomplete scrape would look like counters that decreased
    if (errors.length > 0) throw errors[0];
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    labels.keepOnly(metrics.map(({ descriptor }) => descriptor.name));
    return {
      metrics,
      foreignText: foreignText?.(metrics) ?? '',
      // the text of another library is not converted
      formats: foreign === undefined && isOpenMetrics(metrics) ? ['text', 'openmetrics'] : ['text'],
    };
  };
  const begin = (): SharedCollection => {
    const collected = collect();
    return { collected, asked: new Map(), made: new Map(), last: collected };
  };
  const make = async ({ collected, made }: SharedCollection, wanted: Form): Promise<Body> => {
    const families = await collected;
    const format = families.formats.includes(wanted.format) ? wanted.format : 'text';
    const form = { ...wanted, format };
    const body =
      made.get(keyOf(form)) ?? (await bodyOf(families, form, made.get(keyOf({ format, isCompressed: false }))));
    made.set(keyOf(form), body);
    return body;
  };
  const bodyOf = async (
    families: Collected,
    { format, isCompressed }: Form,
    plain: Body | undefined,
  ): Promise<Body> => {
    const headers = { 'Content-Type': CONTENT_TYPES[format] };
    const chunks = new Chunks();
    const written = () => chunksOf(families, format, labels, chunks);
    if (!isCompressed) return { headers, chunks: await all(written()) };
    const compressed = await (plain === undefined
      ? gzipped(written(), (chunk) => chunks.recycle(chunk))
      : gzipped(inSlices(plain.chunks)));
    return { headers: { ...headers, 'Content-Encoding': 'gzip' }, chunks: compressed };
  };

  return (form) => {
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
}

function keyOf({ format, isCompressed }: Form): string {
  return `${format} ${isCompressed}`;
}

async function* chunksOf(
  { metrics, foreignText }: Collected,
  format: Format,
  labels: LabelTexts,
  chunks: Chunks,
): AsyncGenerator<Buffer> {
  const slice = new TimeSlice();
  for (const _series of writeMetrics(metrics, format, labels, chunks)) {
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

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
