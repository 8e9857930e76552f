/** Puts values into a query as Grafana's data source for Prometheus does. */

/** One value, or several where a variable takes them. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

/**
 * A variable with several values becomes an alternative in which what means something in a pattern is escaped; of one value
 * without a choice, only what would end the string is.
 * @see grafana-prometheus, interpolateQueryExpr, prometheusSpecialRegexEscape, prometheusRegularEscape
 */
export function interpolate(query: string, values: Values): string {
  return query.replace(/\$(\w+)|\$\{(\w+)\}/g, (all, plain, braced) => {
    // of label_replace(), as Grafana leaves what it has no variable for
    if (/^\d+$/.test(plain)) return all;
    const value = values[plain ?? braced];
    if (value === undefined) throw new Error(`no value of ${all} in ${query}`);
    if (typeof value === 'string') return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"');
    const escaped = value.map((each) => each.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]+?.()|]/g, '\\\\$&'));
    return escaped.length === 1 ? (escaped[0] as string) : `(${escaped.join('|')})`;
  });
}

/** The label and the series of `label_values(series, label)`. */
export function labelValues(query: string): { readonly label: string; readonly series: string } {
  const [, series, label] = /^label_values\((.*), (\w+)\)$/s.exec(query) ?? [];
  if (series === undefined || label === undefined) throw new Error(`not label_values: ${query}`);
  return { label, series };
}
