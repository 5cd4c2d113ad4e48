import { VERSION } from '../version.js';
import { conform, illegalConstructor, illegalInvocation } from './interface.js';

let instance: WorkerNavigator | undefined;
let made = false;
const LANGUAGES = Object.freeze(['en-US']);

/** HTML, 8.10.1.1 to 8.10.1.6, for workers. */
export class WorkerNavigator {
  constructor() {
    if (made) illegalConstructor();
  }

  get appCodeName(): string {
    return ofNavigator(this, 'Mozilla');
  }

  get appName(): string {
    return ofNavigator(this, 'Netscape');
  }

  get appVersion(): string {
    return ofNavigator(this, VERSION);
  }

  get platform(): string {
    return ofNavigator(this, 'Linux');
  }

  get product(): string {
    return ofNavigator(this, 'Gecko');
  }

  get userAgent(): string {
    return ofNavigator(this, `Aworker/${VERSION}`);
  }

  get language(): string {
    return ofNavigator(this, 'en-US');
  }

  get languages(): readonly string[] {
    return ofNavigator(this, LANGUAGES);
  }

  get onLine(): boolean {
    return ofNavigator(this, true);
  }

  get hardwareConcurrency(): number {
    return ofNavigator(this, 1);
  }
}
conform(WorkerNavigator);

function ofNavigator<T>(self: unknown, value: T): T {
  return self === instance ? value : illegalInvocation();
}

/** The worker's navigator. */
export function createNavigator(): WorkerNavigator {
  instance ??= new WorkerNavigator();
  made = true;
  return instance;
}
