import {
  dnsLabelProblems,
  dnsSubdomainProblems,
  envNameProblems,
  labelKeyProblems,
  labelValueProblems,
  portNameProblems,
} from './names.js';

const x = (count: number): string => 'x'.repeat(count);

describe('the grammar of names', () => {
  it.each<[string, (name: string) => string[], string[], string[]]>([
    [
      'labels of DNS',
      dnsLabelProblems,
      ['a', 'my-name', '123-abc', x(63)],
      ['', 'A', 'a_b', '-a', 'a-', 'a.b', x(64), 'a\n'],
    ],
    [
      'subdomains',
      dnsSubdomainProblems,
      ['a', 'a.b-c.1', x(253)],
      ['', 'A', 'a..b', '.a', 'a.', 'a b', x(254), x(100_000)],
    ],
    [
      'keys of labels',
      labelKeyProblems,
      ['a', 'A_b.c-1', 'example.com/Name', `${x(253)}/${x(63)}`],
      ['', '/', 'a/', '/a', 'a/b/c', '-a', 'Example.com/a', x(64), `${x(254)}/a`],
    ],
    ['values of labels', labelValueProblems, ['', 'a', 'A_b.c-1', x(63)], ['-a', 'a-', 'a/b', 'a b', x(64)]],
    [
      'environment variables',
      envNameProblems,
      ['A', 'a.b-c_1', '_', '-x', '...'.slice(0, 0) + '.a'],
      ['', '1A', 'a=b', 'a b', '.', '..', '..a'],
    ],
    ['ports', portNameProblems, ['http', 'a-1', x(15)], ['', '80', 'HTTP', 'a--b', '-a', 'a-', x(16), 'a_b']],
  ])('%s', (_, problems, right, wrong) => {
    expect(right.filter((name) => problems(name).length > 0)).toEqual([]);
    expect(wrong.filter((name) => problems(name).length === 0)).toEqual([]);
  });

  it('says what is wrong in Kubernetes’ words', () => {
    expect(dnsLabelProblems('A')).toEqual([
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ]);
    expect(dnsSubdomainProblems(x(254))).toEqual(['must be no more than 253 characters']);
  });
});
