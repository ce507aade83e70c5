import { NatsError } from 'nats';

/** The JetStream error codes we act on (server/errors.json of nats-server). */
export const jetStreamErrors = {
  consumerNotFound: 10014,
  consumerExists: 10013,
  consumerAlreadyExists: 10148,
  noMessageFound: 10037,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  streamNotMatching: 10060,
  wrongLastSequence: 10071,
} as const;

/** The JetStream error code an error carries, if it does. */
export const jetStreamCode = (error: unknown): number | undefined =>
  error instanceof NatsError ? error.api_error?.err_code : undefined;
