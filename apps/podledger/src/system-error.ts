/** Whether something thrown is an error of the operating system with this code (`ENOENT`, `EADDRINUSE`, ...). */
export function isSystemError(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
