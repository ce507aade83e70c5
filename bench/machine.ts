import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

/** Runnable processes, on average, above which other work is taken to have run beside the benches. */
const IDLE_LOAD = 0.5;

/** What every figure belongs to: the machine, the commit, and how busy the machine was before. */
export function describeMachine(): string[] {
  const [load = 0] = loadavg();
  const busy =
    load > IDLE_LOAD ? `BUSY before the start (load ${load.toFixed(1)}): trust ratios only` : 'idle before the start';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [
    `machine  ${cpus()[0]?.model.trim() ?? 'unknown cpu'}, ${cpus().length} cores, ${memory}, ${process.platform}, Node ${process.version}`,
    `commit   ${commit()}`,
    `load     ${busy}`,
  ];
}

function commit(): string {
  const hash = git('rev-parse', '--short', 'HEAD');
  if (hash === '') return 'unknown';
  return git('status', '--porcelain') === '' ? hash : `${hash} with uncommitted changes`;
}

const git = (...args: string[]): string => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
