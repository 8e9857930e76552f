/**
 * The only caller of record(): hands the labels of a finished measurement to the instrument, in its order. It does not
 * throw; what cannot be recorded is counted as lost.
 */
import { errorText, warn } from '../diagnostics/log';
import type { Instruments } from './instruments';
import type { Channel, ConsumerLabels, InnerLabels, PartnerError, PartnerLabels, Recorder } from './measurement';

export interface RecorderSettings {
  /** Metric family of each channel, for the labels of self-metrics. */
  readonly families: Readonly<Record<Channel, string>>;
  /** Whether inbound requests are also recorded under the names of Flask exporters. */
  readonly flaskMetrics: boolean;
}

const MS_PER_SECOND = 1000;
/** Channels that every service has; the others' families are only on the scrape of a service that uses them. */
const STANDING_CHANNELS: readonly Channel[] = ['inner', 'partner', 'consumer'];

export function createRecorder(instruments: Instruments, settings: RecorderSettings): Recorder {
  const { families, flaskMetrics } = settings;

  const failed: Recorder['failed'] = (source, error, lost) => {
    try {
      instruments.errors.add([source], 1);
      if (lost !== undefined) instruments.lostMeasurements.add([families[lost]], 1);
      warn('CHX_INTERNAL', source, `an error inside the exporter, in ${source}: ${errorText(error)}`);
    } catch {
      // the last line of defence has nobody to tell
    }
  };

  // shown from the start, so that nothing lost is a zero and not a gap
  for (const channel of STANDING_CHANNELS) instruments.lostMeasurements.add([families[channel]], 0);

  return {
    recordInner({ fCode, path, httpStatus, code, methodCode, httpMethod }: InnerLabels, durationMs: number) {
      try {
        instruments.inner.record([fCode, path, httpStatus, code, methodCode], atLeastZero(durationMs));
        if (!flaskMetrics) return;
        // methods need no bound: Node's parser refuses those that it does not know
        instruments.flaskLatency.record([path, httpMethod], seconds(durationMs));
        instruments.flaskCount.add([path, httpMethod, httpStatus], 1);
      } catch (error) {
        failed('recorder', error, 'inner');
      }
    },
    recordPartner(labels: PartnerLabels, durationMs: number, error?: PartnerError) {
      try {
        const { partner, actionCode, httpStatus, code } = labels;
        instruments.partner.record([partner, actionCode, httpStatus, code], atLeastZero(durationMs));
        if (error !== undefined) instruments.partnerErrors.add([partner, actionCode, error], 1);
      } catch (cause) {
        failed('recorder', cause, 'partner');
      }
    },
    recordConsumer({ topic, code }: ConsumerLabels, durationMs: number) {
      try {
        instruments.consumer.record([topic, code], atLeastZero(durationMs));
      } catch (error) {
        failed('recorder', error, 'consumer');
      }
    },
    recordCall(url: string, durationMs: number, isFailed: boolean) {
      try {
        const labels = [url];
        instruments.calls.add(labels, 1);
        instruments.lastCall.record(labels, seconds(durationMs));
        instruments.callDuration.record(labels, seconds(durationMs));
        // a zero from the first call on, so that rate() sees the first failure
        instruments.callFailures.add(labels, isFailed ? 1 : 0);
      } catch (error) {
        failed('recorder', error, 'function');
      }
    },
    failed,
  };
}

function seconds(durationMs: number): number {
  return atLeastZero(durationMs) / MS_PER_SECOND;
}

function atLeastZero(durationMs: number): number {
  return Math.max(durationMs, 0);
}
