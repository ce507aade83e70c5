import type { QueryRunner } from 'typeorm';

/** The schema of the state log; a second log (audit records) is a second schema with the same code. */
export const DEFAULT_SCHEMA = 'podledger';

/** Schema and role names go into SQL and into channel names as they are, so they are plain words. */
const PLAIN_NAME = /^[a-z][a-z0-9_]{0,40}$/;

/** The name, if it needs no quoting. Throws `TypeError` otherwise. */
export function plainName(name: string): string {
  if (!PLAIN_NAME.test(name)) throw new TypeError(`not a plain database name: ${name}`);
  return name;
}

/** The schema that a migration works in. */
export function schemaOf(runner: QueryRunner): string {
  const { options } = runner.dataSource;
  if (options.type !== 'postgres' || options.schema === undefined)
    throw new TypeError('a migration needs a data source with a schema');
  return plainName(options.schema);
}

/** The channel that news of an append comes on; the message is empty. */
export const growthChannel = (schema: string): string => `${schema}_grown`;
