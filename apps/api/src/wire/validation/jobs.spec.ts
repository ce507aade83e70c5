import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '#domain';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange } from './validate.js';

const texts = (object: JsonObject): string[] =>
  faultsOf(defaulted(object)).map(({ field, message }) => `${field}: ${message}`);
const podSpec = { containers: [{ name: 'main', image: 'i' }], restartPolicy: 'Never' };
const template = { spec: podSpec };
const meta = { name: 'sum', namespace: 'd' };
const job = (spec: JsonObject = {}, metadata: JsonObject = meta): JsonObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata,
  spec: { template, ...spec },
});
const indexed = (spec: JsonObject = {}): JsonObject => job({ completionMode: 'Indexed', completions: 3, ...spec });

describe('a job', () => {
  it.each([
    [{}, { completions: 1, parallelism: 1, backoffLimit: 6, podReplacementPolicy: 'TerminatingOrFailed' }],
    [{ parallelism: 2 }, { parallelism: 2 }],
    [{ completions: 4 }, { completions: 4, parallelism: 1 }],
    [{ backoffLimitPerIndex: 1 }, { backoffLimit: 2_147_483_647 }],
    [
      { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'X' }] }] } },
      {
        podReplacementPolicy: 'Failed',
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'X', status: 'True' }] }] },
      },
    ],
  ])('of %j gets the rest', (given, spec) => expect(defaulted(job(given))).toMatchObject({ spec }));

  it('of many at a time has no number of completions unless it is given', () =>
    expect(defaulted(job({ parallelism: 2 }))['spec']).not.toHaveProperty('completions'));

  it('may be right', () => {
    const policies = {
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 2,
      podFailurePolicy: {
        rules: [
          { action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [1, 42] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
    };
    expect([texts(job()), texts(indexed(policies))]).toEqual([[], []]);
  });

  it.each<[string, JsonObject, string[]]>([
    [
      'fewer than no pods',
      job({ parallelism: -1 }),
      ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
    ['no template', { ...job(), spec: {} }, ['spec.template: Required value']],
    [
      'pods that run for ever',
      job({ template: { spec: { ...podSpec, restartPolicy: 'Always' } } }),
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'a selector of its own, unasked',
      job({ selector: { matchLabels: { a: 'b' } } }),
      ['spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` not auto-generated'],
    ],
    [
      'the label of another job',
      job({ template: { ...template, metadata: { labels: { 'job-name': 'other' } } } }),
      ['spec.template.metadata.labels[job-name]: Invalid value: "other": is generated, and must not be given'],
    ],
    [
      'a selector that does not select',
      job({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }),
      ['spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`'],
    ],
    ['a selector asked for and not given', job({ manualSelector: true }), ['spec.selector: Required value']],
    [
      'a mode that is none',
      job({ completionMode: 'Sorted' }),
      ['spec.completionMode: Unsupported value: "Sorted": supported values: "Indexed", "NonIndexed"'],
    ],
    [
      'indexes without a number of them',
      job({ completionMode: 'Indexed', parallelism: 1 }),
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'a limit per index without indexes',
      job({ backoffLimitPerIndex: 1 }),
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'more failed indexes than indexes',
      indexed({ backoffLimitPerIndex: 1, maxFailedIndexes: 4 }),
      ['spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions'],
    ],
    [
      'an index that there is not',
      indexed({ successPolicy: { rules: [{ succeededIndexes: '3' }] } }),
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3": error parsing succeededIndexes: too large index, must be less than 3',
      ],
    ],
    [
      'a rule of success that says nothing',
      indexed({ successPolicy: { rules: [{}] } }),
      [
        'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
      ],
    ],
    [
      'a name too long for the hosts of its indexes',
      job({ completionMode: 'Indexed', completions: 10_000 }, { ...meta, name: 'x'.repeat(60) }),
      [
        `metadata.name: Invalid value: "${'x'.repeat(60)}": will not able to create pod with invalid DNS label: ${'x'.repeat(60)}-9999`,
      ],
    ],
    [
      'another controller',
      job({ managedBy: 'example.com/queue' }),
      ['spec.managedBy: Forbidden: jobs that another controller manages: not supported yet by Podledger'],
    ],
  ])('cannot have %s', (_, object, faults) => expect(texts(object)).toEqual(faults));

  describe('with a policy for failures', () => {
    const withRule = (rule: JsonObject, spec: JsonObject = {}): JsonObject =>
      job({ podFailurePolicy: { rules: [rule] }, ...spec });
    const codes = (over: JsonObject): JsonObject => ({
      action: 'FailJob',
      onExitCodes: { operator: 'In', values: [1], ...over },
    });

    it.each<[string, JsonObject, string[]]>([
      [
        'an action',
        { onExitCodes: { operator: 'In', values: [1] } },
        ['.action: Required value: valid values: "Count", "FailIndex", "FailJob", "Ignore"'],
      ],
      [
        'a pattern',
        { action: 'Count' },
        [': Required value: specifying one of OnExitCodes and OnPodConditions is required'],
      ],
      [
        'one pattern only',
        { ...codes({}), onPodConditions: [{ type: 'X', status: 'True' }] },
        [': Forbidden: specifying both OnExitCodes and OnPodConditions is not supported'],
      ],
      [
        'indexes for FailIndex',
        { ...codes({}), action: 'FailIndex' },
        ['.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'],
      ],
      [
        'a container that there is',
        codes({ containerName: 'other' }),
        [
          '.onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template',
        ],
      ],
      ['codes', codes({ values: [] }), ['.onExitCodes.values: Invalid value: []: at least one value is required']],
      ['codes in order', codes({ values: [2, 1] }), ['.onExitCodes.values: Invalid value: [2,1]: must be ordered']],
      [
        'codes of failures',
        codes({ values: [0] }),
        ['.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator'],
      ],
    ])('needs %s', (_, rule, faults) =>
      expect(texts(withRule(rule))).toEqual(faults.map((fault) => `spec.podFailurePolicy.rules[0]${fault}`)),
    );

    it('needs pods that do not restart, and replaces them once they have failed', () => {
      const restarting = { template: { spec: { ...podSpec, restartPolicy: 'OnFailure' } } };
      expect(texts(withRule(codes({}), restarting))).toEqual([
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ]);
      expect(texts(withRule(codes({}), { podReplacementPolicy: 'TerminatingOrFailed' }))).toEqual([
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
      ]);
    });
  });

  describe('that is edited', () => {
    const selector = { matchLabels: { 'job-name': 'sum' } };
    const labelled = { metadata: { labels: selector.matchLabels }, spec: podSpec };
    const stored = (spec: JsonObject, status: JsonObject = {}): JsonObject => ({
      ...defaulted(job({ selector, template: labelled, ...spec })),
      status,
    });
    const edit = (before: JsonObject, spec: JsonObject): string[] => {
      const known = before['spec'] as JsonObject;
      return faultsOfChange(before, { ...before, spec: { ...known, ...spec } }).map(({ field }) => field);
    };
    const elsewhere = { template: { ...labelled, spec: { ...podSpec, nodeSelector: { disk: 'ssd' } } } };

    it('may change how many work at a time, its limits and its pause', () =>
      expect(edit(stored({}), { parallelism: 4, backoffLimit: 1, suspend: true, activeDeadlineSeconds: 5 })).toEqual(
        [],
      ));

    it.each([
      [{ completions: 2 }, 'spec.completions'],
      [{ completionMode: 'Indexed' }, 'spec.completionMode'],
      [
        { template: { ...labelled, spec: { ...podSpec, containers: [{ name: 'main', image: 'j' }] } } },
        'spec.template',
      ],
      [elsewhere, 'spec.template'],
    ])('may not change %j', (spec, field) => expect(edit(stored({}), spec)).toContain(field));

    it('may say where its pods run as long as it is suspended and has never started', () => {
      const paused = (status: JsonObject): JsonObject => {
        const before = stored({ suspend: true }, status);
        return { ...before, spec: { ...(before['spec'] as JsonObject), template: labelled } };
      };
      expect(edit(paused({}), elsewhere)).toEqual([]);
      expect(edit(paused({ startTime: '2026-01-01T00:00:00Z' }), elsewhere)).toEqual(['spec.template']);
    });

    it('may have more indexes when as many work at a time', () => {
      const before = stored({ completionMode: 'Indexed', completions: 2, parallelism: 2 });
      expect(edit(before, { completions: 4, parallelism: 4 })).toEqual([]);
      expect(edit(before, { completions: 4 })).toEqual(['spec.completions']);
    });
  });
});

describe('a cron job', () => {
  const cronJob = (spec: JsonObject = {}, name = 'report'): JsonObject => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: 'd' },
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template } }, ...spec },
  });

  it('gets its defaults', () => {
    expect(texts(cronJob({ timeZone: 'Europe/Berlin' }))).toEqual([]);
    expect(defaulted(cronJob())).toMatchObject({
      spec: { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
    });
  });

  it.each<[string, JsonObject, string[]]>([
    ['a schedule', cronJob({ schedule: '' }), ['spec.schedule: Required value']],
    [
      'a schedule that can be read',
      cronJob({ schedule: '* * *' }),
      ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
    ],
    [
      'its time zone apart from the schedule',
      cronJob({ schedule: 'TZ=UTC 0 * * * *' }),
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      'a time zone that there is',
      cronJob({ timeZone: 'Europe/Atlantis' }),
      ['spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis'],
    ],
    [
      'a time zone that means one place',
      cronJob({ timeZone: 'Local' }),
      [
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
    ],
    [
      'a policy that there is',
      cronJob({ concurrencyPolicy: 'Never' }),
      ['spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      'room for the names of its jobs',
      cronJob({}, 'x'.repeat(53)),
      [`metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`],
    ],
    [
      'jobs that end',
      cronJob({ jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Always' } } } } }),
      ['spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'jobs that select by themselves',
      cronJob({ jobTemplate: { spec: { template, manualSelector: true } } }),
      ['spec.jobTemplate.spec.manualSelector: Unsupported value: "true": supported values: "false", "nil"'],
    ],
  ])('needs %s', (_, object, faults) => expect(texts(object)).toEqual(faults));
});
