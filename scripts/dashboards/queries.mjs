// Pieces of queries that several dashboards share. The families of a service begin with its system code, so that they are
// selected by a pattern and told apart by the label `application`.

const SYSCODE = '[A-Z][0-9]{9}';

/** Window of a rate: Grafana makes it as long as the interval of scrapes needs. */
export const WINDOW = '$__rate_interval';

/** @returns a selector of a sample of the family of every service: inner('count', 'code!="0"') */
const selector =
  (family) =>
  (sample, matchers = '') =>
    `{__name__=~"${SYSCODE}_${family}_${sample}", application=~"$application"${matchers && `, ${matchers}`}}`;

export const inner = selector('inner_metrics');
export const consumer = selector('consumer_metrics');
export const partner = (sample, matchers = '') =>
  `partner_http_metrics_${sample}{application=~"$application"${matchers && `, ${matchers}`}}`;

/** Any family by which a service shows that it is there. */
const PRESENT = `{__name__=~"${SYSCODE}_(inner|consumer)_metrics_count|partner_http_metrics_count|channel_exporter_info"`;
export const present = `${PRESENT}, application=~"$application"}`;

/** Per second. */
export const rate = (labels, series) => `sum by (${labels}) (rate(${series}[${WINDOW}]))`;

/** The part of the first series in the second: 0 where only the first is missing, no row without traffic. */
export const ratio = (labels, some, all) =>
  `(${rate(labels, some)} or 0 * ${rate(labels, all)}) / (${rate(labels, all)} > 0)`;

export const average = (labels, select, matchers) =>
  `${rate(labels, select('sum', matchers))} / (${rate(labels, select('count', matchers))} > 0)`;

/** NaN, of what had no traffic, is not greater than 0. */
export const quantile = (q, labels, select, matchers) =>
  `histogram_quantile(${q}, ${rate(labels === '' ? 'le' : `${labels}, le`, select('bucket', matchers))}) >= 0`;

/** p50, p95, p99 and the average over all that a selector takes. */
export const durations = (select, matchers) => [
  [quantile(0.5, '', select, matchers), 'p50'],
  [quantile(0.95, '', select, matchers), 'p95'],
  [quantile(0.99, '', select, matchers), 'p99'],
  [
    `sum(rate(${select('sum', matchers)}[${WINDOW}])) / (sum(rate(${select('count', matchers)}[${WINDOW}])) > 0)`,
    'average',
  ],
];

/** Why a quantile below the first boundary reads as it does. */
export const BELOW_FIRST =
  'Below the first bucket boundary (100 ms by default) a quantile says no more than that; the average is exact. See docs/boundaries.md.';

const list = (label, series) => `label_values(${series}, ${label})`;
export const APPID = { name: 'appid', label: 'Appid', query: list('appid', `${PRESENT}}`) };
export const APPLICATIONS = {
  name: 'application',
  label: 'Service',
  query: list('application', `${PRESENT}, appid=~"$appid"}`),
};
export const APPLICATION = {
  name: 'application',
  label: 'Service',
  query: list('application', `${PRESENT}}`),
  isMulti: false,
};
export const PARTNERS = { name: 'partner', label: 'Partner', query: list('partner', partner('count')) };
export const TOPICS = { name: 'topic', label: 'Topic', query: list('topic', consumer('count')) };
export const INSTANCES = { name: 'instance', label: 'Instance', query: list('instance', present) };
