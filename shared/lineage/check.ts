// A chain of lineage, checked link by link.

import type { KeyObject } from "node:crypto";
import { faultOf, type Lineage } from "./record.js";

/** Something that was checked. */
export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What is wrong, or missing; empty where nothing is. */
  readonly detail: string;
}

/** Every signature, hash and link of `chain`, newest first. A chain that ends before the first version is a fault too. */
export function checkChain(publicKey: KeyObject, chain: readonly Lineage[]): readonly Check[] {
  const checks: Check[] = [];
  const note = (what: string, detail: string | undefined) =>
    checks.push({ what, ok: detail === undefined, detail: detail ?? "" });
  chain.forEach(({ run, verdict }, at) => {
    const { version, parent, parentRun } = run.record;
    note(`run of version ${version}`, faultOf(publicKey, run));
    if (verdict !== undefined) {
      const isOfRun = verdict.record.run === run.sha256 && verdict.record.version === version;
      note(
        `verdict on version ${version}`,
        faultOf(publicKey, verdict) ?? (isOfRun ? undefined : "of another run"),
      );
    }
    if (parent === 0) return;
    const before = chain[at + 1];
    if (before === undefined)
      note(`parent of version ${version}`, `the run of version ${parent} is not known`);
    else note(`parent of version ${version}`, linkFault(before, { parent, parentRun }));
  });
  return checks;
}

function linkFault(
  before: Lineage,
  { parent, parentRun }: { readonly parent: number; readonly parentRun: string | null },
): string | undefined {
  if (before.run.record.version !== parent)
    return `that is version ${before.run.record.version}, not ${parent}`;
  return before.run.sha256 === parentRun ? undefined : "another run than the one that was built on";
}
