import { computePodActions, type AssignedPod, type PodAction, type PodPlan } from '#domain';
import { ModelEngine } from './model-engine.js';

const MINUTE = 60_000;

/** One action in a word: `Stop app 30`, `CreateContainer helper#1`. */
export function inWords(action: PodAction, engine: ModelEngine): string {
  const nameOf = (id: string): string => engine.containers.find((one) => one.id === id)?.name || 'sandbox';
  switch (action.type) {
    case 'InspectImage':
    case 'PullImage':
      return `${action.type} ${action.image}`;
    case 'CreateSandbox':
      return `CreateSandbox #${action.attempt}`;
    case 'CreateContainer':
      return `CreateContainer ${action.container}#${action.attempt}`;
    case 'StartContainer':
      return `StartContainer ${action.container}`;
    case 'RunHook':
      return `${action.hook} ${action.container}${action.timeoutSeconds === undefined ? '' : ` ${action.timeoutSeconds}`}`;
    case 'Stop':
      return `Stop ${nameOf(action.containerId)} ${action.graceSeconds}`;
    case 'Remove': {
      const found = engine.containers.find(({ id }) => id === action.containerId);
      return `Remove ${nameOf(action.containerId)}#${found?.attempt}`;
    }
    default:
      return action.type;
  }
}

/** Looks once and does nothing. */
export const look = (engine: ModelEngine, pod: AssignedPod): PodPlan => computePodActions(engine.input(pod));

/** Looks and acts once; answers what was done, in words. */
export function act(engine: ModelEngine, pod: AssignedPod): string[] {
  const plan = look(engine, pod);
  const words = plan.actions.map((action) => inWords(action, engine));
  engine.carryOut(pod, plan);
  return words;
}

/** Acts until nothing is left to do at this time; answers what was done. */
export function actAll(engine: ModelEngine, pod: AssignedPod): string[] {
  const done: string[] = [];
  for (;;) {
    const words = act(engine, pod);
    if (words.length === 0) return done;
    done.push(...words);
  }
}

/** An engine on which a pod has been running for a while. */
export function running(pod: AssignedPod, forMs = MINUTE): ModelEngine {
  const engine = new ModelEngine();
  actAll(engine, pod);
  engine.now += forMs;
  return engine;
}
