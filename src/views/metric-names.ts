/** Neutral instrument names, as the code records them, and the names that dashboards know. */

/** This package's own meter; every other is the application's. */
export const METER_NAME = 'channel-exporter';

/** Instruments of this package's meter. */
export const INSTRUMENTS = {
  inner: 'channel.inner.duration',
  partner: 'channel.partner.duration',
  consumer: 'channel.consumer.duration',
  partnerErrors: 'channel.partner.errors',
  calls: 'channel.function.calls',
  lastCall: 'channel.function.last_duration',
  callDuration: 'channel.function.duration',
  callFailures: 'channel.function.failures',
  flaskLatency: 'channel.flask.latency',
  flaskCount: 'channel.flask.requests',
  unrecordedRequests: 'channel.exporter.unrecorded_requests',
  lostMeasurements: 'channel.exporter.lost_measurements',
  errors: 'channel.exporter.errors',
  labelOverflow: 'channel.exporter.label_overflow',
  seriesOverflow: 'channel.exporter.series_overflow',
  unreadBodies: 'channel.exporter.unread_bodies',
  partnerMisses: 'channel.exporter.partner_misses',
  observed: 'channel.exporter.observed',
  unknownHosts: 'channel.exporter.unknown_hosts',
} as const;

export type InstrumentName = (typeof INSTRUMENTS)[keyof typeof INSTRUMENTS];

/** One ASCII letter and nine ASCII digits; `\d` of other languages would take digits of other scripts. */
const SYSCODE = /^[A-Za-z][0-9]{9}$/;

/**
 * @returns the system code in upper case, or undefined when it is none
 * @see SPEC 1: one ASCII letter + 9 ASCII digits, lower case accepted
 */
export function parseSyscode(text: string): string | undefined {
  return SYSCODE.test(text) ? text.toUpperCase() : undefined;
}

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;

/** Labels that say whose a series is. */
export function identityOf(syscode: string): { readonly appid: string; readonly application: string } {
  return { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };
}

/** The metric family of each instrument. */
export function familyNames(syscode: string): Record<InstrumentName, string> {
  return {
    [INSTRUMENTS.inner]: `${syscode}_inner_metrics`,
    [INSTRUMENTS.partner]: 'partner_http_metrics',
    [INSTRUMENTS.consumer]: `${syscode}_consumer_metrics`,
    [INSTRUMENTS.partnerErrors]: 'partner_http_errors_total',
    [INSTRUMENTS.calls]: 'request_count_total',
    [INSTRUMENTS.lastCall]: 'request_processing_time',
    [INSTRUMENTS.callDuration]: 'request_time_histogram',
    [INSTRUMENTS.callFailures]: 'failure_count_total',
    [INSTRUMENTS.flaskLatency]: 'flask_request_latency_seconds',
    [INSTRUMENTS.flaskCount]: 'flask_request_count_total',
    [INSTRUMENTS.unrecordedRequests]: 'channel_exporter_unrecorded_requests_total',
    [INSTRUMENTS.lostMeasurements]: 'channel_exporter_lost_measurements_total',
    [INSTRUMENTS.errors]: 'channel_exporter_errors_total',
    [INSTRUMENTS.labelOverflow]: 'channel_exporter_label_overflow_total',
    [INSTRUMENTS.seriesOverflow]: 'channel_exporter_series_overflow_total',
    [INSTRUMENTS.unreadBodies]: 'channel_exporter_unread_bodies_total',
    [INSTRUMENTS.partnerMisses]: 'channel_exporter_partner_misses_total',
    [INSTRUMENTS.observed]: 'channel_exporter_observed_total',
    [INSTRUMENTS.unknownHosts]: 'channel_exporter_unknown_hosts_total',
  };
}
