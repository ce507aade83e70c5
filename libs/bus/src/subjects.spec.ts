import fc from 'fast-check';
import {
  assignSubject,
  eventSubject,
  isNodeName,
  joinInboxPrefix,
  kindOf,
  mayReplyTo,
  nodeInboxPrefix,
  nodeOfSubject,
  nodeRequestSubject,
  nodeToken,
  nodeOfToken,
  streamSubject,
  subjectMatches,
} from './subjects.js';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
const nodeName = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));

describe('subjects', () => {
  it('hold a node name as one token and give it back', () => {
    fc.assert(
      fc.property(nodeName, (node) => {
        expect(nodeToken(node)).toMatch(/^[a-z0-9_-]+$/);
        expect(nodeOfToken(nodeToken(node))).toBe(node);
        expect(nodeOfSubject(nodeRequestSubject(node, 'facts'))).toBe(node);
        expect(nodeOfSubject(streamSubject(node, 'x1'))).toBe(node);
      }),
    );
  });

  it('are different for different nodes', () => {
    fc.assert(
      fc.property(nodeName, nodeName, (one, other) => {
        expect(assignSubject(one) === assignSubject(other)).toBe(one === other);
      }),
    );
  });

  it('take nothing that is not a node name', () => {
    for (const name of [
      '',
      '*',
      '>',
      'a.*',
      'a.>',
      'A',
      'a_b',
      'a b',
      '.a',
      'a.',
      '-a',
      'a-',
      'a..b',
      'é',
      'a'.repeat(254),
    ]) {
      expect(isNodeName(name)).toBe(false);
      expect(() => assignSubject(name)).toThrow('not a node name');
    }
  });

  it.each([
    ['core/pods/shop/web', 'PodRequested', 'events.pod.PodRequested'],
    ['apps/replicasets/shop/web', 'ScaleRequested', 'events.replicaset.ScaleRequested'],
    ['core/nodes//n1', 'NodeJoined', 'events.node.NodeJoined'],
    ['podledger/cluster//cluster', 'NodesFellSilent', 'events.cluster.NodesFellSilent'],
  ])('name the kind of %s and the type %s', (stream, type, subject) => {
    expect(eventSubject({ stream, type })).toBe(subject);
  });

  it.each([
    ['ingresses', 'ingress'],
    ['networkpolicies', 'networkpolicy'],
    ['leases', 'lease'],
    ['endpoints', 'endpoints'],
    ['storageclasses', 'storageclass'],
    ['services', 'service'],
  ])('make %s singular', (plural, kind) => {
    expect(kindOf(plural)).toBe(kind);
  });

  it.each([
    ['a.b', 'a.b', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.*', 'a', false],
    ['*.b', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['a', 'a.b', false],
    ['a.b', 'a', false],
  ])('match: %s and %s', (pattern, subject, matches) => {
    expect(subjectMatches(pattern, subject)).toBe(matches);
  });

  it.each([
    ['nodes.a.facts', `${nodeInboxPrefix('a')}.1`, true],
    ['nodes.a.facts', `${nodeInboxPrefix('a.b')}.1`, false],
    ['nodes.a.facts', '_INBOX.1', false],
    ['nodes.a.facts', 'events.pod.PodRequested', false],
    ['streams.a.1', `${nodeInboxPrefix('b')}.1`, false],
    ['join', `${joinInboxPrefix}.1`, true],
    ['join', 'nodes.a.assign', false],
    ['nodes.a.logs', '_INBOX.1', true],
    ['nodes.a.logs', 'nodes.b.assign', false],
  ])('a request on %s may be answered on %s: %s', (subject, reply, allowed) => {
    expect(mayReplyTo(subject, reply)).toBe(allowed);
  });
});
