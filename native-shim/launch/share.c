#include "launch/share.h"

#include <stdint.h>
#include <sys/syscall.h>

/* clone3 returns on a stack without a frame, which C has no words for. */
static long clone3_call(struct clone_args *args, void (*child)(void *), void *argument) {
#if defined(__x86_64__)
  register long result __asm__("rax") = SYS_clone3;
  register struct clone_args *first __asm__("rdi") = args;
  register size_t second __asm__("rsi") = sizeof *args;
  register void *passed __asm__("r12") = argument;
  register void (*function)(void *) __asm__("r13") = child;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "mov %%r12, %%rdi\n\t"
                   "call *%%r13\n\t"
                   "ud2\n"
                   "1:"
                   : "+r"(result)
                   : "r"(first), "r"(second), "r"(passed), "r"(function)
                   : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = SYS_clone3;
  register long result __asm__("x0") = (long)args;
  register size_t second __asm__("x1") = sizeof *args;
  register void *passed __asm__("x19") = argument;
  register void (*function)(void *) __asm__("x20") = child;
  __asm__ volatile("svc #0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, xzr\n\t"
                   "mov x0, x19\n\t"
                   "blr x20\n\t"
                   "brk #1\n"
                   "1:"
                   : "+r"(result)
                   : "r"(number), "r"(second), "r"(passed), "r"(function)
                   : "memory", "cc");
  return result;
#else
#error "turf is built for x86_64 and aarch64"
#endif
}

pid_t turf_clone_shared(struct clone_args *args, void *stack, size_t size, void (*child)(void *), void *argument) {
  args->flags |= CLONE_VM | CLONE_VFORK;
  args->stack = (uint64_t)(uintptr_t)stack;
  args->stack_size = size;
  return (pid_t)clone3_call(args, child, argument);
}
