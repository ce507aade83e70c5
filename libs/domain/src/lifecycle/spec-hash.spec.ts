import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod } from '../../../../test/support/model-engine.js';
import { canonicalJson, containerHash, readSpecHash, sandboxHash, specHashOf } from './spec-hash.js';

describe('the word that says what a container was made from', () => {
  const app = aContainer('app', { env: [{ name: 'A', value: '1' }] });
  const hashOf = (container = app, more: Parameters<typeof anAssignedPod>[0] = {}): string =>
    containerHash(anAssignedPod({ containers: [container], ...more }), container);

  it('changes with what its creation reads', () => {
    const changes = [
      { image: 'b:1' },
      { args: ['x'] },
      { env: [] },
      { workingDir: '/' },
      { resources: { limits: { cpu: 1 } } },
    ];
    const hashes = changes.map((change) => hashOf({ ...app, ...change }));
    expect(new Set([hashOf(), ...hashes]).size).toBe(changes.length + 1);
  });

  it('does not change with the order of keys, the pull policy, labels or annotations', () => {
    const { name, ...rest } = app;
    expect(hashOf({ ...rest, name, imagePullPolicy: 'Never' }, { labels: { a: 'b' }, annotations: { c: 'd' } })).toBe(
      hashOf(),
    );
  });

  it('tells sandboxes apart by their published ports', () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    const withPort = anAssignedPod({ containers: [aContainer('app', { ports })] });
    expect(sandboxHash(withPort)).not.toBe(sandboxHash(anAssignedPod({ containers: [app] })));
  });

  it('gives back its generation, and -1 for a word of somebody else', () => {
    expect(readSpecHash(specHashOf('00ff', 12))).toEqual({ hash: '00ff', generation: 12 });
    expect(readSpecHash('whatever')).toEqual({ hash: 'whatever', generation: -1 });
  });

  it('writes JSON in one way only', () => {
    expect(canonicalJson({ b: [1, null, 'x'], a: { d: undefined, c: true } })).toBe(
      '{"a":{"c":true},"b":[1,null,"x"]}',
    );
  });
});
