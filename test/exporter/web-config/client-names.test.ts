import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasAllowedName } from '../../../src/exporter/web-config/client-names';

const NAMES =
  'DNS:p.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://example.com/p, email:a@example.com';

describe("the names of a client's certificate", () => {
  const allowed = ['p.example.com', '127.0.0.1', '::1', '0:0::1', 'spiffe://example.com/p', 'a@example.com'];
  for (const name of allowed) {
    it(`have ${name}, exactly`, () => {
      assert.ok(hasAllowedName(NAMES, ['other', name]));
      assert.ok(!hasAllowedName(NAMES, [`${name}x`, name.slice(1), `DNS:${name}`]));
    });
  }

  it('are none where there is no such extension, or names of another kind alone', () => {
    assert.ok(!hasAllowedName(undefined, ['p.example.com']));
    assert.ok(!hasAllowedName('', ['']));
    assert.ok(!hasAllowedName('DirName:CN = p.example.com', ['p.example.com']));
  });

  it('cannot be made up inside another one', () => {
    // Node quotes a name that holds a comma
    assert.ok(!hasAllowedName('DNS:"a, DNS:p.example.com"', ['p.example.com']));
    assert.ok(hasAllowedName('DNS:"a, DNS:p.example.com"', ['a, DNS:p.example.com']));
    assert.ok(!hasAllowedName('othername:<x, DNS:p.example.com', ['p.example.com']));
  });
});
