/** File API, 5 and 6; XMLHttpRequest, 5 (ProgressEvent). */

interface ProgressEventInit extends EventInit {
  lengthComputable?: boolean;
  loaded?: number;
  total?: number;
}
interface ProgressEvent extends Event {
  readonly lengthComputable: boolean;
  readonly loaded: number;
  readonly total: number;
}
declare var ProgressEvent: {
  prototype: ProgressEvent;
  new (type: string, init?: ProgressEventInit): ProgressEvent;
};

interface FileReaderEventMap {
  loadstart: ProgressEvent;
  progress: ProgressEvent;
  load: ProgressEvent;
  abort: ProgressEvent;
  error: ProgressEvent;
  loadend: ProgressEvent;
}
type FileReaderHandler = ((this: FileReader, event: ProgressEvent) => void) | null;

interface FileReaderStates {
  readonly EMPTY: 0;
  readonly LOADING: 1;
  readonly DONE: 2;
}
interface FileReader extends TypedEventTarget<FileReaderEventMap>, FileReaderStates {
  readonly readyState: 0 | 1 | 2;
  readonly result: string | ArrayBuffer | null;
  readonly error: DOMException | null;
  onloadstart: FileReaderHandler;
  onprogress: FileReaderHandler;
  onload: FileReaderHandler;
  onabort: FileReaderHandler;
  onerror: FileReaderHandler;
  onloadend: FileReaderHandler;
  readAsArrayBuffer(blob: Blob): void;
  readAsBinaryString(blob: Blob): void;
  readAsDataURL(blob: Blob): void;
  readAsText(blob: Blob, encoding?: string): void;
  abort(): void;
}
declare var FileReader: FileReaderStates & {
  prototype: FileReader;
  new (): FileReader;
};

interface FileList {
  readonly length: number;
  [index: number]: File;
  item(index: number): File | null;
  [Symbol.iterator](): IterableIterator<File>;
}
declare var FileList: {
  prototype: FileList;
};
