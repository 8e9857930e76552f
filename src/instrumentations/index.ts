/** Every source of measurements. To add one, write its file and add a row. */
import { createAmqplibInstrumentation } from './amqplib';
import { createBullmqInstrumentation } from './bullmq';
import { createExpressInstrumentation } from './express';
import { createFastifyInstrumentation } from './fastify';
import { createHapiInstrumentation } from './hapi';
import { createInboundInstrumentation } from './http-inbound';
import { createOutboundInstrumentation } from './http-outbound';
import { createHttp2InboundInstrumentation } from './http2-inbound';
import { createHttp2OutboundInstrumentation } from './http2-outbound';
import type { Instrumentation } from './instrumentation';
import { createKafkajsInstrumentation } from './kafkajs';
import { createKoaInstrumentation } from './koa';
import { createMqttInstrumentation } from './mqtt';
import { createNatsInstrumentation } from './nats';
import { createNextInstrumentation } from './next';
import { createUndiciInstrumentation } from './undici';

export interface SourceRow {
  /** As in OTEL_NODE_ENABLED_INSTRUMENTATIONS; several sources may share one. */
  readonly name: string;
  /** What the start-up line says is observed. */
  readonly observes: string;
  readonly create: () => Instrumentation;
}

export const SOURCES: readonly SourceRow[] = [
  { name: 'http', observes: 'inbound HTTP', create: createInboundInstrumentation },
  { name: 'http', observes: 'partner calls over node:http', create: createOutboundInstrumentation },
  { name: 'undici', observes: 'partner calls over fetch and undici', create: createUndiciInstrumentation },
  { name: 'http2', observes: 'inbound HTTP/2', create: createHttp2InboundInstrumentation },
  { name: 'http2', observes: 'partner calls over node:http2', create: createHttp2OutboundInstrumentation },
  { name: 'express', observes: 'Express routes', create: createExpressInstrumentation },
  { name: 'fastify', observes: 'Fastify routes', create: createFastifyInstrumentation },
  { name: 'koa', observes: 'Koa routes', create: createKoaInstrumentation },
  { name: 'hapi', observes: 'hapi routes', create: createHapiInstrumentation },
  { name: 'next', observes: 'Next.js routes', create: createNextInstrumentation },
  { name: 'amqplib', observes: 'messages of amqplib', create: createAmqplibInstrumentation },
  { name: 'kafkajs', observes: 'messages of kafkajs', create: createKafkajsInstrumentation },
  { name: 'bullmq', observes: 'jobs of BullMQ', create: createBullmqInstrumentation },
  { name: 'mqtt', observes: 'messages of MQTT', create: createMqttInstrumentation },
  { name: 'nats', observes: 'messages of NATS', create: createNatsInstrumentation },
];
