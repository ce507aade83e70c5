import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { BrokenInvariant, LogUnavailable } from '#domain';
import { reachingTheLog, translateError } from './postgres-errors.js';

const databaseError = (code: string): pg.DatabaseError =>
  Object.assign(new pg.DatabaseError('said the server', 1, 'error'), { code });

describe('errors of the database', () => {
  it.each([
    ['a refused connection', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })],
    ['no address that answers', Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })],
    ['a connection lost in a query', new Error('Connection terminated unexpectedly')],
    ['a query without an answer', new Error('Query read timeout')],
    ['a pool without a free connection', new Error('timeout exceeded when trying to connect')],
    ['a server that stops', databaseError('57P01')],
    ['a server that starts', databaseError('57P03')],
    ['too many connections', databaseError('53300')],
    ['a full disk', databaseError('53100')],
    ['a deadlock', databaseError('40P01')],
    ['a standby', databaseError('25006')],
    ['the same through TypeORM', new QueryFailedError('select 1', [], databaseError('57P01'))],
  ])('are an unavailable log for %s, and keep their cause', (_what, error) => {
    const translated = translateError(error);
    expect(translated).toBeInstanceOf(LogUnavailable);
    expect(translated).toHaveProperty('cause', error instanceof QueryFailedError ? error.driverError : error);
  });

  it.each([
    ['a missing permission', databaseError('42501')],
    ['a wrong password', databaseError('28P01')],
    ['a value that does not fit', databaseError('54000')],
    ['a broken invariant, whatever its words', new BrokenInvariant('connection of two facts')],
    ['a mistake of ours', new TypeError('x is not a function')],
    ['no error at all', 'connection'],
  ])('stay what they are for %s', (_what, error) => {
    expect(translateError(error)).toBe(error);
  });

  it('are translated once', async () => {
    const once = new LogUnavailable('gone');
    await expect(reachingTheLog(() => Promise.reject(once))).rejects.toBe(once);
    expect(await reachingTheLog(() => Promise.resolve(1))).toBe(1);
  });
});
