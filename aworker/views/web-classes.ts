import { type HeadersClasses, installHeadersViews } from './headers-view.js';
import { installRequestViews, type RequestClasses } from './request-view.js';
import { installResponseViews, type ResponseClasses } from './response-view.js';

/** The Fetch classes of the global scope, with cheap views for what a server receives and sends (docs/decisions/0020). */
export interface WebClasses {
  readonly headers: HeadersClasses;
  readonly request: RequestClasses;
  readonly response: ResponseClasses;
}

/** Call once, when the global scope has its final Fetch classes and before user code sees them. */
export function installWebClasses(): WebClasses {
  const headers = installHeadersViews();
  return { headers, request: installRequestViews(headers), response: installResponseViews(headers) };
}
