export { type Decision, type CommandHandling, handleCommand } from './handle-command.js';
export { EventCodec, type Upcaster } from './event-codec.js';
export { GrowthNews } from './growth-news.js';
export { InMemoryEventLog, type InMemoryEventLogOptions, type Schedule } from './in-memory-event-log.js';
export { LogFollower, type LogFollowerOptions } from './log-follower.js';
export { LogState, SCHEDULER_LEASE } from './log-state.js';
export { migrate, type MigrateOptions } from './postgres/migrate.js';
export { MasterKey } from './secrets/master-key.js';
export { InMemorySecretVault, type InMemorySecretVaultOptions, VaultState } from './secrets/in-memory-secret-vault.js';
export {
  PostgresSecretVault,
  type PostgresSecretVaultOptions,
  WrongMasterKey,
} from './postgres/postgres-secret-vault.js';
export { PostgresEventLog, type PostgresEventLogOptions } from './postgres/postgres-event-log.js';
export {
  ClusterProjection,
  type ClusterProjectionOptions,
  type ChangesListener,
  clusterStateAt,
} from './cluster-projection.js';
export { CommandBus, type Command, type Executed, type StreamDecision } from './command-bus.js';
