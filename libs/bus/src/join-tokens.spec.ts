import type { Clock } from '#domain';
import { JoinTokens, type JoinTokenRecord, type JoinTokenStore } from './join-tokens.js';

class MapStore implements JoinTokenStore {
  readonly records = new Map<string, JoinTokenRecord>();
  private readonly claims = new Map<string, string>();

  async save(record: JoinTokenRecord): Promise<void> {
    this.records.set(record.id, record);
  }

  async find(id: string): Promise<JoinTokenRecord | undefined> {
    return this.records.get(id);
  }

  async claim(id: string, claimant: string): Promise<string> {
    const holder = this.claims.get(id) ?? claimant;
    this.claims.set(id, holder);
    return holder;
  }
}

describe('a join token', () => {
  let now: number;
  let store: MapStore;
  let tokens: JoinTokens;
  const refused = { reason: 'Forbidden', message: 'the join token is unknown, used or expired' };

  beforeEach(() => {
    now = 1_000;
    store = new MapStore();
    const clock: Clock = { now: () => now, sleep: () => Promise.resolve(), after: () => () => undefined };
    tokens = new JoinTokens(store, clock);
  });

  it('is good for one node and key, whose reply may have been lost', async () => {
    const token = await tokens.issue(60_000);
    await tokens.redeem(token, 'n1', 'UKEY');
    await tokens.redeem(token, 'n1', 'UKEY');
    await expect(tokens.redeem(token, 'n2', 'UKEY')).rejects.toMatchObject(refused);
    await expect(tokens.redeem(token, 'n1', 'UOTHER')).rejects.toMatchObject(refused);
  });

  it('ends with its time', async () => {
    const token = await tokens.issue(60_000);
    now += 59_999;
    await tokens.redeem(token, 'n1', 'UKEY');
    now += 1;
    await expect(tokens.redeem(token, 'n1', 'UKEY')).rejects.toMatchObject(refused);
  });

  it('made for one node lets in no other', async () => {
    const token = await tokens.issue(60_000, 'n1');
    await expect(tokens.redeem(token, 'n2', 'UKEY')).rejects.toMatchObject(refused);
    await tokens.redeem(token, 'n1', 'UKEY');
  });

  it('is refused when any part of it is wrong, and is not used up by that', async () => {
    const token = await tokens.issue(60_000);
    const other = await tokens.issue(60_000);
    const [prefix, id] = token.split('.');
    const foreign = `${prefix}.${id}.${other.split('.')[2]}`;
    for (const wrong of ['', 'pl1', `${prefix}.${id}.`, foreign, `${token}0`, token.toUpperCase()]) {
      await expect(tokens.redeem(wrong, 'n1', 'UKEY')).rejects.toMatchObject(refused);
    }
    await tokens.redeem(token, 'n1', 'UKEY');
  });

  it('is not kept in a form that could be used', async () => {
    const token = await tokens.issue(60_000);
    const secret = token.split('.')[2] ?? 'none';
    expect(JSON.stringify([...store.records.values()])).not.toContain(secret);
  });
});
