/* share.h - clone3(2) with CLONE_VM and CLONE_VFORK: the child runs in the caller's memory until it executes or exits.
 *
 * A copy of even a small address space costs about a millisecond on a virtual machine whose page tables are shadowed.
 */
#ifndef TURF_LAUNCH_SHARE_H
#define TURF_LAUNCH_SHARE_H

#include <linux/sched.h>
#include <sys/types.h>

/* Runs `child(argument)`, which must not return, on `stack` (16-byte aligned, `size` bytes) and sleeps until it has executed
 * or exited. Not for a child that joins namespaces of others or that others can see: who may trace it reaches the caller's
 * memory. Not with CLONE_NEWTIME, which takes effect only in a copy. Returns the pid or -errno. */
pid_t turf_clone_shared(struct clone_args *args, void *stack, size_t size, void (*child)(void *), void *argument);

#endif
