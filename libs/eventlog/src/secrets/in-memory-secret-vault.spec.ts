import { describeSecretVault } from '../../../../test/contract/secret-vault.contract.js';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { InMemorySecretVault, VaultState } from './in-memory-secret-vault.js';

describeSecretVault('the vault in memory', async () => {
  const clock = new ManualClock();
  const state = new VaultState();
  return {
    connect: async () => new InMemorySecretVault({ clock, state }),
    elapse: async (ms) => clock.advance(ms),
    close: async () => undefined,
  };
});
