/** What is wrong with a request before any rule of the domain is asked, in Kubernetes' `Status.reason` vocabulary. */
export type WireErrorReason =
  'BadRequest' | 'Invalid' | 'NotAcceptable' | 'RequestEntityTooLarge' | 'UnsupportedMediaType';

const codes: Readonly<Record<WireErrorReason, number>> = {
  BadRequest: 400,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
};

/**
 * A request that cannot be read. Everything in this folder that takes a client's bytes throws this and nothing else, so
 * that no input makes a 5xx.
 */
export class WireError extends Error {
  /** HTTP status code. */
  readonly code: number;

  constructor(
    readonly reason: WireErrorReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'WireError';
    this.code = codes[reason];
  }
}

export const badRequest = (message: string): WireError => new WireError('BadRequest', message);
