import { NoUsableAnswer, type NetworkCheck, type Prober } from '../../apps/executor/src/probes/prober.js';

/** What stands at an address. */
export type Server =
  | { readonly does: 'answer HTTP'; readonly status: number }
  | { readonly does: 'answer gRPC'; readonly servingStatus: number }
  /** Takes connections and never says a word. */
  | { readonly does: 'keep silent' }
  | { readonly does: 'not exist' };

export interface ProberBench {
  readonly prober: Prober;
  serve(server: Server): Promise<{ readonly host: string; readonly port: number }>;
  /** Lets time pass until the work is done. */
  passing<T>(work: Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

const TIMEOUT_MS = 300;

/** What every prober does, whatever is asked. */
export function describeProber(name: string, makeBench: () => Promise<ProberBench>): void {
  describe(`prober contract: ${name}`, () => {
    let bench: ProberBench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench.dispose());

    const http = { type: 'http', scheme: 'http', path: '/', headers: [] } as const;
    const grpc = { type: 'grpc', service: '' } as const;
    type Question = typeof http | typeof grpc | { readonly type: 'tcp' };
    const ask = async (server: Server, question: Question, timeoutMs = 10_000) => {
      const check: NetworkCheck = { ...question, ...(await bench.serve(server)) };
      return bench.passing(bench.prober.ask(check, timeoutMs));
    };

    it.each([200, 404, 503])('passes on what a server answers: %i', async (status) => {
      expect(await ask({ does: 'answer HTTP', status }, http)).toEqual({ type: 'http', status });
    });

    it.each([1, 2])('passes on what a gRPC server says of itself: %i', async (servingStatus) => {
      expect(await ask({ does: 'answer gRPC', servingStatus }, grpc)).toEqual({ type: 'grpc', servingStatus });
    });

    it('is content with a connection', async () => {
      expect(await ask({ does: 'answer HTTP', status: 500 }, { type: 'tcp' })).toEqual({ type: 'tcp' });
    });

    it.each([http, grpc, { type: 'tcp' } as const])('has no answer where nobody listens: $type', async (question) => {
      await expect(ask({ does: 'not exist' }, question)).rejects.toBeInstanceOf(NoUsableAnswer);
    });

    it.each([http, grpc])('waits no longer than it may for one that is silent: $type', async (question) => {
      await expect(ask({ does: 'keep silent' }, question, TIMEOUT_MS)).rejects.toBeInstanceOf(NoUsableAnswer);
    });
  });
}
