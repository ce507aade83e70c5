import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from './report.js';

const MAIN = join(import.meta.dirname, '../../dist/test/simulation/main.js');

/**
 * Runs `npm run simulate` with these arguments, from the build: outside of jest, whose modules make each seed ten times as slow.
 * Fails with what was printed when it does not come to a report.
 */
export async function simulate(...args: readonly string[]): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'podledger-simulation-'));
  const file = join(folder, 'report.json');
  const env = { ...process.env, NODE_OPTIONS: '' };
  try {
    return await new Promise((resolve, reject) => {
      const options = { env, maxBuffer: 2 ** 28 };
      execFile(process.execPath, [MAIN, '--report', file, ...args], options, (error, stdout, stderr) => {
        // Seeds that failed are in the report.
        if (error && error.code !== 1) return reject(new Error(`${stdout}\n${stderr}`, { cause: error }));
        try {
          resolve(JSON.parse(readFileSync(file, 'utf8')));
        } catch (cause) {
          reject(new Error(`${stdout}\n${stderr}`, { cause }));
        }
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
