import { readdirSync, readFileSync } from 'node:fs';
import { assertRan } from './bench.js';

/** Memory of one process, in MiB: pages that it shares count in parts (PSS), so a tree's are its sum. */
export interface ProcessMemory {
  readonly name: string;
  readonly pss: number;
}

/** A process and all that descends from it. Linux only. */
export function processTree(root: number): ProcessMemory[] {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const descend = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(descend)];
  return descend(root).flatMap((pid) => memoryOf(pid) ?? []);
}

function parentOf(pid: number): number | undefined {
  const parent = /^PPid:\s+(\d+)$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function memoryOf(pid: number): ProcessMemory | undefined {
  const pss = /^Pss:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1];
  if (pss === undefined) return undefined;
  const name = readIfThere(`/proc/${pid}/comm`).trim();
  assertRan(name !== '', `process ${pid} has no name`);
  return { name, pss: Number(pss) / 1024 };
}

/** Processes end while one looks. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
