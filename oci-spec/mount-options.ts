/** MOUNT_ATTR_* of linux/mount.h, for fsmount(2) and mount_setattr(2). */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** The field that holds how access times are kept: mount_setattr(2) clears all of it to set any of it. */
  ATIME: 0x70,
  RELATIME: 0x0,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  NOSYMFOLLOW: 0x200000,
} as const;

/** MS_* propagation types of linux/mount.h. */
export const PROPAGATION = {
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
} as const;

export type MountOption =
  /** Attribute of the mount: bits to set after bits to clear. */
  | { readonly kind: 'attr'; readonly set: number; readonly clear: number; readonly recursive: boolean }
  | { readonly kind: 'propagation'; readonly flag: number; readonly recursive: boolean }
  | { readonly kind: 'bind'; readonly recursive: boolean }
  /** Flag of the super block, a key for fsconfig(2) FSCONFIG_SET_FLAG. */
  | { readonly kind: 'superblock'; readonly key: string }
  | { readonly kind: 'idmap'; readonly recursive: boolean }
  | { readonly kind: 'remount' }
  | { readonly kind: 'tmpcopyup' }
  /** Without effect through the mount API of Linux 5.2 and newer, as the reason says. */
  | { readonly kind: 'none'; readonly reason: string };

interface AttrChange {
  readonly set: number;
  readonly clear: number;
}

const set = (bit: number): AttrChange => ({ set: bit, clear: 0 });
const clear = (bit: number): AttrChange => ({ set: 0, clear: bit });
const atime = (value: number): AttrChange => ({ set: value, clear: MOUNT_ATTR.ATIME });

/** Every one of these has a recursive form with `r` before it (runtime-spec 1.1). */
const ATTRS: Readonly<Record<string, AttrChange>> = {
  ro: set(MOUNT_ATTR.RDONLY),
  rw: clear(MOUNT_ATTR.RDONLY),
  nosuid: set(MOUNT_ATTR.NOSUID),
  suid: clear(MOUNT_ATTR.NOSUID),
  nodev: set(MOUNT_ATTR.NODEV),
  dev: clear(MOUNT_ATTR.NODEV),
  noexec: set(MOUNT_ATTR.NOEXEC),
  exec: clear(MOUNT_ATTR.NOEXEC),
  nodiratime: set(MOUNT_ATTR.NODIRATIME),
  diratime: clear(MOUNT_ATTR.NODIRATIME),
  noatime: atime(MOUNT_ATTR.NOATIME),
  strictatime: atime(MOUNT_ATTR.STRICTATIME),
  relatime: atime(MOUNT_ATTR.RELATIME),
  // The kernel's default, which these ask for, is relatime since 2.6.30.
  atime: atime(MOUNT_ATTR.RELATIME),
  norelatime: atime(MOUNT_ATTR.RELATIME),
  nostrictatime: atime(MOUNT_ATTR.RELATIME),
  nosymfollow: set(MOUNT_ATTR.NOSYMFOLLOW),
  symfollow: clear(MOUNT_ATTR.NOSYMFOLLOW),
};

const OTHERS: Readonly<Record<string, MountOption>> = {
  bind: { kind: 'bind', recursive: false },
  rbind: { kind: 'bind', recursive: true },
  remount: { kind: 'remount' },
  idmap: { kind: 'idmap', recursive: false },
  ridmap: { kind: 'idmap', recursive: true },
  tmpcopyup: { kind: 'tmpcopyup' },
  // The names that fs/fs_context.c takes for every file system.
  sync: { kind: 'superblock', key: 'sync' },
  async: { kind: 'superblock', key: 'async' },
  dirsync: { kind: 'superblock', key: 'dirsync' },
  lazytime: { kind: 'superblock', key: 'lazytime' },
  nolazytime: { kind: 'superblock', key: 'nolazytime' },
  mand: { kind: 'none', reason: 'mandatory locking was removed in Linux 5.15' },
  nomand: { kind: 'none', reason: 'mandatory locking was removed in Linux 5.15' },
  iversion: { kind: 'none', reason: 'file systems that count inode versions always do' },
  noiversion: { kind: 'none', reason: 'file systems that count inode versions always do' },
  silent: { kind: 'none', reason: 'the mount API returns messages to its caller' },
  loud: { kind: 'none', reason: 'the mount API returns messages to its caller' },
  defaults: { kind: 'none', reason: 'stands for the defaults' },
};

/** What mount(8) and fstab(5) keep to themselves: configs that were made from an fstab have them. */
const FOR_MOUNT_PROGRAM = new Set(
  'user nouser users nousers owner noowner group nogroup auto noauto _netdev nofail'.split(' '),
);
/** Comments of fstab(5): `x-systemd.automount`, `X-mount.mkdir`, `comment=…`. */
const COMMENT = /^(x-|X-|comment=)/;

function build(): ReadonlyMap<string, MountOption> {
  const table = new Map<string, MountOption>(Object.entries(OTHERS));
  for (const [name, change] of Object.entries(ATTRS)) {
    table.set(name, { kind: 'attr', ...change, recursive: false });
    table.set(`r${name}`, { kind: 'attr', ...change, recursive: true });
  }
  for (const [name, flag] of Object.entries(PROPAGATION)) {
    table.set(name, { kind: 'propagation', flag, recursive: false });
    table.set(`r${name}`, { kind: 'propagation', flag, recursive: true });
  }
  return table;
}

/** runtime-spec config.md "Linux mount options" and mount(8): what each means. */
export const MOUNT_OPTIONS: ReadonlyMap<string, MountOption> = build();

/** What engines keep to themselves, and hand on with the volume that it was given for: podman, `nocopy`. */
const FOR_ENGINE = new Set('copy nocopy z Z U O consistent cached delegated'.split(' '));

/** What an option means; undefined: it is for the file system. */
export function mountOption(option: string): MountOption | undefined {
  if (FOR_MOUNT_PROGRAM.has(option) || COMMENT.test(option))
    return { kind: 'none', reason: 'mount(8) does not hand it to the kernel' };
  if (FOR_ENGINE.has(option)) return { kind: 'none', reason: 'the engine has acted on it' };
  return MOUNT_OPTIONS.get(option);
}
