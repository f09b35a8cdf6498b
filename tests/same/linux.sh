# The Linux side: in a mount and PID namespace of its own (run.py calls unshare), makes a root out of the tree $1 with
# fresh /tmp, /dev and /proc, and runs the command that follows in it.
set -eu
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir -m 755 "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0 1 2; do
    ln -s /proc/self/fd/$number "$root/dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1)))"
done
mount -t proc proc "$root/proc"
cd "$root"
exec chroot "$root" "$@"
