import { parseRfc3339, rfc3339 } from '#domain';

/** Kubernetes' Time, whole seconds of UTC, from any RFC 3339 text; `undefined` when it is none. */
export function normalTime(text: string): string | undefined {
  const at = parseRfc3339(text);
  return at === undefined ? undefined : rfc3339(at);
}

/** Kubernetes' MicroTime, six digits of UTC, from any RFC 3339 text; `undefined` when it is none. Microseconds are kept. */
export function normalMicroTime(text: string): string | undefined {
  const at = parseRfc3339(text);
  if (at === undefined) return undefined;
  const fraction = /\.(\d{1,6})/.exec(text)?.[1] ?? '';
  return `${rfc3339(at).slice(0, -1)}.${fraction.padEnd(6, '0')}Z`;
}

/** A time as protobuf carries it. */
export function timeOfParts(seconds: number, nanos: number, micro: boolean): string {
  const whole = rfc3339(seconds * 1000);
  return micro ? `${whole.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : whole;
}
