/**
 * Which containers of a pod wait for which others, as JSON: `{"app": {"db": "Healthy", "migrate": "Succeeded"}}`. They are
 * started along these edges and stopped against them.
 */
export const DEPENDS_ON_ANNOTATION = 'podledger.dev/depends-on';

export const DEPENDENCY_CONDITIONS = ['Started', 'Healthy', 'Completed', 'Succeeded'] as const;

/**
 * What must be true of a container before one that depends on it is started. Started: it runs or has run, and its startup
 * probe has succeeded; Healthy: it runs and is ready; Completed: it has ended; Succeeded: it has ended with exit code 0.
 */
export type DependencyCondition = (typeof DEPENDENCY_CONDITIONS)[number];

/** By the name of the container that waits, then by the name of the one it waits for. */
export type Dependencies = Readonly<Record<string, Readonly<Record<string, DependencyCondition>>>>;

const NONE: Dependencies = {};

/** The dependencies of a pod with these annotations. A value that is none, which validation refuses, says nothing. */
export function dependenciesOf(annotations: Readonly<Record<string, string>>): Dependencies {
  const text = annotations[DEPENDS_ON_ANNOTATION];
  if (text === undefined) return NONE;
  const parsed = parse(text);
  return typeof parsed === 'string' ? NONE : parsed;
}

/** As much of a container as is read here: wire form and domain form alike. */
interface Named {
  readonly name: string;
  readonly restartPolicy?: string;
}

/** What is wrong with the value of {@link DEPENDS_ON_ANNOTATION} for a pod with these containers. */
export function dependencyProblems(
  text: string,
  {
    containers,
    initContainers = [],
  }: { readonly containers: readonly Named[]; readonly initContainers?: readonly Named[] },
): string[] {
  const parsed = parse(text);
  if (typeof parsed === 'string') return [parsed];
  const apps = new Set(containers.map(({ name }) => name));
  const sidecars = new Set(
    initContainers.flatMap(({ name, restartPolicy }) => (restartPolicy === 'Always' ? [name] : [])),
  );
  const known = new Set([...containers, ...initContainers].map(({ name }) => name));
  const problems: string[] = [];
  for (const [name, edges] of Object.entries(parsed)) {
    if (!known.has(name)) problems.push(`the pod has no container "${name}"`);
    else if (!apps.has(name)) problems.push(`"${name}" is an init container: those are begun in their own order`);
    for (const [target, condition] of Object.entries(edges)) {
      if (target === name) problems.push(`"${name}" cannot wait for itself`);
      else if (!known.has(target)) problems.push(`the pod has no container "${target}"`);
      else if (sidecars.has(target)) {
        if (condition === 'Completed' || condition === 'Succeeded')
          problems.push(`"${target}" is a sidecar and is never ${condition}`);
      } else if (!apps.has(target))
        problems.push(`"${target}" has ended before any container of spec.containers begins`);
    }
  }
  if (problems.length > 0) return problems;
  const cycle = findCycle(parsed);
  return cycle ? [`containers wait for each other in a circle: ${cycle.join(' -> ')}`] : [];
}

/** The dependencies, or what is wrong with their form. */
function parse(text: string): Dependencies | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'must be JSON, such as {"app": {"db": "Healthy"}}';
  }
  if (!isRecord(value)) return 'must be an object of container names, such as {"app": {"db": "Healthy"}}';
  const read: [string, Dependencies[string]][] = [];
  for (const [name, edges] of Object.entries(value)) {
    if (!isRecord(edges)) return `"${name}" must be an object, such as {"db": "Healthy"}`;
    const conditions: [string, DependencyCondition][] = [];
    for (const [target, condition] of Object.entries(edges)) {
      const found = DEPENDENCY_CONDITIONS.find((one) => one === condition);
      if (!found) return `"${name}" waits for "${target}" to be one of ${DEPENDENCY_CONDITIONS.join(', ')}`;
      conditions.push([target, found]);
    }
    read.push([name, Object.fromEntries(conditions)]);
  }
  return Object.fromEntries(read);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A circle among the edges, from one container back to it. */
function findCycle(dependencies: Dependencies): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(name);
    if (at >= 0) return [...path.slice(at), name];
    if (done.has(name)) return undefined;
    for (const target of Object.keys(dependencies[name] ?? {})) {
      const cycle = visit(target, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(dependencies)) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The containers that wait for one of this name, directly or through others. */
export function dependentsOf(dependencies: Dependencies, name: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (target: string): void => {
    for (const [dependent, edges] of Object.entries(dependencies)) {
      if (!Object.hasOwn(edges, target) || found.has(dependent)) continue;
      found.add(dependent);
      visit(dependent);
    }
  };
  visit(name);
  return found;
}
