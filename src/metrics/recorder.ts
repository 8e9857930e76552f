/**
 * The only caller of record(): hands the labels of a finished measurement to the instrument, in its order. It does not
 * throw; what cannot be recorded is counted as lost.
 */
import { errorText, warn } from '../diagnostics/log';
import type { InstrumentName } from '../views/metric-names';
import { INSTRUMENTS } from '../views/metric-names';
import type { Instruments, SelfMetrics } from './instruments';
import {
  type ConsumerLabels,
  type DropLabels,
  type InnerLabels,
  KIND_LABELS,
  type MeasurementKind,
  type PartnerError,
  type PartnerLabels,
  type Recorder,
  UNRECORDED_REASONS,
} from './measurement';

const MS_PER_SECOND = 1000;
/** Instrument of each kind; a lost measurement is counted under its family. */
const INSTRUMENT_OF = {
  inner: INSTRUMENTS.inner,
  partner: INSTRUMENTS.partner,
  consumer: INSTRUMENTS.consumer,
  function: INSTRUMENTS.calls,
} as const satisfies Record<MeasurementKind, InstrumentName>;
/** Kinds whose families are on the scrape of every service; those of the others only where they are used. */
const STANDING_KINDS: readonly MeasurementKind[] = ['inner', 'partner', 'consumer'];

/** Label values of each reason, made once. */
const UNRECORDED_LABELS = { not_found: ['not_found'], no_route: ['no_route'], ignored: ['ignored'] } as const;

/**
 * @param familyNames the metric family of each instrument that is not dropped
 * @param dropLabels stay empty, so that what they would tell apart is added up
 */
export function createRecorder(
  instruments: Instruments,
  { errors, lostMeasurements, unrecordedRequests }: SelfMetrics,
  familyNames: Readonly<Partial<Record<InstrumentName, string>>>,
  dropLabels: DropLabels,
): Recorder {
  const { flask } = instruments;
  const dropped = droppedPlaces(dropLabels);
  const { inner } = dropped;
  const countLost = (kind: MeasurementKind, lost: number) => {
    const family = familyNames[INSTRUMENT_OF[kind]];
    if (family !== undefined) lostMeasurements.add([family], lost);
  };

  const failed: Recorder['failed'] = (source, error, lost) => {
    try {
      errors.add([source], 1);
      if (lost !== undefined) countLost(lost, 1);
      warn('CHX_INTERNAL', source, `an error inside the exporter, in ${source}: ${errorText(error)}`);
    } catch {
      // there is nothing left to report it to
    }
  };

  // present from the start: zero is a value and not a gap
  for (const reason of UNRECORDED_REASONS) unrecordedRequests.add([reason], 0);
  for (const kind of STANDING_KINDS) countLost(kind, 0);

  return {
    recordInner(labels: InnerLabels, durationMs: number) {
      try {
        const { httpMethod } = labels;
        let { fCode, path, httpStatus, code, methodCode } = labels;
        if (inner !== undefined) {
          const values: InnerValues = [fCode, path, httpStatus, code, methodCode];
          drop(values, inner);
          [fCode, path, httpStatus, code, methodCode] = values;
        }
        if (!labels.isRoute && path !== '') path = instruments.pathValue(path);
        instruments.inner.record([fCode, path, httpStatus, code, methodCode], atLeastZero(durationMs));
        if (flask === undefined) return;
        // methods need no limit: Node's parser refuses those that it does not know
        flask.latency.record([path, httpMethod], seconds(durationMs));
        flask.count.add([path, httpMethod, httpStatus], 1);
      } catch (error) {
        failed('recorder', error, 'inner');
      }
    },
    unrecorded(reason) {
      try {
        unrecordedRequests.add(UNRECORDED_LABELS[reason], 1);
      } catch (error) {
        failed('recorder', error);
      }
    },
    recordPartner(labels: PartnerLabels, durationMs: number, error?: PartnerError) {
      try {
        const values = [labels.partner, labels.actionCode, labels.httpStatus, labels.code];
        if (dropped.partner !== undefined) drop(values, dropped.partner);
        instruments.partner.record(values, atLeastZero(durationMs));
        if (error !== undefined) instruments.partnerErrors.add([...values.slice(0, 2), error], 1);
      } catch (cause) {
        failed('recorder', cause, 'partner');
      }
    },
    recordConsumer({ topic, code }: ConsumerLabels, durationMs: number) {
      try {
        const values: string[] = [topic, code];
        if (dropped.consumer !== undefined) drop(values, dropped.consumer);
        instruments.consumer.record(values, atLeastZero(durationMs));
      } catch (error) {
        failed('recorder', error, 'consumer');
      }
    },
    recordCall(url: string, durationMs: number, isFailed: boolean) {
      try {
        const labels = [url];
        if (dropped.function !== undefined) drop(labels, dropped.function);
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

type InnerValues = [fCode: string, path: string, httpStatus: string, code: string, methodCode: string];

/** Of the labels that stay empty; undefined where none does. */
type Places = Readonly<Record<MeasurementKind, readonly number[] | undefined>>;

function droppedPlaces(dropLabels: DropLabels): Places {
  const places = Object.entries(dropLabels).map(([kind, labels]) => {
    const all: readonly string[] = KIND_LABELS[kind as MeasurementKind];
    return [kind, labels.length === 0 ? undefined : labels.map((label) => all.indexOf(label))];
  });
  return Object.fromEntries(places);
}

function drop(values: string[], places: readonly number[]): void {
  for (let n = 0; n < places.length; n++) values[places[n] as number] = '';
}

function seconds(durationMs: number): number {
  return atLeastZero(durationMs) / MS_PER_SECOND;
}

function atLeastZero(durationMs: number): number {
  return Math.max(durationMs, 0);
}
