/** The route of one request of Hono, read when it is asked for: at the end of the request. */
import { guarded, type RouteState } from '../../inbound/routes';
import { mountTemplate } from '../express/mount-template';
import { joinPrefixes, joinTemplates, strippedPrefix } from '../templates';
import { chooseRoute, type Route } from './route-choice';

export const NAME = 'hono';

/** The part of Hono's context that is read. */
export interface HonoContext {
  /** What `fetch` was given as its second argument. */
  readonly env: { readonly incoming?: unknown } | undefined;
  /** Creates Hono's request at the first access. */
  readonly req: HonoRequest;
}

interface HonoRequest {
  /** The path that was matched. */
  readonly path: string;
  /** Position of the handler that was asked last, among those that matched. */
  readonly routeIndex: number;
  /** Deprecated in Hono 4, without a warning. */
  readonly matchedRoutes?: readonly Route[];
  readonly raw: Readonly<Record<string | symbol, unknown>>;
}

/** The end of a template under which another application of Hono may be mounted. */
const WILDCARD = /\/\*$/;

export class HonoRoute implements RouteState {
  /** What another framework reported after Hono. */
  private reported: string | undefined;
  /** Templates of what the innermost application is mounted under. */
  private prefix: string;
  /** The template of the application around it, where it has none itself. */
  private outer: string | undefined;

  /** @param request Node's, which Express may have shortened */
  constructor(
    public context: HonoContext,
    request: object,
  ) {
    this.prefix = mountTemplate(request);
  }

  /** Does not throw. */
  get template(): string | undefined {
    return this.reported ?? guarded(NAME, () => this.chosenTemplate());
  }

  set template(template: string | undefined) {
    this.reported = template;
  }

  /**
   * The request has reached a second application: one that is mounted, or that a handler has called. A handler may also
   * answer by further requests of its own, within the process; those have other paths.
   */
  enter(inner: HonoContext): void {
    const { path } = this.context.req;
    const stripped = path === inner.req.path ? '' : strippedPrefix(path, inner.req.path);
    const mount = ownTemplate(this.context)?.replace(WILDCARD, '');
    if (path !== inner.req.path && stripped !== mount) return;
    this.outer = this.template;
    this.prefix = joinPrefixes(this.prefix, stripped || '/');
    this.context = inner;
  }

  private chosenTemplate(): string | undefined {
    const own = ownTemplate(this.context);
    return own === undefined ? this.outer : joinTemplates(this.prefix, own);
  }
}

function ownTemplate({ req }: HonoContext): string | undefined {
  return chooseRoute(req.matchedRoutes ?? [], req.routeIndex)?.path;
}
