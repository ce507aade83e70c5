/**
 * The grammar of names, in Kubernetes' words. Each function returns what is wrong with a value, nothing when it is right.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and labels/
 */

const labelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const qualifiedFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${qualifiedFormat})?`;
const envFormat = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const portNameFormat = '[-a-z0-9]+';
const httpHeaderFormat = '[-A-Za-z0-9]+';
const configKeyFormat = '[-._a-zA-Z0-9]+';

const whole = (format: string): RegExp => new RegExp(`^${format}$`);
const label = whole(labelFormat);
const subdomain = whole(subdomainFormat);
const qualified = whole(qualifiedFormat);
const labelValue = whole(labelValueFormat);
const env = whole(envFormat);
const portName = whole(portNameFormat);
const httpHeader = whole(httpHeaderFormat);
const configKey = whole(configKeyFormat);

const tooLong = (most: number): string => `must be no more than ${most} characters`;
const regexMessage = (text: string, format: string, ...examples: readonly string[]): string =>
  `${text} (e.g. ${examples.map((example) => `'${example}'`).join(', or ')}, regex used for validation is '${format}')`;

const lengthProblem = (value: string, most: number): string[] => (value.length > most ? [tooLong(most)] : []);

/** Names of containers, namespaces, volumes: at most 63 characters. */
export function dnsLabelProblems(value: string): string[] {
  const format = label.test(value)
    ? []
    : [
        regexMessage(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          labelFormat,
          'my-name',
          '123-abc',
        ),
      ];
  return [...lengthProblem(value, 63), ...format];
}

/** Names of most objects: at most 253 characters. */
export function dnsSubdomainProblems(value: string): string[] {
  const format =
    value.length <= 1000 && subdomain.test(value)
      ? []
      : [
          regexMessage(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            subdomainFormat,
            'example.com',
          ),
        ];
  return [...lengthProblem(value, 253), ...format];
}

/** `[prefix/]name`: keys of labels and annotations, names of finalizers and resources. */
export function labelKeyProblems(key: string): string[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const problems: string[] = [];
  if (parts.length > 2) {
    const text =
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    return [
      `${regexMessage(text, qualifiedFormat, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    if (parts[0] === '') problems.push('prefix part must be non-empty');
    else problems.push(...dnsSubdomainProblems(parts[0] ?? '').map((problem) => `prefix part ${problem}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${tooLong(63)}`);
  if (!qualified.test(name.slice(0, 1000))) {
    problems.push(
      `name part ${regexMessage("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", qualifiedFormat, 'MyName', 'my.name', '123-abc')}`,
    );
  }
  return problems;
}

export function labelValueProblems(value: string): string[] {
  const format = labelValue.test(value.slice(0, 1000))
    ? []
    : [
        regexMessage(
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
          labelValueFormat,
          'MyValue',
          'my_value',
          '12345',
        ),
      ];
  return [...lengthProblem(value, 63), ...format];
}

/** Names of environment variables. */
export function envNameProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`must not be '${name}'`];
  if (name.startsWith('..')) return ["must not start with '..'"];
  if (env.test(name.slice(0, 10_000))) return [];
  return [
    regexMessage(
      "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
      envFormat,
      'my.env-name',
      'MY_ENV.NAME',
      'MyEnvName1',
    ),
  ];
}

/** Names of HTTP headers. */
export function httpHeaderNameProblems(name: string): string[] {
  if (httpHeader.test(name)) return [];
  return [
    regexMessage(
      "a valid HTTP header must consist of alphanumeric characters or '-'",
      httpHeaderFormat,
      'X-Header-Name',
    ),
  ];
}

/** Keys of config maps and secrets: they become names of files. */
export function configKeyProblems(key: string): string[] {
  const format = configKey.test(key.slice(0, 10_000))
    ? []
    : [
        regexMessage(
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
          configKeyFormat,
          'key.name',
          'KEY_NAME',
          'key-name',
        ),
      ];
  const dots = key === '.' || key === '..' ? [`must not be '${key}'`] : [];
  const hidden = key !== '..' && key.startsWith('..') ? ["must not start with '..'"] : [];
  return [...lengthProblem(key, 253), ...format, ...dots, ...hidden];
}

/** Names of container ports: at most 15 characters, with a letter. */
export function portNameProblems(name: string): string[] {
  const problems = lengthProblem(name, 15).map(() => 'must be no more than 15 characters');
  if (!portName.test(name)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}
