/**
 * Leaves in `node_modules` of the working directory what runs in production, by what the lock file says. Unlike `npm prune` it
 * wants neither a network nor the packages that are to go.
 */
import { readFileSync, rmSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, { dev, optional, devOptional }] of Object.entries(packages)) {
  if (dev || optional || devOptional) rmSync(path, { recursive: true, force: true });
}
