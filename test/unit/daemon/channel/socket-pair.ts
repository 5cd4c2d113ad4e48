import { Socket } from 'node:net';
import type { Test } from 'tap';
import { loadKernel } from '../../../../native-shim/libturf.js';

export const kernel = loadKernel();

/** Both ends of a connected stream pair, closed with the test. */
export function socketPair(t: Test): [Socket, Socket] {
  const [one, other] = kernel.socketpair().map((fd) => new Socket({ fd, readable: true, writable: true }));
  if (one === undefined || other === undefined) throw new Error('no pair');
  for (const socket of [one, other]) {
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
  }
  return [one, other];
}
