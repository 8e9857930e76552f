/**
 * Registers our provider as the global one, so that libraries that ask the OpenTelemetry API for a meter are on the
 * scrape.
 *
 * It uses the application's own copy of the API: the first copy that registers anything owns the global slots, and the
 * application's would be refused if ours, of another version, had them. A provider of the application's own has
 * precedence, before and after.
 */
import type { MeterProvider } from '@opentelemetry/api';
import { errorText } from '../diagnostics/log';
import { patchMethod } from '../instrumentations/patching/patch';
import { installedCopies } from '../runtime/application-packages';

/** The part of the API, of whatever version, that is used. */
interface MetricsApi {
  setGlobalMeterProvider(provider: unknown): boolean;
  disable(): void;
}

const PACKAGE = '@opentelemetry/api';
/** Where every copy of the API, of major version 1, keeps what is registered. */
const SLOTS = Symbol.for('opentelemetry.js.api.1');

/**
 * @param refuse reports why the provider is not the global one, now or at any time
 * @returns a function that takes it back
 */
export function registerGlobally(provider: MeterProvider, refuse: (text: string) => void): () => void {
  const nothing = () => undefined;
  try {
    const metrics = applicationsApi();
    if (metrics === undefined) return refused(`the application has no ${PACKAGE} with metrics (1.3 or newer)`);
    if (registered() !== undefined) return refused('the application has registered a meter provider of its own');
    if (!metrics.setGlobalMeterProvider(provider))
      return refused(`another version of ${PACKAGE} holds the global slots`);
    return follow(metrics, provider, (why) => void refused(why));
  } catch (error) {
    return refused(errorText(error));
  }

  function refused(why: string): () => void {
    refuse(`the global meter provider is not ours: ${why}`);
    return nothing;
  }
}

/** Steps aside as soon as the application registers one. */
function follow(metrics: MetricsApi, provider: MeterProvider, refused: (why: string) => void): () => void {
  const withdraw = () => {
    if (registered() === provider) metrics.disable();
  };
  const restore = patchMethod(
    metrics,
    'setGlobalMeterProvider',
    (original, isInForce) =>
      function (this: unknown, ...args: unknown[]) {
        if (isInForce() && registered() === provider) {
          withdraw();
          refused('the application has registered one of its own, which takes its place from now on');
        }
        return original.apply(this, args);
      },
  );
  return () => {
    restore();
    withdraw();
  };
}

function registered(): unknown {
  return (globalThis as { [SLOTS]?: { metrics?: unknown } })[SLOTS]?.metrics;
}

/** The first copy that has metrics. */
function applicationsApi(): MetricsApi | undefined {
  for (const path of installedCopies(PACKAGE)) {
    const api = require(path) as { metrics?: MetricsApi };
    if (typeof api.metrics?.setGlobalMeterProvider === 'function') return api.metrics;
  }
  return undefined;
}
