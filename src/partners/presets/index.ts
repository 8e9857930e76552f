/** The directory that ships with the package: the table of the Python original. */
import { type PartnerHosts, parsePartnerDirectory } from '../check';
import preset from './partners.preset.json';

/** Hosts of the preset; a test holds it free of problems. */
export const PRESET_HOSTS: PartnerHosts = parsePartnerDirectory(preset).hosts;
