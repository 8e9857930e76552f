/** `metricsHandler()`: the scrape as a handler of the application's own server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sharedState } from '../../shared-state';
import { replyOver, replyText } from './answer';

/** A handler of node:http, and of frameworks that hand over its request and response. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * @returns a handler that answers GET and HEAD as our own server does, whatever the path; other methods with 405, and
 *   while no exporter runs with 503. It does not throw and never calls `next`.
 * @see docs/own-metrics.md for Express, Koa and Fastify
 */
export function metricsHandler(): MetricsHandler {
  const shared = sharedState();
  return function serveMetrics(request, response) {
    const services = shared.running?.services;
    if (services !== undefined) services.answer(request, response);
    else replyText(replyOver(response), 503, 'No exporter runs in this process.', { 'Retry-After': '10' });
  };
}
