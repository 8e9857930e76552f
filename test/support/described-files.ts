/**
 * Files of a format that a schema of ours describes, as test/fixtures has them: those named `.good.` are accepted,
 * those named `.bad.` are refused with the codes and places that their first line expects.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';
import { parse } from 'yaml';
import { FIXTURES, ROOT } from './paths';

const BEYOND = ' beyond the schema';

export interface DescribedFormat {
  /** Of test/fixtures. */
  readonly folder: string;
  /** Of schema/. */
  readonly schema: string;
  readonly problemsOf: (file: string) => readonly { readonly code: string; readonly message: string }[];
  /** What JSON files, which have no comments, expect, by their names. */
  readonly expectedOfJson: Readonly<Record<string, string>>;
}

export interface DescribedFile {
  readonly name: string;
  readonly path: string;
}

export interface BadFile extends DescribedFile {
  /** Codes with their places, in the order in which the file has them. */
  readonly expected: string | undefined;
  /** Whether a schema cannot say what is wrong. */
  readonly isBeyondSchema: boolean;
}

export function describedFiles({ folder, schema, problemsOf, expectedOfJson }: DescribedFormat) {
  const description = JSON.parse(readFileSync(join(ROOT, 'schema', schema), 'utf8')) as { examples: unknown[] };
  const isOfSchema: ValidateFunction = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
    description,
  );
  const files = readdirSync(join(FIXTURES, folder)).sort();
  const named = (part: string): DescribedFile[] =>
    files.filter((name) => name.includes(part)).map((name) => ({ name, path: join(FIXTURES, folder, name) }));
  return {
    examples: description.examples,
    isOfSchema,
    good: named('.good.'),
    bad: named('.bad.').map(({ name, path }): BadFile => {
      const first = /^# expects (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? expectedOfJson[name];
      const isBeyondSchema = first?.endsWith(BEYOND) ?? false;
      return { name, path, expected: first?.replace(BEYOND, ''), isBeyondSchema };
    }),
    /** Whether the schema has nothing against it; of a text that is no value it has nothing to say. */
    isAcceptedBySchema(path: string): boolean {
      const value = plainValue(readFileSync(path, 'utf8'));
      return value === undefined || isOfSchema(value);
    },
    codesAndPlaces: (path: string) =>
      problemsOf(path)
        .map(({ code, message }) => `${code} ${/:(\d+:\d+)\b/.exec(message.replace(path, ''))?.[1]}`)
        .join(', '),
  };
}

function plainValue(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' });
  } catch {
    return undefined;
  }
}
