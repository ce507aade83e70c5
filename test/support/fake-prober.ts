import {
  NoUsableAnswer,
  type NetworkAnswer,
  type NetworkCheck,
  type Prober,
} from '../../apps/executor/src/probes/prober.js';
import type { FakeContainer, FakeEngine } from './fake-engine.js';

/**
 * Asks the servers that containers of a {@link FakeEngine} would be: each running container of the pod with that address is
 * one, and its program says what it answers; by default that all is well.
 */
export class FakeProber implements Prober {
  /** What was asked, in order. */
  readonly asked: NetworkCheck[] = [];

  constructor(private readonly engine: FakeEngine) {}

  async ask(check: NetworkCheck, timeoutMs: number): Promise<NetworkAnswer> {
    this.asked.push(check);
    // Which of them has the port is not modelled: one that answers does.
    const answers = this.serversAt(check.host).map((server) => this.answerOf(server, check));
    const answer = answers.find((one) => one !== 'nothing') ?? answers[0];
    if (answer === 'nothing') {
      await this.engine.clock.sleep(timeoutMs);
      throw new NoUsableAnswer(`${check.host}:${check.port}: timed out`);
    }
    if (!answer) throw new NoUsableAnswer(`${check.host}:${check.port}: connection refused`);
    return answer;
  }

  private answerOf({ seen, program }: FakeContainer, check: NetworkCheck): NetworkAnswer | 'nothing' {
    return program.answers?.(check, this.engine.clock.now() - (seen.startedAt ?? 0)) ?? WELL[check.type];
  }

  private serversAt(ip: string): FakeContainer[] {
    const { containers } = this.engine.all();
    const sandbox = containers.find(
      ({ seen }) => seen.role === 'sandbox' && seen.state === 'running' && seen.ip === ip,
    );
    return containers.filter(({ seen }) => seen.state === 'running' && sandbox && seen.sandboxId === sandbox.seen.id);
  }
}

const WELL: Readonly<Record<NetworkCheck['type'], NetworkAnswer>> = {
  http: { type: 'http', status: 200 },
  tcp: { type: 'tcp' },
  grpc: { type: 'grpc', servingStatus: 1 },
};
