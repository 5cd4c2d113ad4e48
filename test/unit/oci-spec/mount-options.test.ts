import t from 'tap';

import { MOUNT_ATTR, MOUNT_OPTIONS } from '../../../oci-spec/mount-options.js';
import { parseMountOptions } from '../../../oci-spec/parse-mount-options.js';

// Every option of the table in runtime-spec config.md.
const SPECIFIED =
  'async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec ' +
  'noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime ' +
  'remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate ' +
  'rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid ' +
  'symfollow sync tmpcopyup unbindable idmap ridmap';

void t.test('every option of the specification is known', (t) => {
  for (const name of SPECIFIED.split(' ')) t.ok(MOUNT_OPTIONS.has(name), name);
  t.equal(MOUNT_OPTIONS.get('size=1'), undefined);
  t.end();
});

void t.test('an attribute never sets what it clears, but in the atime field', (t) => {
  for (const [name, option] of MOUNT_OPTIONS) {
    if (option.kind !== 'attr') continue;
    t.equal(option.set & option.clear & ~MOUNT_ATTR.ATIME, 0, name);
    t.ok((option.set & MOUNT_ATTR.ATIME) === 0 || (option.clear & MOUNT_ATTR.ATIME) === MOUNT_ATTR.ATIME);
    const other = MOUNT_OPTIONS.get(option.recursive ? name.slice(1) : `r${name}`);
    t.match(other, { kind: 'attr', set: option.set, clear: option.clear, recursive: !option.recursive });
  }
  t.end();
});

void t.test('the last of contradicting options counts', (t) => {
  t.match(parseMountOptions(['ro', 'rw']), { attrSet: 0, attrClear: MOUNT_ATTR.RDONLY });
  t.match(parseMountOptions(['rw', 'ro']), { attrSet: MOUNT_ATTR.RDONLY, attrClear: 0 });
  t.match(parseMountOptions(['noatime', 'strictatime']), {
    attrSet: MOUNT_ATTR.STRICTATIME,
    attrClear: MOUNT_ATTR.ATIME,
  });
  t.end();
});

void t.test('what is for mount(8) alone does not reach the file system', (t) => {
  const options = [
    'defaults',
    'user',
    'nofail',
    '_netdev',
    'x-mount.mkdir=0755',
    'comment=for backups',
    'nocopy',
    'z',
  ];
  t.match(parseMountOptions([...options, 'size=1m']), { data: [['size', '1m']], attrSet: 0, superblock: [] });
  t.end();
});

void t.test('options are sorted to where they go', (t) => {
  t.strictSame(
    parseMountOptions([
      'nosuid',
      'rro',
      'rbind',
      'rslave',
      'private',
      'sync',
      'mode=755',
      'discard',
      'data=a=b',
    ]),
    {
      bind: 'rbind',
      remount: false,
      attrSet: MOUNT_ATTR.NOSUID,
      attrClear: 0,
      attrSetRecursive: MOUNT_ATTR.RDONLY,
      attrClearRecursive: 0,
      propagation: [
        { flag: 0x80000, recursive: true },
        { flag: 0x40000, recursive: false },
      ],
      superblock: ['sync'],
      data: [
        ['mode', '755'],
        ['discard', ''],
        ['data', 'a=b'],
      ],
      idmap: false,
      tmpcopyup: false,
    },
  );
  t.end();
});
