/** Query parameters as they were sent: the last of a repeated one counts, unless all are asked for. */
export class Query {
  private readonly parameters: URLSearchParams;

  constructor(url: string) {
    const at = url.indexOf('?');
    this.parameters = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  }

  get(name: string): string | undefined {
    return this.parameters.getAll(name).at(-1);
  }

  all(name: string): string[] {
    return this.parameters.getAll(name);
  }

  /** The named parameters that were given. */
  pick<Name extends string>(...names: readonly Name[]): { readonly [Key in Name]?: string } {
    const found: { [Key in Name]?: string } = {};
    for (const name of names) {
      const value = this.get(name);
      if (value !== undefined) found[name] = value;
    }
    return found;
  }
}
