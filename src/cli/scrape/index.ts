/** `channel-exporter scrape`: the families of a running exporter, for who has no Prometheus at hand. */
import { DEFAULT_PORT } from '../../config/defaults';
import { nearest, show } from '../../errors';
import { readText } from '../../files/read-text';
import { textOption, UsageError, wholeOption } from '../arguments';
import { type Call, EXIT } from '../call';
import { counted, oneLine } from '../terminal';
import { download } from './download';
import { ScrapeReader } from './families';
import { familyReport, showFamilies, showFamily } from './report';

const MAX_CA_BYTES = 1024 * 1024;

export async function runScrape(call: Call): Promise<number> {
  const { options, output } = call;
  const url = scrapeUrl(call.positionals[0]);
  const wanted = textOption(call, 'family');
  const top = wholeOption(call, 'top', [0, 1000], wanted === undefined ? 5 : 20);
  const timeoutMs = wholeOption(call, 'timeout', [1, 300], 10) * 1000;
  const reader = new ScrapeReader();
  const bytes = await download(url, { timeoutMs, user: user(call), ca: certificates(call), onLine: reader.line }).catch(
    (error: Error) => {
      throw new Error(`${url} cannot be scraped: ${error.message}`);
    },
  );
  const { families, malformed } = reader;
  if (families.length === 0 || malformed > 0) {
    const what = families.length === 0 ? 'no family' : counted(malformed, 'line');
    throw new Error(`${url} is no scrape: ${what}${malformed > 0 ? ' that cannot be read' : ' in it'}`);
  }
  const found = families.filter(({ name }) => wanted === undefined || name === wanted);
  if (found.length === 0)
    throw new Error(
      missing(
        wanted as string,
        families.map(({ name }) => name),
      ),
    );
  const reports = found.map((family) => familyReport(family, top));
  if (options.json === true) {
    output.json({ url: url.href, bytes, isCut: reader.isCut, families: reports });
    return EXIT.good;
  }
  const [only] = reports;
  if (wanted !== undefined && only !== undefined) {
    showFamily(output, only);
    return EXIT.good;
  }
  const series = reports.reduce((sum, each) => sum + each.series, 0);
  const count = reports.length === 1 ? '1 family' : `${reports.length} families`;
  output.line(`${url}: ${count}, ${series} series, ${bytes} bytes`, 'title');
  if (reader.isCut) output.line('There are more series than are counted here.', 'warn');
  output.line();
  showFamilies(output, reports);
  return EXIT.good;
}

function missing(wanted: string, names: readonly string[]): string {
  const near = nearest(wanted, names) ?? names.find((name) => name.includes(wanted));
  return `there is no family ${show(wanted)}.${near === undefined ? '' : ` Did you mean ${near}?`}`;
}

/** @param text an address, host:port or port; its path is /metrics where it has none */
function scrapeUrl(text: string = String(DEFAULT_PORT)): URL {
  const full = /^\d+$/.test(text) ? `http://localhost:${text}` : /^https?:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined) throw new UsageError(`${show(text)} is neither an address nor a port.`);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('a password in an address is seen by every user of the machine; use --user-from VARIABLE.');
  }
  if (url.pathname === '/') url.pathname = '/metrics';
  return url;
}

function user(call: Call): string | undefined {
  const variable = textOption(call, 'user-from');
  if (variable === undefined) return undefined;
  const value = call.env[variable];
  if (value?.includes(':')) return value;
  throw new UsageError(`the variable ${oneLine(variable)} holds no name:password.`);
}

function certificates(call: Call): string | undefined {
  const file = textOption(call, 'ca');
  if (file === undefined) return undefined;
  try {
    return readText(file, MAX_CA_BYTES);
  } catch (error) {
    throw new UsageError(`--ca cannot be read: ${(error as Error).message}`);
  }
}
