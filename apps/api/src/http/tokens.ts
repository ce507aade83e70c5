/** What Nest injects by name. */
export const API_CORE = Symbol('ApiCore');
export const CLOCK = Symbol('Clock');
export const OPEN_API = Symbol('OpenApi');
export const READINESS = Symbol('Readiness');
