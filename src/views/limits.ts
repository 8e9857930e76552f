/**
 * How many series a family may have before further ones are folded together.
 *
 * The real bound is the cap on distinct label values (core/label-values.ts), which keeps the other labels of a
 * measurement; this is the second fence behind it, since a thousand paths times two hundred callers times two hundred
 * codes are within their caps one by one. The SDK's own default of 2000 would be met by a few hundred routes and codes.
 */
export const SERIES_PER_FAMILY = 20_000;
