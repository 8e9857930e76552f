/**
 * The vocabulary of measurements: what one finished piece of work is called and which labels it carries.
 * @see docs/metrics.md for the meaning of every label
 */

/** Requests answered, exchanges with partners, messages consumed, monitored functions called. */
export type MeasurementKind = 'inner' | 'partner' | 'consumer' | 'function';

/** Labels whose values each measurement brings, in the order of its family. */
export const KIND_LABELS = {
  inner: ['f_code', 'path', 'http_status', 'code', 'method_code'],
  partner: ['partner', 'action_code', 'http_status', 'code'],
  consumer: ['topic', 'code'],
  function: ['url'],
} as const satisfies Record<MeasurementKind, readonly string[]>;

/** Labels that stay empty, by kind. */
export type DropLabels = Readonly<Record<MeasurementKind, readonly string[]>>;

export interface InnerLabels {
  /** Caller, from its User-Agent. */
  fCode: string;
  /** Route template, or the concrete path where no framework reports one. */
  path: string;
  /** Whether a framework reported the path. */
  isRoute: boolean;
  httpStatus: string;
  /** Business code of the response; `-1`: no code could be read. */
  code: string;
  /** Interface number. */
  methodCode: string;
  /** `GET` and so on; only the Flask-style families carry it. */
  httpMethod: string;
}

export interface PartnerLabels {
  partner: string;
  actionCode: string;
  /** The status, or `0` when there was none. */
  httpStatus: string;
  code: string;
}

export interface ConsumerLabels {
  /** Queue, topic or subscription as the client names it. */
  topic: string;
  /** Whether the message was acknowledged, or its handler succeeded. */
  code: ConsumerCode;
}

/** `0`: success, `1`: failure; as the Python package writes them. */
export type ConsumerCode = '0' | '1';

/** Why an exchange with a partner ended without a status, or in the middle of the body. */
export const PARTNER_ERRORS = ['refused', 'dns', 'tls', 'timeout', 'reset', 'aborted', 'other'] as const;
export type PartnerError = (typeof PARTNER_ERRORS)[number];

/** Why an inbound request is in no family: 404 where a route matched, 404 where none did, or a path left out by the settings. */
export const UNRECORDED_REASONS = ['not_found', 'no_route', 'ignored'] as const;
export type UnrecordedReason = (typeof UNRECORDED_REASONS)[number];

/** Takes the finished work of all sources. Nothing in it throws. */
export interface Recorder {
  recordInner(labels: InnerLabels, durationMs: number): void;
  /** Counts an inbound request that is not recorded. */
  unrecorded(reason: UnrecordedReason): void;
  recordPartner(labels: PartnerLabels, durationMs: number, error?: PartnerError): void;
  recordConsumer(labels: ConsumerLabels, durationMs: number): void;
  /** @param url name of the function, or the route that it handles */
  recordCall(url: string, durationMs: number, isFailed: boolean): void;
  /**
   * Counts an error inside a source, and logs it once a minute.
   * @param lost kind of the measurement that is missing because of it, if one is
   */
  failed(source: string, error: unknown, lost?: MeasurementKind): void;
}
