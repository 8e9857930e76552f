/** Default and limits of each setting. */
import { DEFAULT_BOUNDARIES_MS } from '../views/boundaries';

export const DEFAULT_PORT = 9166;
export const DEFAULT_IGNORE_PATHS: readonly string[] = ['/healthcheck', '/metrics'];
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1024;
export const MAX_BODY_LIMIT_BYTES = 16 * 1024 * 1024;
export const DEFAULT_ROUTE_VALUES = 1000;
/** Paths that no framework reports: most are made up, and an application without a framework has a few dozen. */
export const DEFAULT_PATH_VALUES = 100;
/** For each path: more are data. */
export const DEFAULT_CODE_VALUES = 50;
export const DEFAULT_LABEL_VALUES = 200;
export const MAX_LABEL_VALUES = 1_000_000;
export const MAX_CODE_DEPTH = 1_000;
/**
 * A thousand routes, two hundred callers and fifty codes are each within their caps and together ten million series.
 * Sixty routes with five codes and twenty callers are six thousand, which is within the share of the callers; each is
 * some seventeen lines of the scrape.
 */
export const DEFAULT_SERIES = 10_000;
export const MAX_SERIES = 1_000_000;
export const DEFAULT_ENV = 'PROD';
export const DEFAULT_APP_METRICS = '/metrics';

export const BOUNDARIES_TEXT = DEFAULT_BOUNDARIES_MS.join(',');
