/** The same object with some of its methods replaced. */
export function wrap<T extends object>(inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, {
    get: (target, key) => {
      const own: unknown = Reflect.get(replaced, key) ?? Reflect.get(target, key);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
