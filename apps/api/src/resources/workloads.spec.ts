import { describe, expect, it } from '@jest/globals';
import { ClusterState, type JsonObject, type NewEvent, type Recorded, type StoredObject } from '#domain';
import { aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { recorded } from '../../../../test/support/given.js';
import { daemonsets } from './daemonsets.js';
import { deployments } from './deployments.js';
import type { ChangeOf, ResourceDefinition } from './resource.js';

const labels = { app: 'web' };
const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: aPodSpec() } };
const NOW = Date.parse('2026-01-01T01:00:00Z');

/** An object of a definition, as the events of its creation make it. */
function create(definition: ResourceDefinition, more: JsonObject = {}): StoredObject {
  const object = { metadata: { name: 'web' }, spec: { ...spec, ...more } };
  const request = { namespace: 'shop', name: 'web', meta: aMeta({ labels }), object };
  return after(definition, undefined, definition.create(request, ClusterState.empty()));
}

function after(
  definition: ResourceDefinition,
  before: StoredObject | undefined,
  events: readonly NewEvent<string, unknown>[],
): StoredObject {
  const revision = (before?.meta.resourceVersion ?? 0) + 1;
  const object = recorded(definition.streamOf('shop', 'web'), events, { revision }).reduce<StoredObject | undefined>(
    (state, event) => definition.evolve(state, event as Recorded),
    before,
  );
  if (!object) throw new Error('the object is gone');
  return object;
}

const subresource = (definition: ResourceDefinition, name: string) => {
  const found = definition.subresources.find((one) => one.name === name);
  if (!found?.view || !found.change) throw new Error(`no ${name}`);
  return { view: found.view, change: found.change };
};
const edit = (before: JsonObject, changed: JsonObject): ChangeOf => ({
  before,
  after: changed,
  preconditions: {},
  fieldManager: 'kubectl',
  operation: 'Update',
  managedFields: [],
});
const row = (definition: ResourceDefinition, object: StoredObject) =>
  Object.fromEntries(definition.columns.map(({ name, cell }) => [name, cell(definition.wire(object), NOW)]));

describe('a workload that has replicas', () => {
  const deployment = create(deployments, { replicas: 3 });

  it('is scaled through its subresource, which shows what is selected', () => {
    const { view, change } = subresource(deployments, 'scale');
    const before = view(deployment);
    expect(before).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 3 },
      status: { replicas: 0, selector: 'app=web' },
    });
    const events = change(edit(before, { ...before, spec: { replicas: 5 } }), deployment, ClusterState.empty());
    expect(events).toMatchObject([{ type: 'ScaleRequested', data: { replicas: 5, previous: 3 } }]);
    expect(view(after(deployments, deployment, events))).toMatchObject({ spec: { replicas: 5 } });
  });

  it('takes a status and labels through its subresource, and never a spec', () => {
    const { view, change } = subresource(deployments, 'status');
    const before = view(deployment);
    const wished = {
      ...before,
      metadata: { name: 'web', labels: { ...labels, told: 'yes' } },
      spec: { ...spec, replicas: 9 },
      status: { readyReplicas: 2, conditions: [{ type: 'Mine', status: 'True' }] },
    };
    const told = after(deployments, deployment, change(edit(before, wished), deployment, ClusterState.empty()));
    expect(deployments.wire(told)).toMatchObject({
      metadata: { generation: 1, labels: { told: 'yes' } },
      spec: { replicas: 3 },
      status: { readyReplicas: 2, conditions: [{ type: 'Mine', status: 'True' }] },
    });
  });

  it('shows how many of its pods are ready of how many', () => {
    expect(row(deployments, deployment)).toMatchObject({
      Name: 'web',
      Ready: '0/3',
      'Up-to-date': 0,
      Available: 0,
      Containers: 'app',
      Selector: 'app=web',
    });
  });
});

describe('a workload without replicas', () => {
  it('is not scaled', () => {
    expect(daemonsets.subresources.map(({ name }) => name)).toEqual(['status']);
    const picky = { ...spec.template, spec: { ...spec.template.spec, nodeSelector: { disk: 'ssd' } } };
    expect(row(daemonsets, create(daemonsets, { template: picky }))).toMatchObject({
      Desired: 0,
      'Node Selector': 'disk=ssd',
    });
  });
});
