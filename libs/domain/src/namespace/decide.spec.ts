import {
  decideNamespace,
  DomainError,
  evolveNamespace,
  type NamespaceCommand,
  type NamespaceEvent,
  type NamespaceState,
  namespaceStream,
  refuseInNamespace,
} from '#domain';
import { aMeta } from '../../../../test/support/builders.js';
import { given } from '../../../../test/support/given.js';

const namespace = given<NamespaceCommand, NamespaceEvent, NamespaceState>({
  stream: namespaceStream('shop'),
  decide: decideNamespace,
  evolve: evolveNamespace,
});
const created = namespace().when({ type: 'RequestNamespace', name: 'shop', meta: aMeta() });
const remove: NamespaceCommand = { type: 'DeleteNamespace', preconditions: {} };
const removed = namespace(...created).when(remove);
const types = (events: readonly NamespaceEvent[]): string[] => events.map(({ type }) => type);

describe('a namespace', () => {
  it('is labelled with its name', () => {
    expect(namespace(...created).state().meta.labels).toEqual({ 'kubernetes.io/metadata.name': 'shop' });
  });

  it('is terminating until it was found empty', () => {
    expect(types(removed)).toEqual(['NamespaceDeletionRequested']);
    expect(types(namespace(...created, ...removed).when({ type: 'FinalizeNamespace', uid: 'uid-1' }))).toEqual([
      'NamespaceEmptied',
      'NamespaceDeleted',
    ]);
  });

  it('is not emptied while nobody asked for its deletion', () => {
    expect(namespace(...created).when({ type: 'FinalizeNamespace', uid: 'uid-1' })).toEqual([]);
  });

  it('takes nothing new while terminating, nor when it is not there', () => {
    expect(() => refuseInNamespace(undefined, 'shop')).toThrow('namespaces "shop" not found');
    expect(() => refuseInNamespace(namespace(...created, ...removed).state(), 'shop')).toThrow(DomainError);
    expect(() => refuseInNamespace(namespace(...created).state(), 'shop')).not.toThrow();
  });

  it('default is never deleted', () => {
    const inDefault = given<NamespaceCommand, NamespaceEvent, NamespaceState>({
      stream: namespaceStream('default'),
      decide: decideNamespace,
      evolve: evolveNamespace,
    });
    const made = inDefault().when({ type: 'RequestNamespace', name: 'default', meta: aMeta() });
    expect(() => inDefault(...made).when(remove)).toThrow('this namespace may not be deleted');
  });
});
