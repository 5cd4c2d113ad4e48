import { conform, illegalConstructor, illegalInvocation } from './interface.js';

const urls = new WeakMap<object, URL>();

function urlOf(location: unknown): URL {
  return (
    (typeof location === 'object' && location !== null ? urls.get(location) : undefined) ??
    illegalInvocation()
  );
}

/** HTML, 10.3.1: where the worker's script lies. */
export class WorkerLocation {
  constructor() {
    illegalConstructor();
  }

  get href(): string {
    return urlOf(this).href;
  }

  get origin(): string {
    return urlOf(this).origin;
  }

  get protocol(): string {
    return urlOf(this).protocol;
  }

  get host(): string {
    return urlOf(this).host;
  }

  get hostname(): string {
    return urlOf(this).hostname;
  }

  get port(): string {
    return urlOf(this).port;
  }

  get pathname(): string {
    return urlOf(this).pathname;
  }

  get search(): string {
    return urlOf(this).search;
  }

  get hash(): string {
    return urlOf(this).hash;
  }

  toString(): string {
    return urlOf(this).href;
  }
}
conform(WorkerLocation);

/** A location of that address. */
export function createLocation(href: string): WorkerLocation {
  const location = Object.create(WorkerLocation.prototype) as WorkerLocation;
  urls.set(location, new URL(href));
  return location;
}
