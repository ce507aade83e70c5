/*
 * The process of a pod's sandbox: it holds namespaces open and does nothing else.
 *
 * It blocks SIGTERM and SIGINT and waits for either, then exits 0, so that stopping a sandbox takes no grace period. It
 * ignores SIGCHLD, which makes the kernel reap orphans that fall to it when the pod shares one PID namespace. No libc, no
 * heap: about 600 bytes on amd64, 700 on arm64. docker-pause-image.ts carries the two results, so that setting a node up
 * needs no compiler.
 *
 *   cc -Os -static -nostdlib -nostartfiles -ffreestanding -fno-asynchronous-unwind-tables -fno-stack-protector \
 *      -fno-pic -no-pie -Wl,--build-id=none,-N,-z,norelro,-z,noexecstack -s pause.c -o pause
 *   strip -R .comment -R .note.gnu.property pause
 */

#if defined(__x86_64__)

static long sc(long n, long a, long b, long c, long d) {
  register long r10 asm("r10") = d;
  long r;
  asm volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return r;
}
enum { SYS_RT_SIGACTION = 13, SYS_RT_SIGPROCMASK = 14, SYS_RT_SIGTIMEDWAIT = 128, SYS_EXIT_GROUP = 231 };
/* The kernel's own sigaction: x86-64 has a restorer in the middle. */
struct kernel_sigaction {
  unsigned long handler, flags, restorer, mask;
};

#elif defined(__aarch64__)

static long sc(long n, long a, long b, long c, long d) {
  register long x8 asm("x8") = n;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
enum { SYS_RT_SIGACTION = 134, SYS_RT_SIGPROCMASK = 135, SYS_RT_SIGTIMEDWAIT = 137, SYS_EXIT_GROUP = 94 };
struct kernel_sigaction {
  unsigned long handler, flags, mask;
};

#else
#error "no system calls for this architecture yet"
#endif

enum { SIG_BLOCK = 0, SIGCHLD = 17, SIGSET_BYTES = 8 };

/* Bit n-1 stands for signal n: SIGTERM (15) and SIGINT (2). */
static const unsigned long stop_signals = (1ul << 14) | (1ul << 1);
/* handler 1 is SIG_IGN */
static const struct kernel_sigaction ignore = {1};

void _start(void) {
  sc(SYS_RT_SIGPROCMASK, SIG_BLOCK, (long)&stop_signals, 0, SIGSET_BYTES);
  sc(SYS_RT_SIGACTION, SIGCHLD, (long)&ignore, 0, SIGSET_BYTES);
  while (sc(SYS_RT_SIGTIMEDWAIT, (long)&stop_signals, 0, 0, SIGSET_BYTES) < 0)
    ;
  for (;;) sc(SYS_EXIT_GROUP, 0, 0, 0, 0);
}
