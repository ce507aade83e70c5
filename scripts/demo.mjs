// Plays the story of Podledger on the real Docker Engine of this machine, in a home of its own, and says what each step
// shows. It ends with 0 only if every step was observed, and leaves nothing behind. Its images are made locally.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { ensureBusybox } from './images.mjs';

const entry = join(import.meta.dirname, '../dist/apps/podledger/src/main.js');
const docker = new Docker();
const home = mkdtempSync(join(tmpdir(), 'podledger-demo-'));
const second = mkdtempSync(join(tmpdir(), 'podledger-demo-node-'));
const colour = process.stdout.isTTY ? (code, text) => `\u001b[${code}m${text}\u001b[0m` : (_code, text) => text;

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const env = {
  ...process.env,
  PODLEDGER_HOME: home,
  PODLEDGER_PORT: String(await freePort()),
  KUBECONFIG: join(home, 'kubeconfig'),
  HOME: home,
};

function run(program, args, { input = '', environment = env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', reject).on('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => {}).end(input);
  });
}

/** Starts a long-running part and waits for what it prints. */
function launch(args, sign, environment = env) {
  const child = spawn(process.execPath, [entry, ...args], { env: environment });
  let printed = '';
  const ready = new Promise((resolve, reject) => {
    const look = (chunk) => {
      printed += chunk;
      if (sign.test(printed)) resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('exit', (code) => reject(new Error(`${args[0]} ended with ${code}:\n${printed}`)));
  });
  ready.catch(() => {});
  return { child, ready, printed: () => printed };
}

const end = (child, signal = 'SIGTERM') =>
  new Promise((resolve) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill(signal);
  });

