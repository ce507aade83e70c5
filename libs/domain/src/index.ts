export * from './json.js';
export * from './errors.js';
export * from './event.js';
export * from './stream.js';
export * from './ports.js';
export * from './lifecycle/observed.js';
