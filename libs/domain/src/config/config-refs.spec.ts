import fc from 'fast-check';
import { configRefsOf, type Json, type JsonObject } from '#domain';

const app = (more: JsonObject): JsonObject => ({ name: 'app', image: 'x:1', ...more });

describe('configRefsOf', () => {
  it('finds every place where a pod names configuration', () => {
    const spec = {
      initContainers: [app({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'init', key: 'a' } } }] })],
      containers: [
        app({
          env: [
            { name: 'A', value: 'literal' },
            { name: 'B', valueFrom: { secretKeyRef: { name: 'token', key: 'a' } } },
          ],
          envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'X_', secretRef: { name: 'env' } }],
        }),
      ],
      ephemeralContainers: [app({ envFrom: [{ configMapRef: { name: 'debug' } }] })],
      volumes: [
        { name: 'a', configMap: { name: 'files' } },
        { name: 'b', secret: { secretName: 'keys' } },
        { name: 'c', emptyDir: {} },
        { name: 'd', projected: { sources: [{ configMap: { name: 'part' } }, { secret: { name: 'half' } }] } },
      ],
      imagePullSecrets: [{ name: 'registry' }],
    };
    const { configMaps, secrets } = configRefsOf(spec);
    expect(configMaps.map(({ name }) => name)).toEqual(['debug', 'files', 'init', 'part', 'settings']);
    expect(secrets.map(({ name }) => name)).toEqual(['env', 'half', 'keys', 'registry', 'token']);
  });

  it('calls optional only what every use may do without', () => {
    const spec = {
      containers: [app({ envFrom: [{ configMapRef: { name: 'both', optional: true } }] })],
      volumes: [
        { name: 'a', configMap: { name: 'both' } },
        { name: 'b', secret: { secretName: 'spare', optional: true } },
      ],
      imagePullSecrets: [{ name: 'pull' }],
    };
    expect(configRefsOf(spec)).toEqual({
      configMaps: [{ name: 'both', optional: false }],
      secrets: [
        { name: 'pull', optional: true },
        { name: 'spare', optional: true },
      ],
    });
  });

  it('is defined of any JSON', () => {
    const key = fc.constantFrom('containers', 'volumes', 'env', 'valueFrom', 'configMapKeyRef', 'name', 'projected');
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<Json>(null, 'x', '', 1, true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree), (spec) => {
        const { configMaps, secrets } = configRefsOf(spec);
        for (const { name } of [...configMaps, ...secrets]) expect(name).not.toBe('');
      }),
    );
  });
});
