#!/usr/bin/env node
/**
 * Runs the tiers of the tests in order: unit, simulation, integration, end to end; those that need less first. Goes on after
 * a tier that failed, so that one run tells all. With CI=true a skipped test is a failure.
 *
 * Usage: node scripts/test.mjs [tier...] [-- arguments for jest]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './bootstrap/system.mjs';

/** Tests of one tier run side by side where they share nothing; but no more than two at a time: each brings servers of its own. */
const tiers = {
  unit: [],
  simulation: [],
  integration: ['--maxWorkers=2'],
  e2e: ['--maxWorkers=2'],
};

const words = process.argv.slice(2);
const cut = words.indexOf('--');
const named = (cut < 0 ? words : words.slice(0, cut)).filter((word) => word in tiers);
const forJest = cut < 0 ? words.filter((word) => !(word in tiers)) : words.slice(cut + 1);
const strict = process.env.CI === 'true' || process.env.CI === '1';
const results = mkdtempSync(join(tmpdir(), 'podledger-tests-'));
const total = { passed: 0, failed: 0, skipped: 0, broken: [] };

for (const tier of named.length > 0 ? named : Object.keys(tiers)) run(tier);
rmSync(results, { recursive: true });

for (const file of total.broken) console.log(`did not run: ${file}`);
// A suite that could not be loaded has no tests to count, and yet something is wrong: it counts as one.
const failed = total.failed + total.broken.length;
console.log(`${total.passed} passed, ${failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
if (strict && total.skipped > 0) console.error('a skipped test is a failure in CI');
process.exit(failed > 0 || (strict && total.skipped > 0) || total.passed === 0 ? 1 : 0);

function run(tier) {
  console.log(`\n== ${tier} ==`);
  const output = join(results, `${tier}.json`);
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    jest,
    '--selectProjects',
    tier,
    '--json',
    `--outputFile=${output}`,
  ];
  const more = ['--passWithNoTests', ...tiers[tier], ...forJest];
  // With --json jest prints its report on stderr and the JSON on stdout; the file has that already.
  const { status, signal } = spawnSync(process.execPath, [...args, ...more], {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  if (!existsSync(output)) {
    total.broken.push(`${tier}: jest ended with ${signal ?? `code ${status}`}`);
    return;
  }
  const result = JSON.parse(readFileSync(output, 'utf8'));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  total.skipped += result.numPendingTests + result.numTodoTests;
  const broken = result.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  total.broken.push(...broken.map((suite) => suite.name));
  if (status !== 0 && result.numFailedTests === 0 && broken.length === 0)
    total.broken.push(`${tier}: jest ended with ${signal ?? `code ${status}`}`);
}
