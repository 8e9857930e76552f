/** What a directory says of each partner beside its hosts and paths: its name, and which of its codes mean success. */

export interface PartnerMeaning {
  /** Empty where no entry names the partner. */
  name: string;
  /** Business codes. */
  readonly success: Set<string>;
}

/** Partners of a directory, by their codes; entries of the same code are one partner. */
export class PartnerMeanings {
  private readonly byCode = new Map<string, PartnerMeaning>();

  add({ partner, name, success = [] }: { partner: string; name?: string; success?: readonly string[] }): void {
    const known = this.byCode.get(partner) ?? { name: '', success: new Set() };
    this.byCode.set(partner, known);
    known.name ||= name ?? '';
    for (const code of success) known.success.add(code);
  }

  /** In the order of the directory. */
  entries(): Iterable<readonly [partner: string, meaning: Readonly<PartnerMeaning>]> {
    return this.byCode;
  }
}