async function eventually(what, look, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not seen within ${seconds} s: ${what}`, { cause: last });
}

const show = (text) => console.log(text.trimEnd().replace(/^/gm, '    '));
const step = (title) => console.log(`\n${colour('1', title)}`);
const saw = (text) => console.log(`  ${colour('32', '✔')} ${text}`);
function must(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
  saw(what);
}

/** Runs kubectl, shows the command and what it printed. */
async function kubectl(words, { input, quiet = false, fails = false } = {}) {
  const ran = await run('kubectl', words.split(' '), { input });
  if (!quiet) {
    show(`$ kubectl ${words}`);
    show(ran.out + ran.err);
  }
  if ((ran.code !== 0) !== fails) throw new Error(`kubectl ${words}: exit ${ran.code}\n${ran.err}${ran.out}`);
  return ran.out + ran.err;
}
const json = async (what) => JSON.parse(await kubectl(`get ${what} -o json`, { quiet: true }));
const apply = (manifest) => kubectl('apply -f -', { input: JSON.stringify(manifest) });
const fetchText = (url) =>
  new Promise((resolve, reject) => {
    get(url, { timeout: 3000 }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve(body));
    }).on('error', reject);
  });
const containersOf = async (uid) =>
  new Map(
    (await docker.listContainers({ all: true, filters: { label: [`io.kubernetes.pod.uid=${uid}`] } })).map((info) => [
      info.Labels['io.kubernetes.container.name'],
      info,
    ]),
  );

let cluster = '';
async function leftovers() {
  const filters = { label: [`podledger.dev/cluster=${cluster}`] };
  const [containers, { Volumes }, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
  ]);
  return [
    ...containers.map(({ Names }) => Names[0]),
    ...(Volumes ?? []).map(({ Name }) => Name),
    ...networks.map(({ Name }) => Name),
  ];
}

let podledger;
let further;
const start = async () => {
  podledger = launch(['start'], /\bReady\b/);
  await podledger.ready;
};

async function story() {
  const image = await ensureBusybox(docker);
  const container = (name, command, more = {}) => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', command],
    ...more,
  });
  const pod = (name, spec) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  });

  step('Podledger starts: event log, bus, API, scheduler and one executor in one process');
  await start();
  show(podledger.printed());

  step('1. A pod is the smallest thing one can create');
  await kubectl(`run web --image ${image} --image-pull-policy=IfNotPresent -- httpd -f -p 8080 -h /etc`);
  await kubectl('wait --for=condition=Ready pod/web --timeout=60s');
  const web = await json('pod web');
  cluster = [...(await containersOf(web.metadata.uid)).values()][0].Labels['podledger.dev/cluster'];
  must(web.status.phase === 'Running', 'the pod runs the image');
  must(
    (await kubectl('run broken', { fails: true })).includes('image'),
    'without an image it is refused, with the reason',
  );

  step('2. kubectl lists pods; -o wide adds address and node');
  const wide = await kubectl('get pods -o wide');
  must(
    wide.includes(web.status.podIP) && wide.includes(web.spec.nodeName),
    'status, restarts, age, address and node are there',
  );

  step('3. The server answers on the pod IP and is published only where a hostPort asks for it');
  must(
    (await fetchText(`http://${web.status.podIP}:8080/passwd`)).includes('root'),
    `http://${web.status.podIP}:8080 answers from the host`,
  );
  const sandbox = (await containersOf(web.metadata.uid)).values();
  must(
    [...sandbox].every(({ Ports }) => Ports.every(({ PublicPort }) => !PublicPort)),
    'no port of it is published',
  );
  const hostPort = await freePort();
  await apply(
    pod('published', {
      containers: [container('app', 'exec httpd -f -p 8080 -h /etc', { ports: [{ containerPort: 8080, hostPort }] })],
    }),
  );
  await kubectl('wait --for=condition=Ready pod/published --timeout=60s', { quiet: true });
  must((await fetchText(`http://127.0.0.1:${hostPort}/passwd`)).includes('root'), `hostPort ${hostPort} answers`);
  await kubectl('delete pod published', { quiet: true });

  step('4. More load: scaling makes new pods; a running pod never gets another container');
  const template = {
    metadata: { labels: { app: 'shop' } },
    spec: pod('x', { containers: [container('app', 'exec tail -f /dev/null')] }).spec,
  };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'shop' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'shop' } }, template },
  });
  const ready = (count) =>
    eventually(
      `${count} ready pods`,
      async () =>
        (await json('rs shop')).status.readyReplicas === count &&
        (await json('pods -l app=shop')).items.length === count,
    );
  await ready(1);
  await kubectl('scale rs/shop --replicas=4');
  await ready(4);
  await kubectl('get rs,pods');
  saw('four pods, three of them new');
  await kubectl('scale rs/shop --replicas=1');
  await eventually('one pod', async () => (await json('pods -l app=shop')).items.length === 1);
  saw('one pod again');
  const added = JSON.stringify({ spec: { containers: [{ name: 'more', image }] } });
  must(
    (await kubectl(`patch pod web -p ${added}`, { fails: true })).includes('may not add or remove containers'),
    'adding a container is refused, and says why',
  );

  step('5. A node is full: the next pod waits, and says why. A new node joins: it runs');
  const [node] = (await json('nodes')).items;
  const cpu = node.status.allocatable.cpu;
  const millis = cpu.endsWith('m') ? Number.parseInt(cpu, 10) : Number(cpu) * 1000;
  const big = (name) =>
    pod(name, {
      containers: [
        container('app', 'exec tail -f /dev/null', {
          resources: { requests: { cpu: `${Math.floor(millis * 0.6)}m` } },
        }),
      ],
    });
  await apply(big('big-1'));
  await kubectl('wait --for=condition=Ready pod/big-1 --timeout=60s', { quiet: true });
  await apply(big('big-2'));
  const why = await eventually(
    'the reason',
    async () =>
      (await json('pod big-2')).status.conditions?.find(
        ({ type, status }) => type === 'PodScheduled' && status === 'False',
      )?.message,
  );
  must(why.includes('Insufficient cpu'), `big-2 is Pending: ${why}`);
  const { out: joinLine } = await run(process.execPath, [entry, 'join-command']);
  const invitation = /podledger-join-\S+/.exec(joinLine)?.[0] ?? '';
  further = launch(['join', invitation, '--node-name', 'second'], /joined as/, { ...env, PODLEDGER_HOME: second });
  await further.ready;
  const placed = await eventually('big-2 is placed', async () => {
    const now = await json('pod big-2');
    return now.spec.nodeName === 'second' && now;
  });
  const condition = (object, type) =>
    Date.parse(object.status.conditions.find((one) => one.type === type && one.status === 'True').lastTransitionTime);
  const delay = condition(placed, 'PodScheduled') - condition(await json('node second'), 'Ready');
  must(
    delay <= 1000,
    `big-2 was placed on the new node within a second of its being ready, without anyone asking again`,
  );
  await kubectl('wait --for=condition=Ready pod/big-2 --timeout=60s', { quiet: true });
  await kubectl('get pods -o wide');

  step('6. A helper lives and dies with its app');
  const mount = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
  const two = (name, restartPolicy, helperMore = {}) =>
    pod(name, {
      restartPolicy,
      volumes: [{ name: 'shared', emptyDir: {} }],
      containers: [
        container('app', 'echo from-app > /shared/file; exec httpd -f -p 8080 -h /shared', mount),
        container(
          'helper',
          'until timeout 2 wget -q -O - http://localhost:8080/file 2>/dev/null; do sleep 0.1; done; cat /shared/file; exec tail -f /dev/null',
          { ...mount, ...helperMore },
        ),
      ],
    });
  await apply(two('two', 'Never'));
  await eventually(
    'the helper read both',
    async () => (await kubectl('logs two -c helper', { quiet: true })) === 'from-app\nfrom-app\n',
  );
  saw('the helper read the app on localhost, and its file in the shared volume');
  const twoUid = (await json('pod two')).metadata.uid;
  await docker.getContainer((await containersOf(twoUid)).get('app').Id).kill();
  const failed = await eventually('the pod failed', async () => {
    const now = await json('pod two');
    return now.status.phase === 'Failed' && now;
  });
  must(
    failed.status.containerStatuses.find(({ name }) => name === 'app').state.terminated.exitCode === 137,
    'the app was killed: the pod is Failed with exit code 137',
  );
  must((await containersOf(twoUid)).get('helper')?.State !== 'running', 'its helper is stopped');
  await apply(two('again', 'Always'));
  await kubectl('wait --for=condition=Ready pod/again --timeout=60s', { quiet: true });
  const before = await json('pod again');
  await docker.getContainer((await containersOf(before.metadata.uid)).get('app').Id).kill();
  const after = await eventually('the pod restarted', async () => {
    const now = await json('pod again');
    return (
      now.status.containerStatuses.every(({ restartCount, ready: isReady }) => restartCount === 1 && isReady) && now
    );
  });
  must(
    after.status.podIP === before.status.podIP && after.metadata.uid === before.metadata.uid,
    'restarted, both containers are new; the pod and its address are the same',
  );
  await apply(two('half', 'Always', { image: 'podledger.example/not-there:1', imagePullPolicy: 'Never' }));
  await eventually('the missing image is told', async () =>
    (await kubectl('get pod half', { quiet: true })).includes('ErrImageNeverPull'),
  );
  const half = await containersOf((await json('pod half')).metadata.uid);
  must(!half.has('app') && !half.has('helper'), 'one container cannot be created: neither is left running');
  for (const name of ['two', 'again', 'half']) await kubectl(`delete pod ${name}`, { quiet: true });

  step('7. Who belongs to whom is kept by the system: also through a crash');
  const running = (await json('pods')).items.map(({ metadata, status }) => [
    metadata.uid,
    status.containerStatuses?.[0]?.containerID,
  ]);
  await end(podledger.child, 'SIGKILL');
  saw('kill -9 of everything but the pods');
  await start();
  const adopted = (await json('pods')).items.map(({ metadata, status }) => [
    metadata.uid,
    status.containerStatuses?.[0]?.containerID,
  ]);
  must(
    JSON.stringify(adopted) === JSON.stringify(running),
    'after the next start the same containers run; none was restarted',
  );

  step('8. Executors come and go');
  await kubectl('cordon second');
  await kubectl('delete pod big-2');
  await end(further.child);
  await kubectl('delete node second');
  must(!(await kubectl('get nodes')).includes('second'), 'the second node is drained, stopped and gone');

  step('9. An auditor asks what happened, when, why and at whose wish');
  await kubectl('delete pod web --grace-period=1');
  const { out: log } = await run(process.execPath, [entry, 'log', '--stream', 'core/pods/default/web']);
  show(log);
  for (const type of [
    'PodRequested',
    'PodScheduled',
    'ContainerStarted',
    'PodBecameReady',
    'PodTerminationRequested',
    'PodDeleted',
  ]) {
    must(log.includes(type), `${type} is in the log of the deleted pod`);
  }

  step('The end: nothing is left behind');
  await end(podledger.child);
  const down = await run(process.execPath, [entry, 'down']);
  show(down.out + down.err);
  must(
    down.code === 0 && (await leftovers()).length === 0,
    'no container, volume or network of this home is left on Docker',
  );
}

const began = Date.now();
try {
  await story();
  console.log(`\n${colour('1;32', `Every step was observed, in ${((Date.now() - began) / 1000).toFixed(0)} s.`)}`);
} catch (error) {
  console.error(`\n${colour('1;31', 'A step was not observed:')}`, error);
  process.exitCode = 1;
} finally {
  await end(further?.child);
  await end(podledger?.child);
  await run(process.execPath, [entry, 'down']);
  await run(process.execPath, [entry, 'down'], { environment: { ...env, PODLEDGER_HOME: second } });
  for (const folder of [home, second]) rmSync(folder, { recursive: true, force: true });
}
