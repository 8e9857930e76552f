/** Names of the attributes that are put on an application's spans; their values are those of the labels. */
export const SPAN_ATTRIBUTES = {
  /** Partner code. On each call to a host of the directory, and on no other. */
  partner: 'channel.partner',
  /** Action code, by the path of the call. */
  actionCode: 'channel.action_code',
  /** Business code of the response. */
  code: 'channel.code',
  /** Caller of an inbound request. */
  fCode: 'channel.f_code',
  /** Interface number of an inbound request. */
  methodCode: 'channel.method_code',
  /** OpenTelemetry's own name; it is set where no other instrumentation has set it. */
  route: 'http.route',
} as const;
