/** Prints metrics as OpenTelemetry's console exporter does, but on stderr: stdout is the application's. */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';

export const consoleExporter: PushMetricExporter = {
  export({ scopeMetrics }, done) {
    for (const { descriptor, dataPointType, dataPoints } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      try {
        writeSync(2, `${inspect({ descriptor, dataPointType, dataPoints }, { depth: null })}\n`);
      } catch {
        // stderr is closed or full
      }
    }
    done({ code: 0 });
  },
  async forceFlush() {},
  async shutdown() {},
};
