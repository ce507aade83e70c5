import 'reflect-metadata';
import { Command, InvalidArgumentError } from 'commander';
import { apps } from './apps.js';
import { down } from './down.js';
import { dockerHost, foreignServers } from './environment.js';
import { Home, homePath } from './home.js';
import { decodeInvitation, defaultNodeName, inviteTo, joinCluster } from './join.js';
import { runUntilStopped, type Service } from './lifecycle.js';
import { endWithReader, flushed, printLine } from './output.js';
import { printLog } from './print-log.js';
import { keepMembership, migrateDatabase, setup, single, startApi, startExecutor, startScheduler } from './single.js';
import { AllInOne, isLoopback, type Ready } from './start.js';

const { env } = process;
const report = (text: string): void => console.error(`podledger: ${text}`);
const defaultPort = 6443;

/** Runs a service until it is told to stop, and ends this process. */
async function serve(service: Service): Promise<void> {
  process.exit(await runUntilStopped(service, report));
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

function joinCommand(invitation: string): string {
  return `npm run join -- ${invitation}`;
}

function announce({ access, kubeconfig, nodeNames, cluster, invitation }: Ready, listenHost: string): void {
  const seconds = (performance.now() / 1000).toFixed(1);
  const nodes = `${nodeNames.length === 1 ? 'node' : 'nodes'} ${nodeNames.join(', ')}`;
  const lines = [
    `Ready after ${seconds} s: ${access.server}  (cluster ${cluster}, ${nodes})`,
    '',
    `  export KUBECONFIG=${kubeconfig}`,
  ];
  if (invitation) {
    const reach = isLoopback(listenHost)
      ? 'from this machine only; "npm start -- --listen ADDR" lets others in'
      : 'valid once, for 24 hours; "npm run join-command" prints another';
    lines.push(
      '',
      `To add a node (${reach}), run there, in a clone of this repository:`,
      '',
      `  ${joinCommand(invitation)}`,
    );
  }
  console.log([...lines, ''].join('\n'));
}

const program = new Command('podledger')
  .description('Kubernetes-style pods on plain Docker hosts, with every state change kept as an event')
  .showHelpAfterError();

program
  .command('start')
  .description('run a whole cluster in this process, until Ctrl-C; pods go on')
  .option('--nodes <n>', 'nodes that share this Docker Engine, its capacity divided', wholeNumber(1, 64), 1)
  .option('--listen <address>', 'open API and NATS beyond this machine, with TLS', '127.0.0.1')
  .option('--port <port>', 'port of the API (PODLEDGER_PORT)', wholeNumber(1, 65_535))
  .action(async ({ nodes, listen, port }: { nodes: number; listen: string; port?: number }) => {
    const options = {
      ...foreignServers(env),
      home: homePath(env),
      nodes,
      listen: { host: listen, port: port ?? portFromEnvironment() },
      dockerHost: dockerHost(env),
    };
    await serve(new AllInOne(options, apps, report, (ready) => announce(ready, listen)));
  });

program
  .command('down')
  .description('end every pod of this home and remove what is left of it on Docker')
  .option('--grace-period <seconds>', 'between SIGTERM and SIGKILL', wholeNumber(0, 3600), 5)
  .action(async ({ gracePeriod }: { gracePeriod: number }) => {
    const options = {
      ...foreignServers(env),
      home: homePath(env),
      dockerHost: dockerHost(env),
      gracePeriodSeconds: gracePeriod,
    };
    await down(options, apps, report);
    process.exit(0);
  });

program
  .command('api')
  .description('run the API alone')
  .option('--listen <address>', 'address to listen on', '127.0.0.1')
  .option('--port <port>', 'port (PODLEDGER_PORT)', wholeNumber(1, 65_535))
  .action(({ listen, port }: { listen: string; port?: number }) =>
    serve(
      single(
        'API',
        () => startApi(apps, sharedHome(), env, { host: listen, port: port ?? portFromEnvironment() }),
        report,
      ),
    ),
  );

program
  .command('scheduler')
  .description('run a scheduler alone; of several one is active')
  .action(() => serve(single('scheduler', () => startScheduler(apps, sharedHome(), env), report)));

program
  .command('executor')
  .description('run the executor of one node alone')
  .option('--node-name <name>', 'name of the node (NODE_NAME; default: as joined, else the host name)')
  .action(({ nodeName }: { nodeName?: string }) =>
    serve(single('executor', () => startExecutor(apps, sharedHome(), env, nodeName), report)),
  );

program
  .command('join <invitation>')
  .description('make this machine a node of a cluster and run its executor')
  .option('--node-name <name>', 'name of the node', defaultNodeName())
  .action(async (text: string, { nodeName }: { nodeName: string }) => {
    const home = sharedHome();
    keepMembership(home, await joinCluster(decodeInvitation(text), nodeName));
    report(`joined as ${nodeName}; later starts: npm run executor`);
    await serve(single('executor', () => startExecutor(apps, home, env, nodeName), report));
  });

program
  .command('join-command')
  .description('print a fresh command with which one machine can join the cluster that runs on this home')
  .action(async () => {
    await printLine(joinCommand(await inviteTo(homePath(env))));
    await flushed();
    process.exit(0);
  });

program
  .command('log')
  .description('print the event log, oldest first, of the cluster that runs on this home (or of DATABASE_URL)')
  .option('--stream <stream>', 'one stream only, such as core/pods/default/web')
  .option('--after <revision>', 'events after this revision', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
  .option('--json', 'whole events as JSON lines', false)
  .action(async (query: { stream?: string; after: number; json: boolean }) => {
    const databaseUrl = foreignServers(env).databaseUrl ?? sharedHome().read('database-url');
    if (!databaseUrl) throw new Error(`nothing was started on ${homePath(env)} yet: npm start`);
    endWithReader();
    await printLog({ ...query, databaseUrl }, printLine);
    await flushed();
    process.exit(0);
  });

program
  .command('setup')
  .description('fill a home for processes that run apart: certificates, keys, configuration of NATS')
  .option('--name <name...>', 'further names the API is reached by', [])
  .option('--port <port>', 'port of the API as clients see it (PODLEDGER_PORT)', wholeNumber(1, 65_535))
  .option('--nats-host <address>', 'address NATS listens on', '0.0.0.0')
  .option('--nats-store <directory>', 'where NATS keeps its streams', '/data')
  .action(async (options: { name: string[]; port?: number; natsHost: string; natsStore: string }) => {
    const { name: names, port, natsHost, natsStore } = options;
    await setup(sharedHome(), { names, port: port ?? portFromEnvironment(), natsHost, natsStore });
  });

program
  .command('migrate <database>')
  .description('bring the event log to the newest schema, as the owner of the database')
  .action(async (database: string) => {
    await migrateDatabase(sharedHome(), new URL(database));
  });

function sharedHome(): Home {
  return Home.shared(homePath(env));
}

function portFromEnvironment(): number {
  const text = env.PODLEDGER_PORT;
  if (!text) return defaultPort;
  try {
    return wholeNumber(1, 65_535)(text);
  } catch (error) {
    throw new Error(`PODLEDGER_PORT is "${text}": ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

try {
  await program.parseAsync();
} catch (error) {
  report(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
