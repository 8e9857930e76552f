/**
 * Whether an observation failed, by its business code and status, as alerts of docs/metrics.md have it.
 *
 * Where success codes are known, every other code is a failure; where none are, every code but `0`. An answer without a
 * code says nothing by it: its status decides. A partner whose success codes are known has to send one.
 */

/** Success codes and others, by `family partner`. */
export class CodeMeanings {
  private readonly known = new Map<string, Map<string, boolean>>();

  add(family: string, partner: string, code: string, isSuccess: boolean): void {
    const key = `${family} ${partner}`;
    const codes = this.known.get(key) ?? new Map<string, boolean>();
    this.known.set(key, codes.set(code, isSuccess));
  }

  isFailure(family: string, { partner = '', code = '', http_status: status }: Labels): boolean {
    const codes = this.known.get(`${family} ${partner}`);
    const meaning = codes?.get(code);
    if (meaning !== undefined) return !meaning;
    if (code !== '' && code !== NO_CODE) return codes !== undefined || code !== SUCCESS;
    if (codes !== undefined && partner !== '') return true;
    return status !== undefined && (status === NO_ANSWER || /^5/.test(status));
  }
}

interface Labels {
  readonly partner?: string;
  readonly code?: string;
  readonly http_status?: string;
}

const SUCCESS = '0';
/** SPEC 3 and 4: no business code was found. */
const NO_CODE = '-1';
/** SPEC 4: the status of a call that had no answer. */
const NO_ANSWER = '0';
