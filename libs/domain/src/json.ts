/** JSON as it travels and is stored. Objects are read-only: state moves by replacement, never in place. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
