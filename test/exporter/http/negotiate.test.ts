/** Which form of the scrape a request asks for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formOf } from '../../../src/exporter/http/negotiate';

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const PROMETHEUS_PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('the format', () => {
  const CASES: readonly [accept: string | undefined, format: 'text' | 'openmetrics'][] = [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['text/html', 'text'],
    ['application/*', 'text'],
    [BROWSER, 'text'],
    [PROMETHEUS_2, 'openmetrics'],
    [PROMETHEUS_3, 'openmetrics'],
    [PROMETHEUS_PROTOBUF, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text ; Version=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;version=2.0.0', 'text'],
    ['application/openmetrics-text;version=2.0.0,application/openmetrics-text;q=0.2', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text, text/plain', 'text'],
    ['application/openmetrics-text, text/plain;q=0.9', 'openmetrics'],
    ['application/openmetrics-text;q=0.8, text/plain;q=0.9', 'text'],
    ['application/openmetrics-text;q=0.8, text/*;q=0.9', 'text'],
    ['application/openmetrics-text;q=0.8, text/*;q=0.9, text/plain;q=0.1', 'openmetrics'],
    ['application/openmetrics-text;q=0.8, text/plain;version=0.0.5, text/plain;q=0.1', 'openmetrics'],
    ['application/openmetrics-text;q=0.8, */*', 'text'],
    ['application/openmetrics-text;q=0.001', 'openmetrics'],
    ['application/openmetrics-text;q=1.1', 'text'],
    ['application/openmetrics-text;q=-1', 'text'],
    ['application/openmetrics-text;q=high', 'text'],
    ['x/y;a="p,application/openmetrics-text"', 'text'],
    ['x/y;a="p\\",q";q=0.3, application/openmetrics-text', 'openmetrics'],
    ['x/y;a="never closed, application/openmetrics-text', 'text'],
    [',,;;=,"', 'text'],
  ];
  for (const [accept, format] of CASES) {
    it(`is ${format} for ${accept ?? 'no Accept'}`, () => {
      assert.equal(formOf(accept === undefined ? {} : { accept }).format, format);
    });
  }
});

describe('the answer', () => {
  const CASES: readonly [acceptEncoding: string | undefined, isCompressed: boolean][] = [
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['GZIP', true],
    ['x-gzip', true],
    ['gzip, deflate, br', true],
    ['br, deflate', false],
    ['*', true],
    ['gzip;q=0', false],
    ['gzip;q=0.0, *', false],
    ['*;q=0', false],
    ['identity', false],
    ['identity, gzip', true],
    ['identity;q=0.5, gzip;q=0.4', false],
    ['identity;q=0.5, *;q=0.4', false],
    ['identity;q=0, br', false],
    ['gzip ; q=0.1', true],
    ['deflate;q=1, gzip;q=0.2', true],
    ['gzip;q=5', false],
  ];
  for (const [acceptEncoding, isCompressed] of CASES) {
    it(`is ${isCompressed ? 'packed' : 'bare'} for ${acceptEncoding ?? 'no Accept-Encoding'}`, () => {
      const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
      assert.equal(formOf(headers).isCompressed, isCompressed);
    });
  }
});
