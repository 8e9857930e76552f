/** The directory in force: the user's over the preset, and the user's file read again when it changes. */
import { logLine } from '../diagnostics/log';
import type { PartnerHosts } from './check';
import { PartnerDirectory } from './directory';
import { createPartnerMisses } from './misses';
import { PRESET_HOSTS } from './presets';
import { watchPartnerFile } from './watch';

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

export function openPartnerDirectory(settings: PartnerSettings): OpenDirectory {
  const preset = settings.partnersPreset ? PRESET_HOSTS : [];
  const partners = new PartnerDirectory(settings.partnerHosts, preset, createPartnerMisses());
  if (typeof settings.partners !== 'string') return { partners, endWatch: () => undefined };
  const file = settings.partners;
  const endWatch = watchPartnerFile(file, {
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
  return { partners, endWatch };
}
