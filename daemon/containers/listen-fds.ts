import { type OciConfig } from '../../oci-spec/config.js';

/** Socket activation (sd_listen_fds(3)): the program finds the number of its sockets in the environment. */
export function withListenFds(config: OciConfig, count: number): OciConfig {
  if (count === 0 || config.process === undefined) return config;
  const env = [...(config.process.env ?? []), `LISTEN_FDS=${count}`, 'LISTEN_PID=1'];
  return { ...config, process: { ...config.process, env } };
}
