/**
 * The page for people: reads `/metrics` every few seconds and draws it. It knows nothing that the scrape does not say,
 * asks no other address, and writes everything that it reads as text.
 */
import { createCards } from './cards';
import type { Context } from './context';
import { say } from './context';
import { createDetails } from './details';
import { byId, setText } from './dom';
import { History, type NewCode } from './history';
import { chooseLanguage } from './language';
import { createLimits } from './limits';
import { numbersOf } from './numbers';
import { createObservations } from './observations';
import { createProcesses } from './processes';
import { KINDS, type Snapshot, snapshotOf } from './snapshot';
import type { Word } from './words';

/** Relative, so that it holds behind a proxy with a prefix too. */
const METRICS = 'metrics?details';
const EVERY_MS = 5_000;
/** A scrape costs the service time: larger ones are asked for less often, a second for each of so many bytes. */
const BYTES_PER_SECOND = 400_000;
const LIMIT_MS = 15_000;
const MAX_SAID = 5;

const language = chooseLanguage(navigator.languages);
document.documentElement.lang = language.tag;
for (const each of document.querySelectorAll<HTMLElement>('[data-word]')) {
  each.textContent = language.words[each.dataset.word as Word];
}

const context: Context = {
  language,
  numbers: numbersOf(language),
  history: new History(),
  isLately: false,
  openedMs: Date.now(),
  say: (text) => setText(byId('said'), text),
};
const parts = [
  createProcesses(context),
  createCards(context),
  ...KINDS.map((kind) => createObservations(context, kind)),
  createDetails(context),
  createLimits(context),
];

let isPaused = false;
let isAsking = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let lastMs = Date.now();
let everyMs = EVERY_MS;

setText(byId('state'), say(context, 'loading'));
byId('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  setText(byId('pause'), say(context, isPaused ? 'resume' : 'pause'));
  showState();
  if (isPaused) clearTimeout(timer);
  else void ask();
});
for (const each of document.querySelectorAll<HTMLInputElement>('input[name=period]')) {
  // browsers remember what was chosen before
  each.checked = each.value === 'all';
  each.addEventListener('change', () => {
    context.isLately = each.value === 'lately';
    const { last } = context.history;
    if (last !== undefined) draw(last);
  });
}
// a page that nobody sees asks nothing
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (!document.hidden) void ask();
});
void ask();

async function ask(): Promise<void> {
  if (isAsking || isPaused || document.hidden) return;
  isAsking = true;
  clearTimeout(timer);
  const atMs = performance.now();
  try {
    const response = await fetch(METRICS, { cache: 'no-store', signal: AbortSignal.timeout(LIMIT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text.trim().slice(0, 200)}`);
    const clock = Date.parse(response.headers.get('date') ?? '');
    shown(snapshotOf(text, atMs, clock || Date.now()));
  } catch (error) {
    lost(error instanceof Error ? error.message : String(error));
  }
  isAsking = false;
  timer = setTimeout(ask, everyMs);
}

function shown(snapshot: Snapshot): void {
  lastMs = Date.now();
  everyMs = Math.max(EVERY_MS, (snapshot.bytes / BYTES_PER_SECOND) * 1_000);
  const found = context.history.add(snapshot, lastMs);
  document.title = say(context, 'title', { syscode: snapshot.syscode });
  setText(byId('name'), snapshot.syscode);
  byId('main').hidden = false;
  if (!byId('banner').hidden) {
    byId('banner').hidden = true;
    context.say(say(context, 'found'));
  }
  draw(snapshot);
  showState();
  if (found.length > 0) context.say(`${say(context, 'newCodes')}: ${textOf(found)}`);
}

function draw(snapshot: Snapshot): void {
  for (const part of parts) part(snapshot);
}

function showState(): void {
  const time = context.numbers.time(lastMs);
  const seconds = Math.round(everyMs / 1_000);
  setText(byId('state'), say(context, isPaused ? 'paused' : 'updated', { time, seconds }));
}

/** Every value on the page stays: it says since when. */
function lost(reason: string): void {
  const text = say(context, 'lost', { time: context.numbers.time(lastMs), reason });
  if (byId('banner').hidden) context.say(text);
  byId('banner').hidden = false;
  setText(byId('banner'), text);
}

function textOf(codes: readonly NewCode[]): string {
  return codes
    .slice(0, MAX_SAID)
    .map(({ code, names }) => `${code} (${names.join(' ')})`)
    .join(', ');
}
