/**
 * A Map that keeps the methods which the language had at the start. User code may replace those of Map.prototype, and would be handed what the runtime keeps.
 */
export class OwnMap<Key, Value> extends Map<Key, Value> {}

for (const [name, method] of Object.entries(Object.getOwnPropertyDescriptors(Map.prototype)))
  if (name !== 'constructor') Object.defineProperty(OwnMap.prototype, name, method);
