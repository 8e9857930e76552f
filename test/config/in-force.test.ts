/** The settings in force as people read them, without what files and objects hold. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { settingsInForce } from '../../src/config/in-force';
import { resolveConfig } from '../../src/config/resolve';
import { SETTINGS } from '../../src/config/settings';

const SYSCODE = 'A123010101';
const given = (options: object, env: NodeJS.ProcessEnv = {}) =>
  new Map(
    settingsInForce(resolveConfig({ syscode: SYSCODE, ...options }, env).config).map((each) => [each.setting, each]),
  );

describe('the settings in force', () => {
  it('are all of the table, by their variables, with the defaults of the documentation', () => {
    const all = given({});
    assert.deepEqual(
      [...all.keys()],
      SETTINGS.map(({ variable }) => variable),
    );
    for (const { variable, defaultText } of SETTINGS.slice(1)) {
      assert.deepEqual(all.get(variable), { setting: variable, value: defaultText, isSet: false });
    }
    assert.deepEqual(all.get('SYSCODE'), { setting: 'SYSCODE', value: SYSCODE, isSet: true });
  });

  for (const [variable, text, value] of [
    ['CHANNEL_EXPORTER_SUCCESS_CODES', '0,00', '0, 00'],
    ['CHANNEL_EXPORTER_IGNORE_PATHS', '[]', 'none'],
    ['CHANNEL_EXPORTER_RUNTIME_METRICS', 'off', 'off'],
    ['CHANNEL_EXPORTER_DROP_LABELS', 'inner=f_code', 'inner=f_code'],
    ['CHANNEL_EXPORTER_METHOD_CODE_FROM', 'operationName method', 'operationName, method'],
    ['CHANNEL_EXPORTER_CODE_FROM', '["error.code","code"]', 'error.code, code'],
    ['CHANNEL_EXPORTER_CODE_DEPTH', '/a/*=1,2', '/a/*=1, 2'],
    ['CHANNEL_EXPORTER_SERIES_LIMIT', '500', '500'],
    ['CHANNEL_EXPORTER_APP_METRICS', '1', '/metrics'],
  ] as const) {
    it(`show ${variable}=${text} as ${value}`, () => {
      assert.deepEqual(given({}, { [variable]: text }).get(variable), { setting: variable, value, isSet: true });
    });
  }

  it('show of limits of label values each', () => {
    const limits = given({}, { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: 'path=7' }).get(
      'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT',
    );
    assert.match(limits?.value ?? '', /\bpath=7\b/);
  });

  it('show of files and objects nothing that is in them', () => {
    const file = join(tmpdir(), `channel-exporter-in-force-${process.pid}.json`);
    writeFileSync(file, '{"hosts":{"secret.example":{"partner":"12"}}}');
    const hosts = { 'secret.example': { partner: '12' } };
    const views = [{ instrumentName: 'channel.inner.duration', description: 'secret' }];
    const all = [...given({ partners: file }).values(), ...given({ partners: { hosts }, views }).values()];
    assert.ok(all.some(({ value }) => value === file));
    assert.ok(all.some(({ value }) => value === 'given as an object'));
    assert.doesNotMatch(JSON.stringify(all), /secret/);
  });
});
