/** The language of the page: that of the browser. */
import { ENGLISH, type Words } from './words';
import { CHINESE } from './words-zh';

export interface Language {
  readonly tag: 'en' | 'zh-CN';
  readonly words: Words;
}

/** @param wanted the browser's languages, the favourite first */
export function chooseLanguage(wanted: readonly string[]): Language {
  const first = wanted.map((tag) => tag.toLowerCase()).find((tag) => /^(en|zh)\b/.test(tag));
  return first?.startsWith('zh') ? { tag: 'zh-CN', words: CHINESE } : { tag: 'en', words: ENGLISH };
}
