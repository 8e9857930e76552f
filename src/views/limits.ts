/**
 * How many series a family may have in one collection before the SDK folds the rest into its overflow series.
 *
 * The real bound is the cap on distinct label values (core/label-values.ts), which keeps the other labels of a
 * measurement; this is the second fence behind it, high enough never to be met by a service within its caps in
 * normal use. The SDK's own default of 2000 would be met by a few hundred routes and codes.
 */
export const SERIES_PER_COLLECTION = 20_000;
