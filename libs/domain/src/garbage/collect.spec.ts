import { describe, expect, it } from '@jest/globals';
import { aPod, aReplicaSet, metaOf } from '../../../../test/support/scheduling-builders.js';
import type { StoredObject } from '../cluster/stored-object.js';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../meta/metadata.js';
import type { ObjectMeta, OwnerReference } from '../meta/object-meta.js';
import { collectGarbage, type Ownership } from './collect.js';

class Objects implements Ownership {
  constructor(private readonly objects: readonly StoredObject[]) {}
  objectByUid(uid: string): StoredObject | undefined {
    return this.objects.find(({ meta }) => meta.uid === uid);
  }
  dependentsOf(ownerUid: string): StoredObject[] {
    return this.objects.filter(({ meta }) => meta.ownerReferences.some(({ uid }) => uid === ownerUid));
  }
}

const deletion = { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 0 } as const;
const goingWith = (...finalizers: string[]): Partial<ObjectMeta> => ({ deletion, finalizers });
const set = (name: string, meta: Partial<ObjectMeta> = {}) => aReplicaSet(name, { meta });
const ownedBy = (owner: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: owner,
  uid: `uid-${owner}`,
  blockOwnerDeletion: true,
  ...more,
});
const pod = (name: string, owners: readonly OwnerReference[], meta: Partial<ObjectMeta> = {}) =>
  aPod(name, { meta: { ownerReferences: owners, ...meta } });
const steps = (subject: StoredObject, ...others: StoredObject[]) =>
  collectGarbage(subject, new Objects([subject, ...others])).map((step) =>
    step.type === 'Delete'
      ? `delete ${step.object.meta.name} ${step.propagation}`
      : step.type === 'DropOwners'
        ? `${step.object.meta.name} drops ${step.ownerUids.join(',')}`
        : `finish ${step.object.meta.name}`,
  );

describe('collectGarbage, of a dependent', () => {
  it.each<[string, StoredObject, StoredObject[], string[]]>([
    ['stays without owners', pod('p', []), [], []],
    ['stays with its owner', pod('p', [ownedBy('a')]), [set('a')], []],
    ['goes when its owner is gone', pod('p', [ownedBy('a')]), [], ['delete p Background']],
    [
      'goes when its owner is another object of the same name',
      pod('p', [ownedBy('a', { uid: 'old' })]),
      [set('a')],
      ['delete p Background'],
    ],
    [
      'goes when its owner has another name',
      pod('p', [ownedBy('b', { uid: 'uid-a' })]),
      [set('a')],
      ['delete p Background'],
    ],
    [
      'goes when its owner is of another kind',
      pod('p', [ownedBy('a', { apiVersion: 'v1', kind: 'Pod' })]),
      [set('a')],
      ['delete p Background'],
    ],
    [
      'goes when its owner is in another namespace',
      pod('p', [ownedBy('a')]),
      [set('a', { namespace: 'other' })],
      ['delete p Background'],
    ],
    ['stays with an owner of a kind nobody knows here', pod('p', [ownedBy('a', { kind: 'Widget' })]), [], []],
    [
      'stays while its owner goes in the background behind a foreign finalizer',
      pod('p', [ownedBy('a')]),
      [set('a', goingWith('example.com/x'))],
      [],
    ],
    [
      'goes before an owner that waits for it',
      pod('p', [ownedBy('a')]),
      [set('a', goingWith(FOREGROUND_FINALIZER))],
      ['delete p Background'],
    ],
    [
      'goes in the foreground when it has dependents of its own',
      set('a', { ownerReferences: [ownedBy('root')] }),
      [set('root', goingWith(FOREGROUND_FINALIZER)), pod('p', [ownedBy('a')])],
      ['delete a Foreground'],
    ],
    [
      'goes as its own finalizer says',
      pod('p', [ownedBy('a')], { finalizers: [ORPHAN_FINALIZER] }),
      [],
      ['delete p Orphan'],
    ],
    ['is not told twice', pod('p', [ownedBy('a')], { deletion }), [], []],
    [
      'of two owners, one gone, stays and drops the one',
      pod('p', [ownedBy('a'), ownedBy('b')]),
      [set('b')],
      ['p drops uid-a'],
    ],
    [
      'of two owners, one waiting for it, stays and drops the one',
      pod('p', [ownedBy('a'), ownedBy('b')]),
      [set('a', goingWith(FOREGROUND_FINALIZER)), set('b')],
      ['p drops uid-a'],
    ],
    ['goes when both owners are gone', pod('p', [ownedBy('a'), ownedBy('b')]), [], ['delete p Background']],
  ])('%s', (_, subject, others, expected) => {
    expect(steps(subject, ...others)).toEqual(expected);
  });
});

describe('collectGarbage, of an owner that is being deleted', () => {
  const waiting = set('a', goingWith(FOREGROUND_FINALIZER));

  it('waits in the foreground for dependents that block it', () => {
    expect(steps(waiting, pod('p', [ownedBy('a')], { deletion }))).toEqual([]);
  });

  it('finishes when they are gone', () => {
    expect(steps(waiting)).toEqual(['finish a']);
  });

  it('does not wait for a dependent that does not block', () => {
    expect(steps(waiting, pod('p', [ownedBy('a', { blockOwnerDeletion: false })]))).toEqual(['finish a']);
  });

  it('does not wait in a circle', () => {
    const circle = (name: string, owner: string) =>
      set(name, { ...goingWith(FOREGROUND_FINALIZER), ownerReferences: [ownedBy(owner)] });
    const [a, b, c] = [circle('a', 'c'), circle('b', 'a'), circle('c', 'b')];
    expect(steps(a, b, c)).toEqual(['finish a']);
  });

  it('lets its dependents go when they are to be orphans, and then finishes', () => {
    const orphaning = set('a', goingWith(ORPHAN_FINALIZER));
    expect(steps(orphaning, pod('p', [ownedBy('a')]), pod('q', [ownedBy('a')]))).toEqual([
      'p drops uid-a',
      'q drops uid-a',
    ]);
    expect(steps(orphaning)).toEqual(['finish a']);
  });

  it('has nothing to do in the background', () => {
    expect(steps(set('a', goingWith('example.com/x')), pod('p', [ownedBy('a')]))).toEqual([]);
  });

  it('has nothing to do while it is not being deleted', () => {
    expect(steps(set('a', { finalizers: [FOREGROUND_FINALIZER] }))).toEqual([]);
  });

  it('judges namespaces and nodes as owners like any other', () => {
    const owner: StoredObject = { kind: 'Namespace', meta: metaOf('n', { namespace: '' }), specFinalizers: [] };
    const dependent = pod('p', [ownedBy('n', { apiVersion: 'v1', kind: 'Namespace' })]);
    expect(steps(dependent, owner)).toEqual([]);
    expect(steps(dependent)).toEqual(['delete p Background']);
  });
});
