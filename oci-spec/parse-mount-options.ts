import { type MountOption, mountOption } from './mount-options.js';

/** What a mount's options come to. Attributes are MOUNT_ATTR_*; of options that contradict each other the last counts. */
export interface ParsedMountOptions {
  readonly bind: false | 'bind' | 'rbind';
  readonly remount: boolean;
  readonly attrSet: number;
  /** For bind mounts and remounts: bits that were asked to be off. Never overlaps attrSet but in the atime field. */
  readonly attrClear: number;
  readonly attrSetRecursive: number;
  readonly attrClearRecursive: number;
  /** MS_* in the order given. */
  readonly propagation: readonly { readonly flag: number; readonly recursive: boolean }[];
  /** Keys for FSCONFIG_SET_FLAG that every file system takes. */
  readonly superblock: readonly string[];
  /** What is for the file system: `size=64m`, or a bare key with value ''. */
  readonly data: readonly (readonly [key: string, value: string])[];
  readonly idmap: false | 'idmap' | 'ridmap';
  readonly tmpcopyup: boolean;
}

type Draft = { -readonly [K in keyof ParsedMountOptions]: ParsedMountOptions[K] } & {
  propagation: { flag: number; recursive: boolean }[];
  superblock: string[];
  data: [string, string][];
};

/** Reads mounts[].options (runtime-spec config.md "Linux mount options"). */
export function parseMountOptions(options: readonly string[] = []): ParsedMountOptions {
  const draft: Draft = {
    bind: false,
    remount: false,
    attrSet: 0,
    attrClear: 0,
    attrSetRecursive: 0,
    attrClearRecursive: 0,
    propagation: [],
    superblock: [],
    data: [],
    idmap: false,
    tmpcopyup: false,
  };
  for (const option of options) {
    const known = mountOption(option);
    if (known !== undefined) apply(draft, known);
    else {
      const equals = option.indexOf('=');
      draft.data.push(equals < 0 ? [option, ''] : [option.slice(0, equals), option.slice(equals + 1)]);
    }
  }
  return draft;
}

function apply(draft: Draft, option: MountOption): void {
  switch (option.kind) {
    case 'attr': {
      const { set, clear } = option;
      if (option.recursive) {
        draft.attrSetRecursive = (draft.attrSetRecursive & ~clear) | set;
        draft.attrClearRecursive = (draft.attrClearRecursive & ~set) | clear;
      } else {
        draft.attrSet = (draft.attrSet & ~clear) | set;
        draft.attrClear = (draft.attrClear & ~set) | clear;
      }
      break;
    }
    case 'propagation':
      draft.propagation.push({ flag: option.flag, recursive: option.recursive });
      break;
    case 'bind':
      draft.bind = option.recursive || draft.bind === 'rbind' ? 'rbind' : 'bind';
      break;
    case 'superblock':
      draft.superblock.push(option.key);
      break;
    case 'idmap':
      draft.idmap = option.recursive ? 'ridmap' : 'idmap';
      break;
    case 'remount':
      draft.remount = true;
      break;
    case 'tmpcopyup':
      draft.tmpcopyup = true;
      break;
    case 'none':
      break;
  }
}
