import { Container } from '../../../../daemon/containers/container.js';
import { type Facts } from '../../../../daemon/containers/facts.js';

/** Facts of a container that only the test knows. */
export function someFacts(facts: Partial<Facts> = {}): Facts {
  return {
    version: 1,
    id: 'c1',
    kind: 'container',
    ociVersion: '1.2.0',
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    created: '2026-01-01T00:00:00.000Z',
    bootId: 'boot',
    phase: 'created',
    owner: 'root',
    annotations: {},
    hooks: [],
    logs: false,
    ...facts,
  };
}

export const someContainer = (facts: Partial<Facts> = {}): Container => new Container(someFacts(facts));
