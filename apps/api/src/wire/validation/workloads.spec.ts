import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '#domain';
import { decodeObject } from '../decode/decode-strict.js';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange } from './validate.js';

const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'busybox:1.35' }] } };

/** A workload as the API sees it when it validates: decoded and defaulted. */
const workload = (kind: string, spec: JsonObject = {}): JsonObject =>
  defaulted(
    decodeObject(
      { group: 'apps', version: 'v1', kind },
      { metadata: { name: 'w', namespace: 'd' }, spec: { selector: { matchLabels: labels }, template, ...spec } },
    ).object,
  );
const texts = (object: JsonObject): string[] => faultsOf(object).map(({ field, message }) => `${field}: ${message}`);

describe('deployments', () => {
  it('get the defaults of Kubernetes', () => {
    expect(workload('Deployment')).toMatchObject({
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: { spec: { restartPolicy: 'Always' } },
      },
    });
    expect(workload('Deployment', { strategy: { type: 'Recreate' } })['spec']).toMatchObject({
      strategy: { type: 'Recreate' },
    });
    expect(texts(workload('Deployment'))).toEqual([]);
    expect(texts(workload('Deployment', { strategy: { type: 'Recreate' } }))).toEqual([]);
  });

  it.each<[JsonObject, string]>([
    [{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    [
      { selector: { matchLabels: { app: 'db' } } },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [{ selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    [
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      { strategy: { type: 'Canary' } },
      'spec.strategy.type: Unsupported value: "Canary": supported values: "Recreate", "RollingUpdate"',
    ],
    [
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      { strategy: { rollingUpdate: { maxSurge: 'few' } } },
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"few\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
    [
      { minReadySeconds: 600 },
      'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
    ],
    [
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
  ])('are refused with %j', (spec, text) => {
    expect(texts(workload('Deployment', spec))).toEqual([text]);
  });

  it('keep their selector', () => {
    const other = { app: 'db' };
    const after = workload('Deployment', {
      selector: { matchLabels: other },
      template: { ...template, metadata: { labels: other } },
    });
    expect(faultsOfChange(workload('Deployment'), after).map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"db"}}: field is immutable',
    ]);
  });
});

describe('daemon sets', () => {
  it('get the defaults of Kubernetes', () => {
    const set = workload('DaemonSet');
    expect(set).toMatchObject({
      spec: {
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      },
    });
    expect(texts(set)).toEqual([]);
    expect(texts(workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } }))).toEqual([]);
    const surging = { rollingUpdate: { maxSurge: '10%', maxUnavailable: 0 } };
    expect(texts(workload('DaemonSet', { updateStrategy: surging }))).toEqual([]);
  });

  it.each<[JsonObject, string]>([
    [
      { rollingUpdate: { maxSurge: 1 } },
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
    [
      { rollingUpdate: { maxUnavailable: 0 } },
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ],
    [
      { type: 'Recreate' },
      'spec.updateStrategy.type: Unsupported value: "Recreate": supported values: "OnDelete", "RollingUpdate"',
    ],
  ])('are refused with %j', (updateStrategy, text) => {
    expect(texts(workload('DaemonSet', { updateStrategy }))).toEqual([text]);
  });
});

describe('templates kept for a rollback', () => {
  const revision = (data: JsonObject | undefined, number = 1): JsonObject => ({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'r', namespace: 'd' },
    ...(data && { data }),
    revision: number,
  });

  it('hold something, and what they hold stays', () => {
    expect(texts(revision({ a: 1 }))).toEqual([]);
    expect(faultsOf(revision(undefined, -1)).map(({ field }) => field)).toEqual(['revision', 'data']);
    expect(faultsOfChange(revision({ a: 1 }), revision({ a: 1 }, 2))).toEqual([]);
    expect(faultsOfChange(revision({ a: 1 }), revision({ a: 2 })).map(({ field }) => field)).toEqual(['data']);
  });
});
