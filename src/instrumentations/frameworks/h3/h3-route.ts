/** The route of one request of h3, read when it is asked for: at the end of the request. */
import { guarded, type RouteState } from '../../inbound/routes';
import { rawPath } from '../../request-target';
import { joinTemplates, strippedPrefix } from '../templates';

export const NAME = 'h3';

/** Means nothing to h3, and is what `mount` makes of a route at the root. */
const SLASH_AT_END = /(?<=.)\/$/;

/** What a router of h3 has found: `path` in h3 1, `route` in h3 2. */
interface MatchedRoute {
  readonly path?: unknown;
  readonly route?: unknown;
}

interface Context {
  readonly matchedRoute?: MatchedRoute;
}

/**
 * Nothing tells when a route is matched, nor by which of several nested routers. But nothing comes between the moment
 * when a router is about to match a path, and is noted, and the one when it leaves the route: so a route that has appeared since
 * the last note was matched by the path of that note.
 */
export class H3Route implements RouteState {
  /** What another framework reported after h3. */
  private reported: string | undefined;
  /** The route that was found last, and the path that it matched. */
  private found: MatchedRoute | undefined;
  private foundPath = '';

  /**
   * @param context of the event
   * @param path that is going to be matched
   * @param mount prefix by another framework
   * @param wholePath of the request, before any router has shortened it
   */
  constructor(
    private context: Context,
    private path: string,
    private readonly mount: string,
    private readonly wholePath: () => string,
  ) {}

  /** A router is about to match a path, perhaps for a further event of the same request. */
  note(context: Context, path: string): void {
    this.look();
    this.context = context;
    this.path = path;
  }

  /** Does not throw. */
  get template(): string | undefined {
    return this.reported ?? guarded(NAME, () => this.foundTemplate());
  }

  set template(template: string | undefined) {
    this.reported = template;
  }

  private foundTemplate(): string | undefined {
    this.look();
    const template = this.found?.route ?? this.found?.path;
    if (typeof template !== 'string') return undefined;
    const prefix = this.mount + strippedPrefix(this.wholePath(), rawPath(this.foundPath));
    return joinTemplates(prefix, template.replace(SLASH_AT_END, ''));
  }

  private look(): void {
    const { matchedRoute } = this.context;
    if (matchedRoute === undefined || matchedRoute === this.found) return;
    this.found = matchedRoute;
    this.foundPath = this.path;
  }
}
