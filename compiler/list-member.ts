// Models of a list, as messages speak of them: their names are numbers in the list, which no recipe can write.

const MEMBER = /^(.*)\[\d+\]$/;

/** Where a source's settings stand: those of a member are the list's. */
export function behindSource(name: string): string {
  const list = MEMBER.exec(name)?.[1];
  return list === undefined ? `behind ${name}` : `behind the list ${list}, for all its models,`;
}

/** A member by its path, too. */
export function sourceName({ name, display }: { readonly name: string; readonly display: string }): string {
  return MEMBER.test(name) ? `${name} (${JSON.stringify(display)})` : name;
}
