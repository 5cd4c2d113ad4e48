import type { z } from 'zod';
import { containerListSchema, containerStateSchema, createResultSchema } from './api/container.js';
import { processListSchema } from './api/process.js';
import { forkManyResultSchema, forkResultSchema, seedInfoSchema, seedListSchema } from './api/seed.js';
import { seedDetailsSchema, treeSchema } from './api/seed-tree.js';
import { checkReportSchema, featuresSchema, healthSchema, versionSchema } from './api/system.js';
import { invokeResultSchema } from './api/worker.js';
import type { CheckReport } from './check-report.js';
import type { CheckpointOptions, RestoreOptions } from './checkpoint.js';
import type { LifecycleEvent } from './lifecycle-event.js';
import type {
  ContainerState,
  CreateOptions,
  CreateResult,
  DeleteOptions,
  ForkOptions,
  ForkResult,
  HealthInfo,
  InvokeOptions,
  InvokeResult,
  LogChunk,
  LogsOptions,
  Operations,
  SeedCreateOptions,
  SeedInfo,
  UpdateOptions,
  VersionInfo,
} from './operations.js';
import type { ExecOutput, ExecOutputOptions, ExecResult } from './exec.js';
import { type JsonObject, parseJson } from '../oci-spec/json.js';
import { readEvents, readExecOutput, readLogs } from './rest-streams.js';
import { RestTransport, type RestCall } from './rest-transport.js';
import type { SeedDetails, SeedRollOptions, TreeNode } from './seed-operations.js';
import { TurfError } from './turf-error.js';

/**
 * The operations over the REST API of a daemon. `create` refuses what needs the calling process (a launcher, passed
 * descriptors). Call `close` when done.
 */
export class RestClient implements Operations {
  readonly #transport: RestTransport;

  /** @param socketPath absolute path of the daemon's Unix socket */
  constructor(socketPath: string) {
    this.#transport = new RestTransport(socketPath);
  }

  close(): void {
    this.#transport.close();
  }

  create(options: CreateOptions): Promise<CreateResult> {
    const { launcher, consoleFd, preserveFds, listenFds, ...body } = options;
    if (launcher !== undefined || consoleFd !== undefined || (preserveFds ?? 0) > 0 || (listenFds ?? 0) > 0) {
      const message = 'launchers and passed descriptors need the turf command, not REST';
      return Promise.reject(new TurfError('TURF_ERR_UNSUPPORTED', message, { operation: 'create' }));
    }
    return this.#call(createResultSchema, { method: 'POST', path: '/v1/containers', body });
  }

  start(id: string): Promise<void> {
    return this.#empty({ method: 'POST', path: `/v1/containers/${encodeURIComponent(id)}/start` });
  }

