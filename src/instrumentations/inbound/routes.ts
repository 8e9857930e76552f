/**
 * Where frameworks report the route template of a request; the inbound sources read it here and know no framework.
 */

import { errorText, warn } from '../../diagnostics/log';
import { sharedState } from '../../shared-state';
import { doNoHarm } from '../patching/do-no-harm';
import { LatestMap } from './latest-map';

/** What is noted of a request; a framework may keep more of its own there, so that one look-up finds both. */
export interface RouteState {
  /** The route that was reported last. */
  template: string | undefined;
}

type RouteLookup = (request: object, notes: RouteState | undefined) => string | undefined;

const noted = new LatestMap<object, RouteState>();
const lookups: RouteLookup[] = [];
let areKept = false;

/**
 * Reports which route a request has matched; the last one counts.
 * @param template in the framework's own syntax, with every mount prefix; undefined where it cannot be told
 */
export function setRoute(request: object, template: string | undefined): void {
  const notes = noted.get(request);
  if (notes !== undefined) notes.template = template;
  else if (template !== undefined) noted.set(request, { template });
}

/** @returns undefined where nothing has been noted of the request */
export function notesOf(request: object): RouteState | undefined {
  return noted.get(request);
}

/** Puts a framework's notes in place of what has been noted, of which it has taken over the template. */
export function keepNotes(request: object, notes: RouteState): void {
  noted.set(request, notes);
}

/** @returns undefined where no framework reported a route */
export function routeOf(request: object): string | undefined {
  const notes = noted.get(request);
  for (const lookup of lookups) {
    const route = lookup(request, notes);
    if (route !== undefined) return route;
  }
  return notes?.template;
}

/** Has routes kept when their requests are over: spans end later. */
export function keepRoutes(): void {
  areKept = true;
}

/** To be called when a request is over and its route has been read. */
export function endRoute(request: object): void {
  noted.release(request, areKept || sharedState().hasMonitored === true);
}

/**
 * Has the lookup asked at the end of each request, before what was reported: it may know of a later route whose turn
 * did not come, or of a framework that runs inside another.
 */
export function addRouteLookup(lookup: RouteLookup): void {
  lookups.push(lookup);
}

/** Ends it. */
export function removeRouteLookup(lookup: RouteLookup): void {
  const index = lookups.indexOf(lookup);
  if (index >= 0) lookups.splice(index, 1);
}

/**
 * Runs a framework's work for one request; what goes wrong in it is logged.
 * @param source name of the instrumentation
 */
export function guarded(source: string, work: () => void): void {
  doNoHarm(work, (error) => routeFailed(source, error));
}

/** Logs what went wrong, for code on the path of every request, which catches by itself. */
export function routeFailed(source: string, error: unknown): void {
  warn('CHX_INTERNAL', source, `the route of a request could not be told: ${errorText(error)}`);
}
