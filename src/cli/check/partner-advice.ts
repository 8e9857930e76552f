/** What a partner file says that can be used, and is most likely not what was meant. */

import { isPattern } from '../../files/path-pattern';
import { readText } from '../../files/read-text';
import { parseYamlText } from '../../files/yaml-text';
import type { Finding } from './findings';

const MAX_FILE_BYTES = 1024 * 1024;
/** More would not be read. */
const MAX_ADVICE = 50;

/**
 * @param file that is read without a problem
 * @returns paths with a slash at the end, each with its place
 */
export function partnerAdvice(file: string): Finding[] {
  const parsed = parseYamlText(readText(file, MAX_FILE_BYTES), file);
  if (!('value' in parsed)) return [];
  const { hosts } = parsed.value as { hosts: Readonly<Record<string, { paths?: Readonly<Record<string, unknown>> }>> };
  const advice: Finding[] = [];
  for (const [host, { paths = {} }] of Object.entries(hosts)) {
    for (const path of Object.keys(paths)) {
      const bare = path.slice(0, -1);
      if (path === '/' || !path.endsWith('/') || isPattern(path) || Object.hasOwn(paths, bare)) continue;
      if (advice.length >= MAX_ADVICE) return advice;
      const place = parsed.locate(['hosts', host, 'paths', path], 'key');
      const text = `${place}: a slash at the end is part of the path, so calls to ${bare} of ${host} have no action code. Add ${bare}, or write it in place of ${path}.`;
      advice.push({ code: 'CHX_PARTNER_PATH', text, place });
    }
  }
  return advice;
}
