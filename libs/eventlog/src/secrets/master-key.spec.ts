import { MasterKey } from './master-key.js';

describe('a master key', () => {
  const key = new Uint8Array(32).fill(3);

  it('opens what it wrapped, also after a restart', () => {
    const master = MasterKey.create();
    const again = MasterKey.parse(`${master.toText()}\n`);
    expect(again.id).toBe(master.id);
    expect([...again.unwrap('u1', master.wrap('u1', key))]).toEqual([...key]);
  });

  it('opens nothing that is another secret’s, another master key’s, or touched', () => {
    const master = MasterKey.create();
    const wrapped = master.wrap('u1', key);
    expect(() => master.unwrap('u2', wrapped)).toThrow();
    expect(() => MasterKey.create().unwrap('u1', wrapped)).toThrow();
    wrapped[20] = (wrapped[20] ?? 0) ^ 1;
    expect(() => master.unwrap('u1', wrapped)).toThrow();
  });

  it('does not say in its id, nor in an error, what it is', () => {
    const master = MasterKey.create();
    expect(master.toText()).not.toContain(master.id);
    expect(() => MasterKey.parse('c2hvcnQ=')).toThrow(/^the master key of secrets must be 32 bytes in base64$/);
    expect(() => MasterKey.parse('!')).toThrow('32 bytes');
  });
});
