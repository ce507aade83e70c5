import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { testsOfKubectl } from '../support/kubectl.js';
import { Product, type KubeList, type KubeObject } from '../support/product.js';

jest.setTimeout(120_000);

/** Before 1.21 kubectl knows the beta of cron jobs only, which Kubernetes has not served since 1.25. */
const itSince = await testsOfKubectl();

/** One product; the jobs of all cases run beside each other, for most of them wait. */
let product: Product;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
  await Promise.all([
    job('helped', {}, [
      sh('main', 'sleep 2; echo sum > /dev/stdout'),
      sh('helper', `trap 'echo told; exit 3' TERM; ${FOR_EVER}`),
    ]),
    job('indexed', { completions: 3, parallelism: 2, completionMode: 'Indexed' }, [
      sh('main', 'echo index=$JOB_COMPLETION_INDEX host=$(hostname)'),
    ]),
    job('failing', { backoffLimit: 1 }, [sh('main', 'exit 3')]),
    job('careful', { podFailurePolicy: policy }, [sh('main', 'exit 42')]),
    job('restarting', { backoffLimit: 2 }, [sh('main', 'exit 1')], 'OnFailure'),
    job('brief', { ttlSecondsAfterFinished: 1 }, [sh('main', 'true')]),
    job('paused', { suspend: true }, [sh('main', 'true')]),
    job('interrupted', { completions: 1 }, [sh('main', `trap 'exit 0' TERM; test -e /late || ${FOR_EVER}`)]),
  ]);
}, 240_000);
afterAll(() => product.destroy(), 120_000);

interface Wish {
  readonly [field: string]: unknown;
}

/** Waits without end, and obeys SIGTERM. */
const FOR_EVER = 'sleep 3600 & wait';
const policy = {
  rules: [{ action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }],
};
const sh = (name: string, script: string): Wish => ({
  ...{ name, image, imagePullPolicy: 'IfNotPresent' },
  command: ['sh', '-c', script],
});
const template = (containers: readonly Wish[], restartPolicy = 'Never'): Wish => ({
  spec: { containers, restartPolicy, terminationGracePeriodSeconds: 10 },
});
const job = (name: string, spec: Wish, containers: readonly Wish[], restartPolicy?: string): Promise<string> =>
  product.apply({
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name } },
    spec: { ...spec, template: template(containers, restartPolicy) },
  });

interface JobStatus {
  readonly succeeded?: number;
  readonly failed?: number;
  readonly completedIndexes?: string;
}
const statusOf = async (name: string): Promise<JobStatus> =>
  (await product.get<{ status: JobStatus }>(`job ${name}`)).status;
const podsOf = async (name: string): Promise<readonly KubeObject[]> =>
  (await product.get<KubeList>(`pods -l batch.kubernetes.io/job-name=${name}`)).items;
const finished = (name: string, condition: 'complete' | 'failed'): Promise<string> =>
  product.kubectl(`wait --for=condition=${condition} job/${name} --timeout=60s`);
const reasonOf = async (name: string, type: string): Promise<string | undefined> =>
  (await product.get(`job ${name}`)).status.conditions?.find((condition) => condition.type === type)?.reason;

