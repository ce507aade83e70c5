import { DataSource } from 'typeorm';
import { LOG_ENTITIES } from './entities.js';
import { Tables1763800000001 } from './migrations/0001-tables.js';
import { Append1763800000002 } from './migrations/0002-append.js';
import { LeasesAndSnapshots1763800000003 } from './migrations/0003-leases-and-snapshots.js';
import { SecretKeys1763800000004 } from './migrations/0004-secret-keys.js';
import { HandedOver1763800000005 } from './migrations/0005-handed-over.js';

/** In the order in which they were made; one that has been released is never changed. */
const MIGRATIONS = [
  Tables1763800000001,
  Append1763800000002,
  LeasesAndSnapshots1763800000003,
  SecretKeys1763800000004,
  HandedOver1763800000005,
];

/** TypeORM on a log: for its migrations (as the owner) and for cold reads (as the apps' role). It never synchronizes. */
export function logDataSource(url: string, schema: string, connectTimeoutMs: number): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema,
    entities: LOG_ENTITIES,
    migrations: MIGRATIONS,
    migrationsTransactionMode: 'all',
    synchronize: false,
    installExtensions: false,
    logging: false,
    poolSize: 1,
    connectTimeoutMS: connectTimeoutMs,
    applicationName: 'podledger',
    // An idle connection that ends is no event: the next query makes another.
    poolErrorHandler: () => undefined,
  });
}
