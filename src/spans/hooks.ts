/**
 * Stamps an application's own spans with what the metrics call labels, by the hooks of its HttpInstrumentation and
 * ExpressInstrumentation. It creates neither: of @opentelemetry/instrumentation* only types are used here.
 *
 * A span takes no attribute after it has ended, and it ends in the tick in which the last byte was seen. So a code is
 * read before that: of a partner's response when the parser pushes its end, of our own when HttpInstrumentation asks
 * for further attributes; a compressed body is decompressed there and then. Where the exporter reads a body as well, it
 * is read once, by the exporter, and the hooks have the result from there.
 */
import { type ClientRequest, IncomingMessage, type RequestOptions, ServerResponse } from 'node:http';
import type { Attributes, Span } from '@opentelemetry/api';
import type { ExpressInstrumentationConfig } from '@opentelemetry/instrumentation-express';
import type { HttpInstrumentationConfig } from '@opentelemetry/instrumentation-http';
import type { CodeDepth } from '../business-code/code-depth';
import { type CodeReading, NO_CODE, partnerCode, partnerCodeReader } from '../business-code/codes';
import { decompressAtOnce, isPlainObject } from '../business-code/decompress';
import { Callers } from '../callers/callers';
import { errorText, warn } from '../diagnostics/log';
import { InboundCodes } from '../instrumentations/inbound/codes';
import { inboundPath } from '../instrumentations/inbound/exchange';
import { codesOf } from '../instrumentations/inbound/http1';
import { Http1Messages } from '../instrumentations/inbound/http1-messages';
import { readHeaders } from '../instrumentations/inbound/request-headers';
import { observeResponses } from '../instrumentations/inbound/response-body';
import { keepRoutes, mountOf, ownRouteOf, routeOf } from '../instrumentations/inbound/routes';
import { listenForRoutes } from '../instrumentations/inbound/set-route';
import { findDestination, findPartner, parseOrigin } from '../instrumentations/outbound/destination';
import { Http1Exchange } from '../instrumentations/outbound/http1-exchange';
import { doNoHarm } from '../instrumentations/patching/do-no-harm';
import { observePush } from '../instrumentations/patching/patch';
import type { PartnerDirectory } from '../partners/directory';
import type { ConcretePaths } from '../paths/concrete-paths';
import { SPAN_ATTRIBUTES } from './attributes';

/** What the attributes of spans are read with. */
export interface SpanContext extends CodeReading {
  readonly partners: PartnerDirectory;
  /** Names of those who send inbound requests; undefined: their User-Agents. */
  readonly callers?: Callers | undefined;
  /** What the label has of paths that no framework explained; undefined: themselves. */
  readonly paths?: ConcretePaths | undefined;
  /** How deep in an answer its code may stand; undefined: at any depth. */
  readonly codeDepth?: CodeDepth | undefined;
}

type HttpHook = 'startOutgoingSpanHook' | 'startIncomingSpanHook' | 'responseHook' | 'applyCustomAttributesOnSpan';

/** Configurations for the application's own instrumentations, to be spread into theirs. */
export interface ChannelSpanHooks {
  /** For `new HttpInstrumentation({ ...http })`. */
  readonly http: Required<Pick<HttpInstrumentationConfig, HttpHook>>;
  /** For `new ExpressInstrumentation({ ...express })`. */
  readonly express: Required<Pick<ExpressInstrumentationConfig, 'requestHook'>>;
}

const NAME = 'tracing';
/** The Express layer whose span is a route's handler, as its instrumentation calls it. */
const HANDLER = 'request_handler';

/** Where the settings name no callers. */
const BY_USER_AGENT = new Callers();
/** Inbound requests whose spans are under way. */
const inbound = new WeakMap<ServerResponse, InboundCodes>();
/** Of these, those that are read here, as the exporter does not read them. */
const readHere = new WeakMap<ServerResponse, InboundCodes>();
/** Routes that ExpressInstrumentation has reported. */
const expressRoutes = new WeakMap<object, string>();
let isObserving = false;

/** @param contextOf asked for each call and request, as the exporter may start and end while they go on */
export function createSpanHooks(contextOf: () => SpanContext): ChannelSpanHooks {
  keepRoutes();
  listenForRoutes();
  return {
    http: {
      startOutgoingSpanHook: (options) => attempt(() => destinationAttributes(contextOf(), options)) ?? {},
      startIncomingSpanHook: (request) => attempt(() => callerAttributes(contextOf(), request)) ?? {},
      responseHook(span, response) {
        attempt(() => {
          if (!span.isRecording()) return;
          if (response instanceof ServerResponse) followRequest(response, contextOf());
          else if (attributeOf(span, SPAN_ATTRIBUTES.partner) !== undefined)
            readPartnerCode(span, response, contextOf());
        });
      },
      applyCustomAttributesOnSpan(span, request, response) {
        attempt(() => {
          // a partner's response has been read before
          if (response instanceof ServerResponse && request instanceof IncomingMessage) {
            finishRequest(span, request, response, contextOf());
          }
        });
      },
    },
    express: {
      requestHook(span, info) {
        attempt(() => {
          if (String(info.layerType) !== HANDLER) return;
          const request = info.request as IncomingMessage;
          if (info.route !== '') expressRoutes.set(request, info.route);
          span.setAttributes(callerAttributes(contextOf(), request));
        });
      },
    },
  };
}

function callerAttributes({ callers = BY_USER_AGENT }: SpanContext, { rawHeaders }: IncomingMessage): Attributes {
  return filled({ [SPAN_ATTRIBUTES.fCode]: callers.fCode(readHeaders(rawHeaders).userAgent) });
}

