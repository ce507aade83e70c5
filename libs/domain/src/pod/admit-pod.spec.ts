import {
  admitPod,
  decidePlain,
  evolvePlain,
  type JsonObject,
  type Kind,
  type PlainKind,
  priorityClassStream,
  serviceAccountStream,
  type StoredObject,
} from '#domain';
import { aMeta } from '../../../../test/support/builders.js';
import { recorded } from '../../../../test/support/given.js';

class View {
  private readonly objects = new Map<string, StoredObject>();

  with(kind: PlainKind, stream: string, name: string, body: JsonObject): this {
    const command = { type: 'RequestPlainObject', kind, name, meta: aMeta({ uid: name }), body } as const;
    const [event] = recorded(stream, decidePlain(command, undefined));
    const object = event && evolvePlain(kind, undefined, event);
    if (object) this.objects.set(stream, object);
    return this;
  }
  priority(name: string, body: JsonObject): this {
    return this.with('PriorityClass', priorityClassStream(name), name, body);
  }
  account(name: string, body: JsonObject): this {
    return this.with('ServiceAccount', serviceAccountStream('shop', name), name, body);
  }
  get(stream: string): StoredObject | undefined {
    return this.objects.get(stream);
  }
  list(kind: Kind): StoredObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind);
  }
}

const admit = (spec: JsonObject, view: View): JsonObject => admitPod(spec, { namespace: 'shop', name: 'web' }, view);

describe('a new pod', () => {
  it('has priority 0 where there is no class', () => {
    expect(admit({}, new View())).toEqual({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  });

  it('has the priority of its class', () => {
    const view = new View().priority('high', { value: 1000, preemptionPolicy: 'Never' });
    expect(admit({ priorityClassName: 'high' }, view)).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' });
  });

  it('that names no class has the default one, of several the lowest', () => {
    const view = new View()
      .priority('b', { value: 20, globalDefault: true })
      .priority('a', { value: 30, globalDefault: true })
      .priority('c', { value: 10 });
    expect(admit({}, view)).toMatchObject({ priorityClassName: 'b', priority: 20 });
  });

  it.each<[string, JsonObject, string]>([
    ['a class that is not there', { priorityClassName: 'none' }, 'no PriorityClass with name none was found'],
    [
      'a priority of its own',
      { priorityClassName: 'high', priority: 7 },
      'priority admission controller computed 1000',
    ],
    ['a policy of its own', { priorityClassName: 'high', preemptionPolicy: 'Never' }, 'computed PreemptLowerPriority'],
    [
      'an account that is not there',
      { serviceAccountName: 'robot' },
      'error looking up service account shop/robot: serviceaccounts "robot" not found',
    ],
  ])('is forbidden with %s', (_, spec, message) => {
    const view = new View().priority('high', { value: 1000 });
    expect(() => admit(spec, view)).toThrow(`pods "web" is forbidden:`);
    expect(() => admit(spec, view)).toThrow(message);
  });

  it('may repeat what its class gives', () => {
    const view = new View().priority('high', { value: 1000 });
    const spec = { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'PreemptLowerPriority' };
    expect(admit(spec, view)).toEqual(spec);
  });

  it('gets the pull secrets of its account when it names none', () => {
    const view = new View().account('default', { imagePullSecrets: [{ name: 'registry' }] });
    expect(admit({}, view)['imagePullSecrets']).toEqual([{ name: 'registry' }]);
    const own = [{ name: 'own' }];
    expect(admit({ imagePullSecrets: own }, view)['imagePullSecrets']).toEqual(own);
    expect(admit({ serviceAccountName: 'default' }, new View())).not.toHaveProperty('imagePullSecrets');
  });
});
