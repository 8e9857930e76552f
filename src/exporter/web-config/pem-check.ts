/** Reads certificates and keys where `tls_server_config` has them: in files, or in its own text. None is shown in a message. */
import { resolve } from 'node:path';
import { FileCheck } from '../../files/check';
import { readText } from '../../files/read-text';
import type { Path } from '../../files/yaml-text';

/** The section of the file. */
export const AT = 'tls_server_config';

/** Of a certificate with its chain, a key, or the authorities of clients. */
const MAX_PEM_BYTES = 256 * 1024;

export type Section = Readonly<Record<string, unknown>>;

export class PemCheck extends FileCheck {
  /** Files that were named, readable or not: what is in them may change, too. */
  readonly files: string[] = [];
  /** Relative paths start there. */
  protected folder = '';

  /** @returns what the file holds, or the text beside it; empty where that is wrong, which is reported */
  protected pem(section: Section, inlineKey: string, fileKey: string): string | undefined {
    const inline = section[inlineKey] ?? undefined;
    const file = section[fileKey] ?? undefined;
    if (inline === undefined && file === undefined) return undefined;
    if (inline !== undefined && file !== undefined) {
      this.certificate([AT, fileKey], {
        wrong: `${inlineKey} and ${fileKey} are both there`,
        expected: 'one of them',
        remedy: `Remove ${inlineKey}.`,
      });
      return '';
    }
    if (file === undefined) {
      if (typeof inline === 'string' && inline !== '') return inline;
      this.certificate([AT, inlineKey], {
        wrong: `${inlineKey} is no text`,
        expected: 'PEM',
        remedy: 'Write it as a block, after |.',
      });
      return '';
    }
    if (typeof file !== 'string' || file === '') {
      const wrong = `${fileKey} is no path`;
      this.certificate([AT, fileKey], { wrong, expected: 'the path of a PEM file', remedy: 'Write it in quotes.' });
      return '';
    }
    const path = resolve(this.folder, file);
    this.files.push(path);
    try {
      const text = readText(path, MAX_PEM_BYTES);
      // Node takes it for none at all
      if (text === '') throw new Error('it is empty');
      return text;
    } catch (error) {
      this.certificate([AT, fileKey], {
        wrong: `${fileKey} cannot be read: ${(error as Error).message}`,
        got: file,
        expected: `a PEM file of at most ${MAX_PEM_BYTES} bytes`,
        remedy: 'Check the path and its permissions; a relative path starts from the folder of the web configuration.',
      });
      return '';
    }
  }

  protected certificate(at: Path, what: { wrong: string; got?: unknown; expected: string; remedy: string }): void {
    this.report('CHX_WEB_TLS_CERTIFICATE', at, 'value', () => what);
  }
}
