/**
 * The attributes of the service as OpenTelemetry knows it: OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME.
 *
 * Read here, because the SDK's own detector reads the environment of the process, which is not the application's under
 * PM2, and drops what is malformed without a word. A test compares the two.
 * @see https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
 */
import { show } from '../errors';
import { given } from './standard-variables';

export type ResourceAttributes = Readonly<Record<string, string>>;

/** Attributes, and what is wrong with the variable, of which nothing is used then. */
export interface ResourceFromEnvironment {
  readonly attributes: ResourceAttributes;
  readonly fault: string | undefined;
}

const SERVICE_NAME = 'service.name';
/** Of a key and of a value, as in the SDK. */
const MAX_CHARACTERS = 255;

/** @param syscode names the service where no variable does */
export function resourceFromEnvironment(env: NodeJS.ProcessEnv, syscode: string): ResourceFromEnvironment {
  const { attributes, fault } = givenAttributes(env);
  const name = given(env, 'OTEL_SERVICE_NAME')?.value ?? (attributes[SERVICE_NAME] || syscode);
  return { attributes: Object.freeze({ ...attributes, [SERVICE_NAME]: name }), fault };
}

function givenAttributes(env: NodeJS.ProcessEnv): ResourceFromEnvironment {
  const variable = given(env, 'OTEL_RESOURCE_ATTRIBUTES');
  const entries: [string, string][] = [];
  for (const entry of variable?.value.split(',') ?? []) {
    if (entry.trim() === '') continue;
    const parsed = parseEntry(entry);
    if (typeof parsed === 'string') {
      const text = `${variable?.name} is not used: ${parsed}; got ${show(entry)}. Write key=value pairs with commas between them, and any other comma or "=" as %2C and %3D.`;
      return { attributes: {}, fault: text };
    }
    entries.push(parsed);
  }
  return { attributes: Object.fromEntries(entries), fault: undefined };
}

/** @returns key and value, or what is wrong */
function parseEntry(entry: string): [string, string] | string {
  const parts = entry.split('=').map((part) => decoded(part.trim()));
  const [key, value] = parts;
  if (parts.length !== 2) return 'an entry is no key with one value';
  if (key === undefined || value === undefined) return 'an entry is not percent-encoded';
  if (key === '') return 'an entry has no key';
  if (Math.max(key.length, value.length) > MAX_CHARACTERS) return `an entry has more than ${MAX_CHARACTERS} characters`;
  return [key, value];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
