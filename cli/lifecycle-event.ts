export type LifecycleEventType =
  | 'create'
  | 'start'
  | 'pause'
  | 'resume'
  | 'exit'
  | 'delete'
  | 'seed-ready'
  | 'fork'
  | 'oom'
  | 'update'
  | 'scaled-to-zero'
  | 'woken'
  | 'checkpoint'
  | 'restore'
  | SeedEventType;

/** A version ended; the name has a new version; no version will come. */
export type SeedEventType = 'seed-down' | 'seed-roll' | 'seed-abandoned';

/** What changed in the life of a container, seed or worker. */
export interface LifecycleEvent {
  readonly type: LifecycleEventType;
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly pid?: number;
  readonly seed?: string;
  readonly exitCode?: number;
  readonly exitSignal?: string;
  /** Why, of `scaled-to-zero`: `idle`, `exit 1`, `SIGKILL`, `oom`; of the events of seeds: `exit 1`, `SIGKILL`, `oom`, `hung`; `roll`, `restart`, `age`, `forks`, `memory`. */
  readonly reason?: string;
}
