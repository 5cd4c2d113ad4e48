#!/bin/sh
# npm run test:vm: the integration tests in a virtual machine with systemd, cgroup v2 alone and Debian's kernel, whatever the host
# has. Root on Debian, amd64; without /dev/kvm it emulates, which is about thirty times slower.
#   scripts/vm-test.sh [NAME...]   names of test/integration/NAME.test.ts; default: all
#   TURF_VM_ACCEL=tcg              emulate although there is a /dev/kvm, where that does not work
#   TURF_VM_DIR=DIR                where the image is made (default /var/tmp/turf-vm-test); removed at the end
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf 'vm: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

[ "$(id -u)" = 0 ] || die 'needs root, to make the image'
[ "$(uname -m)" = x86_64 ] || die 'knows amd64 only'
. /etc/os-release
[ "$ID" = debian ] || die "makes the machine of the host's own Debian release, so that what is built here runs there; this is $ID"
for entry in qemu-system-x86:qemu-system-x86_64 debootstrap:debootstrap e2fsprogs:mkfs.ext4; do
  command -v "${entry#*:}" >/dev/null || missing="${missing:-} ${entry%%:*}"
done
[ -z "${missing:-}" ] || die "missing; as root: apt-get install --no-install-recommends$missing"
[ -x dist/native/turfd ] || die 'not built; run: npm run build'

names=$*
[ -n "$names" ] || names=$(find test/integration -name '*.test.ts' | sed 's|^test/integration/||; s|\.test\.ts$||' | LC_ALL=C sort)

list=$(echo "$names" | tr '\n' ' ')

dir=${TURF_VM_DIR:-/var/tmp/turf-vm-test}
[ ! -e "$dir" ] || die "$dir exists"
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
root=$dir/root

say "installing Debian $VERSION_CODENAME and its kernel"
packages=systemd,systemd-sysv,udev,dbus,kmod,initramfs-tools,linux-image-cloud-amd64,busybox-static,libseccomp2,libstdc++6
packages=$packages,iproute2,procps,netbase,ca-certificates,gcc,make,libc6-dev,musl-tools,runc,crun,conmon,containerd,podman,netavark
debootstrap --variant=minbase --include="$packages" "$VERSION_CODENAME" "$root" >"$dir/log" 2>&1 || {
  tail -20 "$dir/log" >&2
  die 'debootstrap failed'
}
cp "$root"/boot/vmlinuz-* "$dir/kernel"
cp "$root"/boot/initrd.img-* "$dir/initrd"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/boot/*

# The checkout at its own path, and the Node.js that it was built with at its own.
checkout=$(pwd -P)
node=$(readlink -f dist/node)
mkdir -p "$root$checkout" "$root$(dirname "$node")"
tar cf - --exclude=./.git --exclude=./.tap . | tar xf - -C "$root$checkout"
cp "$node" "$root$node"
[ -e "$root/usr/bin/node" ] || ln -s "$node" "$root/usr/bin/node"

echo turf-vm >"$root/etc/hostname"
echo '127.0.0.1 localhost turf-vm' >"$root/etc/hosts"
echo 'tmpfs /tmp tmpfs mode=1777,size=700M 0 0' >"$root/etc/fstab"
cat >"$root/etc/systemd/system/turf-test.service" <<EOF
[Unit]
Wants=dbus.socket containerd.service
After=dbus.socket containerd.service
[Service]
ExecStart=/bin/sh /turf-test.sh
ExecStopPost=/bin/systemctl --no-block poweroff
KillMode=process
Environment=HOME=/root TURF_TEST_PATIENCE=10 TAP_TIMEOUT=1800
StandardOutput=file:/dev/ttyS1
StandardError=inherit
[Install]
WantedBy=multi-user.target
EOF
cat >"$root/turf-test.sh" <<EOF
stty -F /dev/ttyS1 raw -echo
cd '$checkout'
echo "\$(uname -r), systemd \$(systemctl --version | sed -n '1s/systemd \\([0-9]*\\).*/\\1/p'), cgroups \$(stat -fc %T /sys/fs/cgroup)"
failed=0
for name in $list; do
  if node "dist/test/integration/\$name.test.js" >/tmp/out.tap 2>&1; then
    echo "ok \$name"
    grep -E '^ *ok .*# SKIP' /tmp/out.tap
  else
    failed=1
    echo "not ok \$name"
    grep -E -A 25 '^ *not ok' /tmp/out.tap | head -80
  fi
done
echo "VM-RESULT \$failed"
EOF
chroot "$root" systemctl -q enable turf-test.service
chroot "$root" systemctl -q set-default multi-user.target

say 'making the image'
mkfs.ext4 -q -F -d "$root" "$dir/image" 4G >&2
rm -rf "$root"

accel=tcg
[ ! -w /dev/kvm ] || accel=kvm
accel=${TURF_VM_ACCEL:-$accel}
say "booting it ($accel)"
: >"$dir/result"
timeout "${TURF_VM_TIMEOUT:-3600}" qemu-system-x86_64 -accel "$accel" -m 2048 -smp 1 -display none -monitor none -no-reboot -nic none \
  -kernel "$dir/kernel" -initrd "$dir/initrd" -append 'console=ttyS0 root=/dev/vda rw quiet' \
  -drive "file=$dir/image,if=virtio,format=raw" \
  -serial "file:$dir/console" -serial "file:$dir/result" &
vm=$!
trap 'kill $vm 2>/dev/null || :; rm -rf "$dir"' EXIT
tail -n +1 -f --pid="$vm" "$dir/result"
wait "$vm" || say 'the machine did not end by itself'
grep -q '^VM-RESULT 0' "$dir/result" || {
  grep -q '^VM-RESULT' "$dir/result" || tail -20 "$dir/console" >&2
  die 'FAILED'
}
say 'passed'
