import type { DocumentedRoute } from './openapi.js';

/** The methods that some route offers on a path: what `Allow` says beside a 405. */
export function allowedMethods(routes: readonly DocumentedRoute[], path: string): string[] {
  const asked = path.split('/');
  const matching = routes.filter(({ url }) => {
    const pattern = url.split('/');
    return (
      pattern.length === asked.length &&
      pattern.every((part, index) => part.startsWith(':') || part === asked[index])
    );
  });
  return matching.map(({ method }) => method).sort();
}
