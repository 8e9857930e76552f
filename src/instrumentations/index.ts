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
import { createMonitorInstrumentation } from './monitor';
import { createMqttInstrumentation } from './mqtt';
import { createNatsInstrumentation } from './nats';
import { createNextInstrumentation } from './next';
import { createUndiciInstrumentation } from './undici';

export interface SourceRow {
  /** As in OTEL_NODE_ENABLED_INSTRUMENTATIONS; several sources may share one. */
  readonly name: string;
  readonly create: () => Instrumentation;
}

export const SOURCES: readonly SourceRow[] = [
  { name: 'http', create: createInboundInstrumentation },
  { name: 'http', create: createOutboundInstrumentation },
  { name: 'undici', create: createUndiciInstrumentation },
  { name: 'http2', create: createHttp2InboundInstrumentation },
  { name: 'http2', create: createHttp2OutboundInstrumentation },
  { name: 'express', create: createExpressInstrumentation },
  { name: 'fastify', create: createFastifyInstrumentation },
  { name: 'koa', create: createKoaInstrumentation },
  { name: 'hapi', create: createHapiInstrumentation },
  { name: 'next', create: createNextInstrumentation },
  { name: 'amqplib', create: createAmqplibInstrumentation },
  { name: 'kafkajs', create: createKafkajsInstrumentation },
  { name: 'bullmq', create: createBullmqInstrumentation },
  { name: 'mqtt', create: createMqttInstrumentation },
  { name: 'nats', create: createNatsInstrumentation },
  { name: 'monitor', create: createMonitorInstrumentation },
];
