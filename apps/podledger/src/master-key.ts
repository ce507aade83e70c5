import { MasterKey } from '#eventlog';
import { textOrFile } from './environment.js';
import type { Home } from './home.js';

/** Where a home keeps the key that wraps the keys of secrets. Whoever loses it loses every secret; whoever has it and the database reads them. */
const file = 'secrets-master-key';

/** The key's text: as `PODLEDGER_MASTER_KEY` gives it (text or path), else the home's own, made at the first start. */
export function masterKey(home: Home, env: NodeJS.ProcessEnv): string {
  return textOrFile(env.PODLEDGER_MASTER_KEY) ?? home.keep(file, () => `${MasterKey.create().toText()}\n`).trim();
}
