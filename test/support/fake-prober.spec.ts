import type { NetworkAnswer } from '../../apps/executor/src/probes/prober.js';
import { containerSpec, startedSandbox } from '../contract/container-runtime.contract.js';
import { describeProber, type Server } from '../contract/prober.contract.js';
import { FakeContainerRuntime } from './fake-container-runtime.js';
import { FakeEngine } from './fake-engine.js';
import { FakeProber } from './fake-prober.js';
import { ManualClock } from './manual-clock.js';

function answerOf(server: Server): NetworkAnswer | 'nothing' {
  switch (server.does) {
    case 'answer HTTP':
      return { type: 'http', status: server.status };
    case 'answer gRPC':
      return { type: 'grpc', servingStatus: server.servingStatus };
    default:
      return 'nothing';
  }
}

describeProber('servers of a fake engine', async () => {
  const clock = new ManualClock();
  const engine = new FakeEngine({ clock });
  const runtime = new FakeContainerRuntime(engine, { cluster: 'c', node: 'n' });
  let images = 0;
  return {
    prober: new FakeProber(engine),
    serve: async (server) => {
      const sandbox = await startedSandbox(runtime);
      const at = { host: sandbox.ip ?? '', port: 80 };
      if (server.does === 'not exist') return at;
      const image = `server:${(images += 1)}`;
      const answers = (check: { readonly type: string }) =>
        check.type === 'tcp' && server.does !== 'keep silent' ? ({ type: 'tcp' } as const) : answerOf(server);
      engine.addImage(image, { program: { answers } });
      await runtime.startContainer((await runtime.createContainer(containerSpec(sandbox, { image }))).id);
      return at;
    },
    passing: async (work) => {
      let settled = false;
      const settle = (): void => void (settled = true);
      work.then(settle, settle);
      while (!settled) await clock.advance(100);
      return work;
    },
    dispose: async () => undefined,
  };
});
