/**
 * The names that an application's own instruments and attributes have on the scrape: as OpenTelemetry's
 * PrometheusSerializer writes them.
 */

/**
 * @param name of an instrument
 * @returns undefined where nothing of the name is left
 */
export function prometheusFamilyName(name: string, isCounter: boolean): string | undefined {
  const clean = sanitised(name);
  if (clean === '' || clean === '_') return undefined;
  const lettered = /^\d/.test(clean) ? `_${clean}` : clean;
  return isCounter && !lettered.endsWith('_total') ? `${lettered}_total` : lettered;
}

/** A name that Prometheus takes; the stock serializer would let an empty one or a leading digit spoil the scrape. */
export function prometheusLabelName(name: string): string {
  const clean = sanitised(name);
  return clean === '' || /^\d/.test(clean) ? `_${clean}` : clean;
}

/** Every sample name that a family of this type writes, or that a reader would take for its own. */
export function sampleNames(family: string, type: string): string[] {
  const suffixes = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }[type] ?? [];
  return [family, ...suffixes.map((suffix) => family + suffix)];
}

/** The SDK itself labels its overflow series `otel.metric.overflow`, and one such name spoils a whole scrape. */
function sanitised(name: string): string {
  return /[^A-Za-z0-9_]|__/.test(name) ? name.replace(/[^A-Za-z0-9_]/g, '_').replace(/_{2,}/g, '_') : name;
}
