/** Families of a scrape as they are shown. */
import { type Output, table } from '../terminal';
import type { ScrapedFamily, Series } from './families';
import { type Quantile, quantile, quantileText } from './quantile';

export interface FamilyReport {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: number;
  /** Of a counter or histogram: observations of all its series. */
  readonly count?: number;
  readonly quantiles?: Quantiles;
  /** Those with the greatest value first. */
  readonly top: readonly SeriesReport[];
}

export interface SeriesReport {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly quantiles?: Quantiles;
}

type Quantiles = Readonly<Record<'p50' | 'p95' | 'p99', Quantile | undefined>>;

const SUMMED = ['counter', 'histogram', 'summary'];
/** What every series of the exporter has, and says nothing here. */
const CONSTANT = ['appid', 'application'];
/** What is of interest of whoever looks at a service: what it does, before what its process uses. */
const OF_PROCESS = /^(?:process_|nodejs_|channel_exporter_|channel_\w+_info$|target_info$)/;

export function familyReport({ name, type, help, series }: ScrapedFamily, topCount: number): FamilyReport {
  const all = [...series.values()];
  const isHistogram = type === 'histogram';
  const top = all.sort((a, b) => order(b.value) - order(a.value)).slice(0, topCount);
  return {
    name,
    type,
    help,
    series: all.length,
    ...(SUMMED.includes(type) && { count: all.reduce((sum, { value }) => sum + value, 0) }),
    ...(isHistogram && { quantiles: quantilesOf(all) }),
    top: top.map((each) => ({
      labels: { ...each.labels },
      value: each.value,
      ...(isHistogram && { quantiles: quantilesOf([each]) }),
    })),
  };
}

function order(value: number): number {
  return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
}

function quantilesOf(series: readonly Series[]): Quantiles {
  return { p50: quantile(0.5, series), p95: quantile(0.95, series), p99: quantile(0.99, series) };
}

export function showFamilies(output: Output, reports: readonly FamilyReport[]): void {
  const sorted = [...reports].sort((a, b) => Number(OF_PROCESS.test(a.name)) - Number(OF_PROCESS.test(b.name)));
  const rows = sorted.map(({ name, type, series, count, quantiles }) => [
    name,
    type,
    String(series),
    count === undefined ? '' : number(count),
    ...quantileCells(quantiles),
  ]);
  const head = ['family', 'type', 'series', 'count', 'p50', 'p95', 'p99'];
  for (const line of table([head, ...rows], [2, 3, 4, 5, 6])) output.line(line);
  for (const report of sorted) {
    if (OF_PROCESS.test(report.name) || report.top.length === 0) continue;
    output.line();
    showSeries(output, report);
  }
}

export function showFamily(output: Output, report: FamilyReport): void {
  output.line(`${report.name}: ${report.type}, ${report.series} series`, 'title');
  if (report.help !== '') output.line(report.help);
  output.line();
  showSeries(output, report);
}

function showSeries(output: Output, { name, series, top }: FamilyReport): void {
  const more = series > top.length ? `, ${top.length} of ${series} series` : '';
  output.line(`${name}${more}`, 'title');
  const rows = top.map(({ labels, value, quantiles }) => [
    number(value),
    ...quantileCells(quantiles),
    labelText(labels),
  ]);
  const head = ['count', 'p50', 'p95', 'p99', 'labels'];
  for (const line of table([head, ...rows], [0, 1, 2, 3])) output.line(`  ${line}`);
}

function quantileCells(quantiles: Quantiles | undefined): string[] {
  return [quantiles?.p50, quantiles?.p95, quantiles?.p99].map(quantileText);
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Without the labels that all have, and without empty ones. */
function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([name, value]) => value !== '' && !CONSTANT.includes(name))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}