describe('a job', () => {
  it('is complete when its main container is, and the helper beside it is stopped', async () => {
    await finished('helped', 'complete');
    const [pod] = await podsOf('helped');
    expect(pod?.status.phase).toBe('Succeeded');
    const name = pod?.metadata.name ?? '';
    expect(await product.kubectl(`logs ${name} -c main`)).toBe('sum\n');
    expect(await product.kubectl(`logs ${name} -c helper`)).toBe('told\n');
    const exits = Object.fromEntries(
      (pod?.status.containerStatuses ?? []).map((status) => [status.name, status.state.terminated?.exitCode]),
    );
    expect(exits).toEqual({ main: 0, helper: 3 });
    const containers = await product.containers(pod?.metadata.uid ?? '');
    for (const container of ['main', 'helper']) expect(containers.get(container)?.State).not.toBe('running');
  });

  it('tells each of its pods its index, and its host', async () => {
    await finished('indexed', 'complete');
    const pods = await podsOf('indexed');
    const told = await Promise.all(pods.map(({ metadata: { name } }) => product.kubectl(`logs ${name}`)));
    expect([...told].sort()).toEqual([0, 1, 2].map((index) => `index=${index} host=indexed-${index}\n`));
    expect(await statusOf('indexed')).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
    expect(await product.kubectl('get job indexed --no-headers')).toMatch(/^indexed +Complete +3\/3 /);
  });

  it('fails at its limit, and not before it has waited for the second try', async () => {
    await finished('failing', 'failed');
    expect(await reasonOf('failing', 'Failed')).toBe('BackoffLimitExceeded');
    const pods = await podsOf('failing');
    const codes = pods.map(({ status }) => status.containerStatuses?.[0]?.state.terminated?.exitCode);
    expect(codes).toEqual([3, 3]);
    const times = await Promise.all(
      pods.map(async ({ metadata: { uid } }) => {
        const id = (await product.containers(uid)).get('main')?.Id ?? '';
        const { State } = await product.docker.getContainer(id).inspect();
        return { started: Date.parse(State.StartedAt), ended: Date.parse(State.FinishedAt) };
      }),
    );
    const [first, second] = [...times].sort((a, b) => a.started - b.started);
    expect((second?.started ?? 0) - (first?.ended ?? 0)).toBeGreaterThan(9_000);
    expect(await product.kubectl('describe job failing')).toMatch(
      /Warning +BackoffLimitExceeded .*specified backoff limit/,
    );
  });

  it('counts restarts under OnFailure', async () => {
    await finished('restarting', 'failed');
    expect(await reasonOf('restarting', 'Failed')).toBe('BackoffLimitExceeded');
    await eventually('its pod is gone', async () => (await podsOf('restarting')).length === 0);
  });

  it('fails at once by its policy', async () => {
    await finished('careful', 'failed');
    expect(await reasonOf('careful', 'Failed')).toBe('PodFailurePolicy');
    expect(await podsOf('careful')).toHaveLength(1);
    expect(await product.kubectl('describe job careful')).toMatch(
      /Container main for pod default\/careful-\w+ failed with exit code 42 matching FailJob rule at index 0/,
    );
  });

  it('replaces a pod that a client deletes, and has counted both', async () => {
    const victim = await eventually('it runs', async () =>
      (await podsOf('interrupted')).find(({ status }) => status.phase === 'Running'),
    );
    await product.kubectl(`delete pod ${victim.metadata.name}`);
    expect(await statusOf('interrupted')).toMatchObject({ failed: 1 });
    const next = await eventually(
      'another runs',
      async () => (await podsOf('interrupted')).find(({ status }) => status.phase === 'Running'),
      { timeoutMs: 60_000 },
    );
    expect(next.metadata.uid).not.toBe(victim.metadata.uid);
    const id = (await product.containers(next.metadata.uid)).get('main')?.Id ?? '';
    await product.docker.getContainer(id).kill({ signal: 'SIGTERM' });
    await finished('interrupted', 'complete');
    expect(await statusOf('interrupted')).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('starts nothing while it is suspended', async () => {
    expect(await podsOf('paused')).toEqual([]);
    expect(await product.kubectl('get job paused --no-headers')).toMatch(/^paused +Suspended /);
    await product.kubectl('patch job paused --type=merge -p {"spec":{"suspend":false}}');
    await finished('paused', 'complete');
    expect(await product.kubectl('describe job paused')).toMatch(/Suspended[\s\S]*Resumed[\s\S]*Completed/);
  });

  it('is deleted with its pods and containers when its time to live is over', async () => {
    await eventually('it is gone', async () => (await product.kubectl('get job brief --ignore-not-found')) === '');
    expect(await podsOf('brief')).toEqual([]);
  });

  it('cannot change what its pods are', async () => {
    const patch = { spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } } };
    await expect(product.kubectl(`patch job helped -p ${JSON.stringify(patch)}`)).rejects.toThrow(/field is immutable/);
  });

  it('is deleted with its pods', async () => {
    await product.kubectl('delete job helped');
    await eventually('its pods are gone', async () => (await podsOf('helped')).length === 0);
  });
});

describe('a cron job', () => {
  it('makes a job when it is due', async () => {
    await product.apply({
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'often' } },
      spec: { schedule: '@every 1s', jobTemplate: { spec: { template: template([sh('main', 'echo $0 ran')]) } } },
    });
    const made = await eventually('it has made one', async () => {
      const { items } = await product.get<KubeList>('jobs');
      return items.find(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === 'often'));
    });
    const scheduled = Date.parse(made.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'] ?? '');
    expect(made.metadata.name).toBe(`often-${Math.floor(scheduled / 60_000)}`);
    await finished(made.metadata.name, 'complete');
    expect(await product.kubectl(`logs job/${made.metadata.name}`)).toBe('sh ran\n');
    await eventually('it knows of the success', async () => {
      const { status } = await product.get<{ status: { lastSuccessfulTime?: string } }>('cronjob often');
      return status.lastSuccessfulTime;
    });
    await product.kubectl('patch cronjob often --type=merge -p {"spec":{"suspend":true}}');
    // The last one made may still run.
    expect(await product.kubectl('get cronjob often --no-headers')).toMatch(/^often +@every 1s +<none> +True +\d+ /);
  });

  itSince(21)('is made by kubectl, gives its template to a job, and takes it along when it is deleted', async () => {
    await product.kubectl(
      `create cronjob nightly --image=${image} --schedule=@yearly --restart=Never -- echo good night`,
    );
    await product.kubectl('create job tonight --from=cronjob/nightly');
    await finished('tonight', 'complete');
    expect(await product.kubectl('logs job/tonight')).toBe('good night\n');
    expect(await product.kubectl('describe cronjob nightly')).toMatch(/SawCompletedJob/);
    await product.kubectl('delete cronjob nightly');
    await eventually(
      'its job is gone',
      async () => (await product.kubectl('get job tonight --ignore-not-found')) === '',
    );
    expect(await podsOf('tonight')).toEqual([]);
  });

  itSince(21)('needs a schedule that can be read', async () => {
    await expect(product.kubectl(`create cronjob never --image=${image} --schedule=sometimes -- true`)).rejects.toThrow(
      /spec\.schedule: Invalid value: "sometimes": expected exactly 5 fields, found 1/,
    );
  });
});
