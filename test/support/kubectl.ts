import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** A kubectl on this machine. */
export interface KubectlBinary {
  readonly path: string;
  /** Minor version: 33 of v1.33.1. */
  readonly minor: number;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Never rejects for a non-zero exit: what it printed is what tests look at. */
export function run(
  program: string,
  args: readonly string[],
  {
    env,
    input,
    timeoutMs = 120_000,
  }: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.on('error', () => undefined).end(input ?? '');
  });
}

async function binary(path: string): Promise<KubectlBinary | undefined> {
  const { code, stdout } = await run(path, ['version', '--client', '-o', 'json']);
  if (code !== 0) return undefined;
  const { clientVersion } = JSON.parse(stdout) as { readonly clientVersion: { readonly minor: string } };
  return { path, minor: Number.parseInt(clientVersion.minor, 10) };
}

/** Every kubectl: the one on PATH and those beside it named `kubectl.<version>`, oldest first, each minor version once. */
export async function kubectls(): Promise<KubectlBinary[]> {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .filter((path) => existsSync(path));
  const folders = new Set(found.map((path) => dirname(realpathSync(path))));
  const siblings = [...folders].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^kubectl\.\d+\.\d+$/.test(name))
      .map((name) => join(folder, name)),
  );
  const known = new Map<number, KubectlBinary>();
  for (const path of [...found, ...siblings]) {
    const candidate = await binary(path);
    if (candidate && !known.has(candidate.minor)) known.set(candidate.minor, candidate);
  }
  return [...known.values()].sort((a, b) => a.minor - b.minor);
}

/**
 * `it` for what needs kubectl 1.<minor>: with an older one as the newest here, as Debian 12's is, there is no such test, for it
 * would be about that kubectl. Call it where tests are registered.
 */
export async function testsOfKubectl(): Promise<(minor: number) => (name: string, test: () => Promise<void>) => void> {
  const newest = (await kubectls()).at(-1)?.minor ?? 0;
  return (minor) => (name, test) => {
    if (newest >= minor) it(name, test);
  };
}
