import {
  decidePlain,
  ERASED_ANNOTATION,
  evolvePlain,
  type PlainState,
  revealedSecret,
  type SealedSecret,
  secretStream,
  wireOf,
} from '#domain';
import { aMeta } from '../../../../test/support/builders.js';
import { recorded } from '../../../../test/support/given.js';

const body: SealedSecret = { type: 'Opaque', immutable: true, keys: ['password', 'user'], sealed: 'Y2lwaGVy' };

function secret(): PlainState<'Secret'> {
  const command = { type: 'RequestPlainObject', kind: 'Secret', name: 'db', meta: aMeta(), body } as const;
  const [event] = recorded(secretStream('shop', 'db'), decidePlain(command, undefined));
  const state = event && evolvePlain('Secret', undefined, event);
  if (!state) throw new Error('no secret');
  return state;
}

describe('a secret', () => {
  it('shows no more than the names of its keys until it is revealed', () => {
    const wire = wireOf(secret());
    expect(wire['data']).toEqual({ password: '', user: '' });
    expect(wire).toMatchObject({ kind: 'Secret', type: 'Opaque', immutable: true });
    expect(JSON.stringify(wire)).not.toContain(body.sealed);
  });

  it('shows what it holds when it is revealed, annotations included', () => {
    const text = { annotations: { note: 'x' }, data: { password: 'aHVudGVyMg==' } };
    const wire = wireOf(revealedSecret(secret(), text));
    expect(wire).toMatchObject({ metadata: { annotations: { note: 'x' } }, data: { password: 'aHVudGVyMg==' } });
    expect(wire).not.toHaveProperty('sealed');
    expect(wire).not.toHaveProperty('keys');
  });

  it('says that it was erased when its key is gone', () => {
    const wire = wireOf(revealedSecret(secret(), undefined));
    expect(wire).toMatchObject({ metadata: { annotations: { [ERASED_ANNOTATION]: 'true' } } });
    expect(wire['data']).toEqual({ password: '', user: '' });
  });

  it('that was revealed is not revealed again', () => {
    const shown = revealedSecret(secret(), { annotations: {}, data: { a: 'Yg==' } });
    expect(revealedSecret(shown, undefined)).toBe(shown);
  });
});