/** A call is about to be made: whom it reaches. Until its response has been read, there is no code. */
function destinationAttributes(context: SpanContext, options: RequestOptions): Attributes {
  const { protocol, hostname, host, path, port, defaultPort, method } = options;
  const agent = options.agent as { defaultPort?: number } | undefined;
  const destination = findDestination(context.partners, {
    method: method?.toUpperCase(),
    // HttpInstrumentation sets it for every call through node:https
    protocol: protocol ?? 'http:',
    hostname: hostname || host || 'localhost',
    path: path ?? '/',
    port() {
      const found = port || defaultPort || agent?.defaultPort;
      return found ? Number(found) : undefined;
    },
  });
  if (destination === undefined) return {};
  const rest = filled({ [SPAN_ATTRIBUTES.actionCode]: destination.actionCode, [SPAN_ATTRIBUTES.code]: NO_CODE });
  return { [SPAN_ATTRIBUTES.partner]: destination.partner, ...rest };
}

/** The head of a partner's response has come; its span ends after its body. */
function readPartnerCode(span: Span, response: IncomingMessage, context: SpanContext): void {
  const stamp = (code: string) => {
    if (span.isRecording()) span.setAttribute(SPAN_ATTRIBUTES.code, code);
  };
  if (Http1Exchange.of(response)?.shareCode(stamp)) return;
  const body = partnerCodeReader(context.bodyLimit, codeFromOf(response, context));
  let hasBegun = false;
  let isRead = false;
  observePush(response, (chunk, encoding) => {
    attempt(() => {
      if (isRead) return;
      if (chunk !== null) {
        // as for metrics: what is plain text was not compressed, whatever its header says
        if (!hasBegun && !isPlainObject(chunk)) body.setEncoding(response.headers['content-encoding']);
        hasBegun = true;
        body.push(chunk, encoding);
      }
      // a code that cannot change any more does not wait for the end, which may never come
      if (!body.isDone && !(chunk === null && response.complete)) return;
      isRead = true;
      body.end(true, (codes) => stamp(partnerCode(codes)), decompressAtOnce);
    });
  });
}

/** Where the partner's code stands. A hook has the response and not whom the call has reached: its request tells. */
function codeFromOf(response: IncomingMessage, { partners }: SpanContext): readonly string[] | undefined {
  const { req } = response as { req?: ClientRequest };
  if (req === undefined) return undefined;
  const { method, protocol, host: hostname, path, socket } = req;
  const port = () => {
    // Node writes it there where it is not the protocol's; the application may have written another host
    const header = parseOrigin(`${protocol}//${req.getHeader('host')}`);
    return header?.hostname.toLowerCase() === hostname.toLowerCase() ? header.port : socket?.remotePort;
  };
  return findPartner(partners, { method, protocol, hostname, path, port })?.codeFrom;
}

/** First: a request has come, its handler is about to run. */
function followRequest(response: ServerResponse, reading: SpanContext): void {
  const measured = codesOf(response);
  if (measured !== undefined) {
    measured.share();
    inbound.set(response, measured);
    return;
  }
  if (!isObserving) {
    isObserving = true;
    observeResponses({
      chunk: (answering, chunk, encoding) => readHere.get(answering)?.responseChunk(chunk, encoding),
      ended: (answering) => readHere.get(answering)?.responseEnded(),
    });
  }
  const codes = new InboundCodes(new Http1Messages(response.req, response), reading, logFailure);
  if (codes.wantsRequestBody) observePush(response.req, (chunk, encoding) => codes.requestChunk(chunk, encoding));
  inbound.set(response, codes);
  readHere.set(response, codes);
}

/** Last: the response is over, and the span is about to end. */
function finishRequest(
  span: Span,
  request: IncomingMessage,
  response: ServerResponse,
  { codeDepth, paths }: SpanContext,
): void {
  const codes = inbound.get(response);
  if (codes === undefined) return;
  inbound.delete(response);
  const isReadHere = readHere.delete(response);
  if (isReadHere) codes.end();
  const route =
    ownRouteOf(request) ??
    attributeOf(span, SPAN_ATTRIBUTES.route) ??
    routeOf(request) ??
    expressRoutes.get(request) ??
    '';
  const methodCode = codes.methodCode();
  const code = codes.readCodeAtOnce(
    response.writableFinished,
    codeDepth && (() => codeDepth(String(route) || unexplained(request, paths))),
  );
  if (isReadHere) codes.discardBodies();
  span.setAttributes(
    filled({
      [SPAN_ATTRIBUTES.route]: String(route),
      [SPAN_ATTRIBUTES.methodCode]: methodCode,
      [SPAN_ATTRIBUTES.code]: code,
    }),
  );
}

/** The label `path` of a request without a route. */
function unexplained(request: IncomingMessage, paths: ConcretePaths | undefined): string {
  const path = inboundPath(request.url ?? '/');
  return mountOf(request) ?? paths?.labelOf(path) ?? path;
}

/** Where a label would be empty, a span has no attribute. */
function filled(attributes: Readonly<Record<string, string>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}

/** What a span holds, where it shows it, as those of the OpenTelemetry SDK do. */
function attributeOf(span: Span, name: string): unknown {
  return (span as { attributes?: Attributes }).attributes?.[name];
}

function attempt<Result>(work: () => Result): Result | undefined {
  return doNoHarm(work, logFailure);
}

function logFailure(error: unknown): void {
  warn('CHX_INTERNAL', NAME, `a span could not be stamped: ${errorText(error)}`);
}
