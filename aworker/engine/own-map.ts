/**
 * A Map that keeps the methods which the language had at the start. User code may replace those of Map.prototype, and would be handed what the runtime keeps.
 */
export class OwnMap<Key, Value> extends Map<Key, Value> {}

for (const name of Reflect.ownKeys(Map.prototype)) {
  const method = Object.getOwnPropertyDescriptor(Map.prototype, name);
  if (name !== 'constructor' && method !== undefined) Object.defineProperty(OwnMap.prototype, name, method);
}
