/**
 * The only caller of record(): caps the labels of a finished measurement, gives it its identity and hands it to the
 * instrument. It does not throw; what cannot be recorded is counted as lost.
 */
import type { Attributes } from '@opentelemetry/api';
import { errorText, warn } from '../diagnostics/log';
import type { Instruments } from './instruments';
import { type LabelName, LabelValues } from './label-values';
import type { Channel, ConsumerLabels, InnerLabels, PartnerError, PartnerLabels, Recorder } from './measurement';

export interface RecorderSettings {
  readonly syscode: string;
  /** Metric family of each channel, for the labels of self-metrics. */
  readonly families: Readonly<Record<Channel, string>>;
  readonly labelValuesLimit: Readonly<Record<LabelName, number>>;
}

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;
/** AMQP allows 255 bytes, Kafka 249; only MQTT's subscriptions can be longer. */
const MAX_TOPIC_CHARACTERS = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

export function createRecorder(instruments: Instruments, settings: RecorderSettings): Recorder {
  const { syscode, families } = settings;
  const identity = { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };

  const labelValues = (channel: Channel) =>
    new LabelValues(settings.labelValuesLimit, (label) => {
      const family = families[channel];
      instruments.labelOverflow.add(1, { family, label });
      const limit = settings.labelValuesLimit[label];
      const text = `${family}: label ${label} has had its ${limit} distinct values; further ones are recorded as other`;
      warn('CHX_LABEL_OVERFLOW', `${family} ${label}`, text);
    });
  const inner = labelValues('inner');
  const partner = labelValues('partner');
  const consumer = labelValues('consumer');

  const failed: Recorder['failed'] = (source, error, lost) => {
    try {
      instruments.errors.add(1, { source });
      if (lost !== undefined) instruments.lostMeasurements.add(1, { family: families[lost] });
      warn('CHX_INTERNAL', source, `an error inside the exporter, in ${source}: ${errorText(error)}`);
    } catch {
      // the last line of defence has nobody to tell
    }
  };

  const record = (channel: Channel, work: () => void) => {
    try {
      work();
    } catch (error) {
      failed('recorder', error, channel);
    }
  };

  // shown from the start, so that nothing lost is a zero and not a gap
  for (const family of Object.values(families)) instruments.lostMeasurements.add(0, { family });

  return {
    recordInner(labels: InnerLabels, durationMs: number) {
      record('inner', () => {
        const attributes: Attributes = {
          ...identity,
          f_code: inner.admit('f_code', labels.fCode),
          path: inner.admit('path', labels.path),
          http_status: labels.httpStatus,
          code: inner.admit('code', labels.code),
          method_code: inner.admit('method_code', labels.methodCode),
        };
        instruments.inner.record(atLeastZero(durationMs), attributes);
      });
    },
    recordPartner(labels: PartnerLabels, durationMs: number, error?: PartnerError) {
      record('partner', () => {
        const actionCode = partner.admit('action_code', labels.actionCode);
        const exchange = { ...identity, partner: labels.partner, action_code: actionCode };
        const attributes: Attributes = {
          ...exchange,
          http_status: labels.httpStatus,
          code: partner.admit('code', labels.code),
        };
        instruments.partner.record(atLeastZero(durationMs), attributes);
        if (error !== undefined) instruments.partnerErrors.add(1, { ...exchange, error });
      });
    },
    recordConsumer(labels: ConsumerLabels, durationMs: number) {
      record('consumer', () => {
        const attributes: Attributes = {
          ...identity,
          f_code: '',
          topic: consumer.admit('topic', cleanTopic(labels.topic)),
          code: consumer.admit('code', labels.code),
        };
        instruments.consumer.record(atLeastZero(durationMs), attributes);
      });
    },
    failed,
  };
}

/** Names of queues and subjects come from outside; one lone surrogate would spoil the whole scrape. */
function cleanTopic(topic: string): string {
  return topic.slice(0, MAX_TOPIC_CHARACTERS).replace(UNPRINTABLE, '\uFFFD');
}

function atLeastZero(durationMs: number): number {
  return Math.max(durationMs, 0);
}
