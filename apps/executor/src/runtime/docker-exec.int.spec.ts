import { DockerBench, ENGINE_SOCKET } from '../../../../test/support/docker-bench.js';
import { containerSpec, faultOf, startedSandbox } from '../../../../test/contract/container-runtime.contract.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { DockerClient } from './docker-client.js';
import { execInContainer } from './docker-exec.js';

describe('a command that times out where its host cannot be seen', () => {
  let bench: DockerBench;
  beforeAll(async () => {
    bench = await DockerBench.start();
  });
  afterAll(() => bench.dispose());

  it('is ended by a shell of the container, with all that it started and nothing else', async () => {
    const runtime = bench.runtime();
    const sandbox = await startedSandbox(runtime);
    const { id } = await runtime.createContainer(containerSpec(sandbox, bench.script('sleep 1111')));
    await runtime.startContainer(id);
    const client = new DockerClient(ENGINE_SOCKET, systemClock);
    const asked: string[] = [];
    const endOnHost = async (mark: string): Promise<number> => {
      asked.push(mark);
      return 0;
    };
    const hang = ['sh', '-c', 'sleep 2222 & sleep 2222; true'];
    expect(await faultOf(execInContainer({ client, clock: systemClock, endOnHost }, id, hang, 500))).toMatchObject({
      fault: 'DeadlineExceeded',
    });
    expect(asked).toHaveLength(1);
    const count = async (what: string): Promise<string> => {
      const script = `ps | grep -c "[s]leep ${what}" || true`;
      return (await runtime.exec(id, ['sh', '-c', script], { timeoutMs: 10_000 })).output.trim();
    };
    await bench.eventually('none is left', async () => (await count('2222')) === '0');
    expect(await count('1111')).toBe('1');
  });
});
