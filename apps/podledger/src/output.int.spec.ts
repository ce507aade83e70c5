import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const output = join(import.meta.dirname, '../../../dist/apps/podledger/src/output.js');
const LINES = 20_000;
const LINE = 'x'.repeat(99);

/** A program that prints two megabytes, far more than a pipe holds, and ends. */
const printing = (): ChildProcess =>
  spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `const { endWithReader, flushed, printLine } = await import(${JSON.stringify(output)});
     endWithReader();
     process.stderr.write('begun');
     for (let i = 0; i < ${LINES}; i += 1) await printLine('${LINE}');
     await flushed();
     process.exit(0);`,
  ]);

describe('what is printed', () => {
  it('reaches a slow reader to the last line', async () => {
    const child = printing();
    if (!child.stdout || !child.stderr) throw new Error('no pipes');
    await once(child.stderr, 'data');
    let bytes = 0;
    for await (const chunk of child.stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(LINES * (LINE.length + 1));
  });

  it('ends in good order when the reader has seen enough', async () => {
    const child = printing();
    if (!child.stdout || !child.stderr) throw new Error('no pipes');
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(complaints).toBe('begun');
  });
});
