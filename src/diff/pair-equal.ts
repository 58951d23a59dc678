/**
 * Pairs each of one list with one of another that has an equal key: within a key in their order, across keys in any. What has
 * a partner already is passed over on both sides.
 *
 * @param partners of the first list's members; what is found comes to it
 */
export function pairEqual<T>(before: readonly T[], after: readonly T[], partners: Map<T, T>, keys: { readonly before: (member: T) => string; readonly after: (member: T) => string }): void {
  const taken = new Set(partners.values());
  const waiting = new Map<string, { readonly members: T[]; next: number }>();
  for (const member of after) {
    if (taken.has(member)) continue;
    const key = keys.after(member);
    const group = waiting.get(key);
    if (group === undefined) waiting.set(key, { members: [member], next: 0 });
    else group.members.push(member);
  }
  for (const member of before) {
    if (partners.has(member)) continue;
    const group = waiting.get(keys.before(member));
    const partner = group?.members[group.next];
    if (group === undefined || partner === undefined) continue;
    group.next += 1;
    partners.set(member, partner);
  }
}
