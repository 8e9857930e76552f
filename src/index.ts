/** The public API. */
export { type CodeValue, setBusinessCode, setMethodCode } from './business-code/set-codes';
export { ConfigError, type Problem, type ProblemCode } from './errors';
export { consume } from './instrumentations/worker';
export { type Exporter, type PartnerDirectoryOption, type StartOptions, start } from './start';
