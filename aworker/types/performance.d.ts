/** High Resolution Time; Performance Timeline; User Timing; Resource Timing. */

interface PerformanceEntry {
  readonly name: string;
  readonly entryType: string;
  readonly startTime: number;
  readonly duration: number;
  toJSON(): object;
}
declare var PerformanceEntry: { prototype: PerformanceEntry };
type PerformanceEntryList = PerformanceEntry[];

interface PerformanceMarkOptions {
  detail?: unknown;
  startTime?: number;
}
interface PerformanceMark extends PerformanceEntry {
  readonly detail: unknown;
}
declare var PerformanceMark: {
  prototype: PerformanceMark;
  new (name: string, options?: PerformanceMarkOptions): PerformanceMark;
};

interface PerformanceMeasureOptions {
  detail?: unknown;
  start?: string | number;
  end?: string | number;
  duration?: number;
}
interface PerformanceMeasure extends PerformanceEntry {
  readonly detail: unknown;
}
declare var PerformanceMeasure: { prototype: PerformanceMeasure };

interface PerformanceResourceTiming extends PerformanceEntry {
  readonly initiatorType: string;
  readonly nextHopProtocol: string;
  readonly workerStart: number;
  readonly redirectStart: number;
  readonly redirectEnd: number;
  readonly fetchStart: number;
  readonly domainLookupStart: number;
  readonly domainLookupEnd: number;
  readonly connectStart: number;
  readonly connectEnd: number;
  readonly secureConnectionStart: number;
  readonly requestStart: number;
  readonly responseStart: number;
  readonly responseEnd: number;
  readonly transferSize: number;
  readonly encodedBodySize: number;
  readonly decodedBodySize: number;
}
declare var PerformanceResourceTiming: { prototype: PerformanceResourceTiming };

interface PerformanceEventMap {
  resourcetimingbufferfull: Event;
}
interface Performance extends TypedEventTarget<PerformanceEventMap> {
  /** Milliseconds since 1970 at which this worker began. */
  readonly timeOrigin: number;
  onresourcetimingbufferfull: ((this: Performance, event: Event) => void) | null;
  clearMarks(name?: string): void;
  clearMeasures(name?: string): void;
  clearResourceTimings(): void;
  getEntries(): PerformanceEntryList;
  getEntriesByName(name: string, type?: string): PerformanceEntryList;
  getEntriesByType(type: string): PerformanceEntryList;
  mark(name: string, options?: PerformanceMarkOptions): PerformanceMark;
  measure(name: string, start?: string | PerformanceMeasureOptions, end?: string): PerformanceMeasure;
  /** Milliseconds since `timeOrigin`. */
  now(): number;
  setResourceTimingBufferSize(size: number): void;
  toJSON(): object;
}
declare var Performance: { prototype: Performance };
declare var performance: Performance;

interface PerformanceObserverInit {
  buffered?: boolean;
  entryTypes?: string[];
  type?: string;
}
interface PerformanceObserver {
  disconnect(): void;
  observe(options: PerformanceObserverInit): void;
  takeRecords(): PerformanceEntryList;
}
declare var PerformanceObserver: {
  prototype: PerformanceObserver;
  new (
    callback: (entries: PerformanceObserverEntryList, observer: PerformanceObserver) => void,
  ): PerformanceObserver;
  readonly supportedEntryTypes: readonly string[];
};

interface PerformanceObserverEntryList {
  getEntries(): PerformanceEntryList;
  getEntriesByName(name: string, type?: string): PerformanceEntryList;
  getEntriesByType(type: string): PerformanceEntryList;
}
declare var PerformanceObserverEntryList: { prototype: PerformanceObserverEntryList };