  state(id: string): Promise<ContainerState> {
    return this.#call(containerStateSchema, {
      method: 'GET',
      path: `/v1/containers/${encodeURIComponent(id)}`,
    });
  }

  kill(id: string, signal: string, all = false): Promise<void> {
    const path = `/v1/containers/${encodeURIComponent(id)}/kill`;
    return this.#empty({ method: 'POST', path, body: { signal, all } });
  }

  pause(id: string): Promise<void> {
    return this.#empty({ method: 'POST', path: `/v1/containers/${encodeURIComponent(id)}/pause` });
  }

  resume(id: string): Promise<void> {
    return this.#empty({ method: 'POST', path: `/v1/containers/${encodeURIComponent(id)}/resume` });
  }

  async processes(id: string): Promise<readonly number[]> {
    const path = `/v1/containers/${encodeURIComponent(id)}/processes`;
    return (await this.#call(processListSchema, { method: 'GET', path })).pids;
  }

  exec(): Promise<ExecResult> {
    const message =
      'exec needs the turf command; REST has execOutput: a program there is no child of the caller';
    return Promise.reject(new TurfError('TURF_ERR_UNSUPPORTED', message, { operation: 'exec' }));
  }

  async *execOutput(options: ExecOutputOptions, signal?: AbortSignal): AsyncGenerator<ExecOutput> {
    const { id, stdin, process, pidFile, ...rest } = options;
    if (pidFile !== undefined) {
      const message = 'a pid file needs the turf command, not REST';
      throw new TurfError('TURF_ERR_UNSUPPORTED', message, { operation: 'exec' });
    }
    const body = {
      ...rest,
      ...(process === undefined ? {} : { process: parseJson(process) }),
      ...(stdin === undefined ? {} : { stdinBase64: Buffer.from(stdin).toString('base64') }),
    };
    const path = `/v1/containers/${encodeURIComponent(id)}/exec/stream`;
    yield* readExecOutput(await this.#transport.open({ method: 'POST', path, body, signal }), signal);
  }

  checkpoint({ id, ...body }: CheckpointOptions): Promise<void> {
    return this.#empty({ method: 'POST', path: `/v1/containers/${encodeURIComponent(id)}/checkpoint`, body });
  }

  restore({ create, ...options }: RestoreOptions): Promise<CreateResult> {
    const { id, launcher, consoleFd, ...made } = create;
    if (launcher !== undefined || consoleFd !== undefined) {
      const message = 'launchers and passed descriptors need the turf command, not REST';
      return Promise.reject(new TurfError('TURF_ERR_UNSUPPORTED', message, { operation: 'restore' }));
    }
    const path = `/v1/containers/${encodeURIComponent(id)}/restore`;
    return this.#call(createResultSchema, { method: 'POST', path, body: { ...options, ...made } });
  }

  async stats(id: string): Promise<JsonObject> {
    const path = `/v1/containers/${encodeURIComponent(id)}/stats`;
    const stats = parseJson(await this.#transport.text({ method: 'GET', path }));
    if (typeof stats === 'object' && stats !== null && !Array.isArray(stats)) return stats;
    throw new TurfError('TURF_ERR_UNAVAILABLE', `the daemon's answer to GET ${path} is not understood`);
  }

  update(id: string, { resources, l3CacheSchema, memBwSchema }: UpdateOptions): Promise<void> {
    if (l3CacheSchema !== undefined || memBwSchema !== undefined) {
      const message = 'Intel RDT schemata need the turf command, not REST';
      return Promise.reject(new TurfError('TURF_ERR_UNSUPPORTED', message, { operation: 'update' }));
    }
    const path = `/v1/containers/${encodeURIComponent(id)}/resources`;
    return this.#empty({ method: 'PATCH', path, body: resources });
  }

  delete(id: string, options: DeleteOptions = {}): Promise<void> {
    const query = options.force === true ? '?force=true' : '';
    return this.#empty({ method: 'DELETE', path: `/v1/containers/${encodeURIComponent(id)}${query}` });
  }

  list(): Promise<readonly ContainerState[]> {
    return this.#call(containerListSchema, { method: 'GET', path: '/v1/containers' });
  }

  async *logs(id: string, options: LogsOptions = {}): AsyncGenerator<LogChunk> {
    const query = new URLSearchParams();
    if (options.follow === true) query.set('follow', 'true');
    if (options.tail !== undefined) query.set('tail', String(options.tail));
    const path = `/v1/containers/${encodeURIComponent(id)}/logs?${query.toString()}`;
    yield* readLogs(
      await this.#transport.open({ method: 'GET', path, signal: options.signal }),
      options.signal,
    );
  }

  wait(id: string, signal?: AbortSignal): Promise<ContainerState> {
    const path = `/v1/containers/${encodeURIComponent(id)}/wait`;
    return this.#call(containerStateSchema, { method: 'GET', path, signal });
  }

  seedCreate(options: SeedCreateOptions): Promise<SeedInfo> {
    return this.#call(seedInfoSchema, { method: 'POST', path: '/v1/seeds', body: options });
  }

  seedList(): Promise<readonly SeedInfo[]> {
    return this.#call(seedListSchema, { method: 'GET', path: '/v1/seeds' });
  }

  seedInspect(id: string): Promise<SeedDetails> {
    return this.#call(seedDetailsSchema, { method: 'GET', path: `/v1/seeds/${encodeURIComponent(id)}` });
  }

  seedRemove(id: string, options: DeleteOptions = {}): Promise<void> {
    const query = options.force === true ? '?force=true' : '';
    return this.#empty({ method: 'DELETE', path: `/v1/seeds/${encodeURIComponent(id)}${query}` });
  }

  seedRoll({ id, ...body }: SeedRollOptions): Promise<SeedInfo> {
    const path = `/v1/seeds/${encodeURIComponent(id)}/roll`;
    return this.#call(seedInfoSchema, { method: 'POST', path, body });
  }

  tree(): Promise<readonly TreeNode[]> {
    return this.#call(treeSchema, { method: 'GET', path: '/v1/tree' });
  }

  fork(options: ForkOptions): Promise<ForkResult> {
    const { seed, ...body } = options;
    const path = `/v1/seeds/${encodeURIComponent(seed)}/fork`;
    return this.#call(forkResultSchema, { method: 'POST', path, body });
  }

  async forkMany(options: ForkOptions, count: number): Promise<readonly ForkResult[]> {
    const { seed, ...rest } = options;
    const path = `/v1/seeds/${encodeURIComponent(seed)}/fork`;
    const answer = await this.#call(forkManyResultSchema, { method: 'POST', path, body: { ...rest, count } });
    return answer.workers;
  }

  async invoke(options: InvokeOptions): Promise<InvokeResult> {
    const { id, body, ...rest } = options;
    const { status, statusText, headers, ...answer } = await this.#call(invokeResultSchema, {
      method: 'POST',
      path: `/v1/workers/${encodeURIComponent(id)}/invoke`,
      body: { ...rest, ...(body !== undefined && { bodyBase64: Buffer.from(body).toString('base64') }) },
    });
    const bytes =
      answer.bodyBase64 === undefined
        ? Buffer.from(answer.body ?? '')
        : Buffer.from(answer.bodyBase64, 'base64');
    return { status, statusText, headers, body: bytes };
  }

  async *events(signal?: AbortSignal): AsyncGenerator<LifecycleEvent> {
    yield* readEvents(await this.#transport.open({ method: 'GET', path: '/v1/events', signal }), signal);
  }

  features(): Promise<unknown> {
    return this.#call(featuresSchema, { method: 'GET', path: '/v1/features' });
  }

  check(): Promise<CheckReport> {
    return this.#call(checkReportSchema, { method: 'GET', path: '/v1/check' });
  }

  version(): Promise<VersionInfo> {
    return this.#call(versionSchema, { method: 'GET', path: '/v1/version' });
  }

  health(): Promise<HealthInfo> {
    return this.#call(healthSchema, { method: 'GET', path: '/v1/health' });
  }

  async #call<S extends z.ZodType>(schema: S, call: RestCall): Promise<z.output<S>> {
    const answer = schema.safeParse(await this.#transport.json(call));
    if (answer.success) return answer.data;
    const message = `the daemon's answer to ${call.method} ${call.path} is not understood`;
    throw new TurfError('TURF_ERR_UNAVAILABLE', message, { cause: answer.error });
  }

  async #empty(call: RestCall): Promise<void> {
    await this.#transport.json(call);
  }
}
