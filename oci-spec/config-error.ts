export interface ConfigIssue {
  /** Where in the document, as `linux.namespaces[2].path`; empty for the document itself. */
  readonly path: string;
  /** What is wrong, lower case, no full stop. */
  readonly message: string;
}

/** A config.json that cannot be used. The message lists every issue, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: 'TURF_ERR_CONFIG' | 'TURF_ERR_UNSUPPORTED';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], code: ConfigError['code'] = 'TURF_ERR_CONFIG') {
    super(issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('\n'));
    this.code = code;
    this.issues = issues;
  }
}

/** How a rule reports what it found. */
export type Report = (path: string, message: string) => void;

/** A value for a message: JSON, shortened. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}
