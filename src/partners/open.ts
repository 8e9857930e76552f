/** The directory in force: the user's over the preset, and the user's file read again when it changes. */
import { join } from 'node:path';
import { logLine } from '../diagnostics/log';
import type { FileKind } from '../files/reread';
import { watchAndReread } from '../files/watch';
import type { PartnerHosts } from './check';
import { DirectoryDraft, PartnerDirectory, type PartnerHost } from './directory';
import { readPartnerHosts } from './file';
import { createPartnerMisses, type OnMiss, type OnUnknownHost, UNMATCHED_AFTER_MS } from './misses';
import { PRESET_HOSTS } from './presets';

/** What the settings say of partners. */
export interface PartnerSettings {
  /** Path of the partner file; anything else is not watched. */
  readonly partners: string | object | undefined;
  readonly partnersPreset: boolean;
  /** What was read from it. */
  readonly partnerHosts: PartnerHosts;
}

export interface OpenDirectory {
  readonly partners: PartnerDirectory;
  /** The directory stays as it is from then on. */
  endWatch(): void;
}

const PARTNER_FILE: FileKind<PartnerHost, DirectoryDraft> = {
  thread: join(__dirname, 'reading-thread.js'),
  read: readPartnerHosts,
  draft: () => new DirectoryDraft(),
  add: (draft, host) => draft.add(host),
};

/**
 * @param onMiss counts calls that meet no entry; without it, nothing is reported of entries that no call meets
 * @param onUnknownHost counts hosts that are called and that no entry has
 */
export function openPartnerDirectory(
  settings: PartnerSettings,
  onMiss?: OnMiss,
  onUnknownHost?: OnUnknownHost,
): OpenDirectory {
  const preset = settings.partnersPreset ? PRESET_HOSTS : [];
  const misses = createPartnerMisses(onMiss, onUnknownHost);
  const partners = new PartnerDirectory(settings.partnerHosts, preset, misses);
  const report = onMiss && setTimeout(() => misses.unmatched(partners.matches), UNMATCHED_AFTER_MS);
  // a process that has nothing else to do may end
  report?.unref();
  const endWatch = typeof settings.partners === 'string' ? watch(settings.partners, partners, preset) : undefined;
  return {
    partners,
    endWatch() {
      clearTimeout(report);
      endWatch?.();
    },
  };
}

function watch(file: string, partners: PartnerDirectory, preset: PartnerHosts): () => void {
  return watchAndReread(file, PARTNER_FILE, {
    loaded(draft, hosts) {
      for (const entry of preset) draft.addBelow(entry);
      partners.use(draft);
      logLine('info', `${file} has been read again: ${hosts} partner hosts`);
    },
    faulty(problems) {
      const text = problems.join('\n');
      logLine('warn', `CHX_PARTNERS_RELOAD: the new version of ${file} is not used; the last good one stays:\n${text}`);
    },
  });
}
